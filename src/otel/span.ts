import type { HandleOperation, Operation, PassOperation } from "../../mod.ts";
import type { OtelAttributes, OtelSpan, OtelSpanOptions } from "./api.ts";
import { isEventSourceryError } from "../../mod.ts";
import { belowToolkit, describe } from "../errors/describe.ts";

/** The kinds of spans that are used here. */
const kinds = { internal: 0, producer: 3, consumer: 4 } as const;

/** Returns the name of an operation's span, and what it starts with. */
export function spanOf(
  operation: Operation,
  ids: boolean,
): { readonly name: string; readonly options: OtelSpanOptions & { attributes: OtelAttributes } } {
  const { name } = operation;
  switch (name) {
    case "append": {
      const { category, events, expected } = operation;
      return {
        name: `append ${category}`.trim(),
        options: {
          kind: kinds.producer,
          attributes: {
            ...messaging("append", "send"),
            ...(category !== "" && { "messaging.destination.name": category }),
            ...batchOf(events),
            ...(ids && placeOf(operation)),
            "event_sourcery.expected_version": String(expected),
          },
        },
      };
    }
    case "load": {
      const attributes = ids ? placeOf(operation) : {};
      return { name: `load ${operation.category}`.trim(), options: { attributes } };
    }
    case "command": {
      const { aggregate, id, attempt } = operation;
      const attributes = {
        "event_sourcery.attempt": attempt,
        ...(ids && { "event_sourcery.aggregate.id": id }),
      };
      return { name: `command ${aggregate}`, options: { attributes } };
    }
    case "handle":
      return {
        name: `handle ${operation.consumer}`,
        options: { kind: kinds.consumer, attributes: handleAttributes(operation, ids) },
      };
    default: {
      const { consumer, version } = operation;
      const attributes = {
        "messaging.consumer.group.name": consumer,
        "event_sourcery.consumer.version": version,
        ...(name === "pass" && { "event_sourcery.lane": operation.lane }),
      };
      return { name: `${name} ${consumer}`, options: { attributes } };
    }
  }
}

function handleAttributes(operation: HandleOperation, ids: boolean): OtelAttributes {
  const { consumer, version, lane, attempt, events } = operation;
  const last = events.at(-1)!;
  return {
    ...messaging("handle", "process"),
    "messaging.consumer.group.name": consumer,
    ...batchOf(events),
    ...(ids && events.length === 1 && { "messaging.message.id": last.id, ...placeOf(last) }),
    "event_sourcery.consumer.version": version,
    "event_sourcery.lane": lane,
    "event_sourcery.position": last.position,
    "event_sourcery.attempt": attempt,
  };
}

function messaging(name: string, type: string): OtelAttributes {
  return {
    "messaging.system": "event_sourcery",
    "messaging.operation.name": name,
    "messaging.operation.type": type,
  };
}

function batchOf(events: readonly { readonly type: string }[]): OtelAttributes {
  return {
    ...(events.length > 1 && { "messaging.batch.message_count": events.length }),
    "event_sourcery.event.types": [...new Set(events.map(({ type }) => type))],
  };
}

function placeOf(
  { tenantId, streamId }: { readonly tenantId: string; readonly streamId: string },
): OtelAttributes {
  return {
    ...(tenantId !== "" && { "event_sourcery.tenant.id": tenantId }),
    "event_sourcery.stream.id": streamId,
  };
}

/** Adds what came of an operation to its span. */
export function succeed(span: OtelSpan, operation: Operation): void {
  if (operation.name === "handle" || operation.outcome === undefined) return;
  span.setAttributes(outcomeOf(operation));
}

function outcomeOf(operation: Exclude<Operation, HandleOperation>): OtelAttributes {
  switch (operation.name) {
    case "append": {
      const { version, position } = operation.outcome![0]!;
      return { "event_sourcery.stream.version": version, "event_sourcery.position": position };
    }
    case "load":
      return { "event_sourcery.events": operation.outcome!.events.length };
    case "command": {
      const { version, events } = operation.outcome!;
      return {
        "event_sourcery.stream.version": version,
        "event_sourcery.events": events.length,
        "event_sourcery.is_new": version === events.length,
      };
    }
    default: {
      const { handled, failed } = operation.outcome!;
      return { "event_sourcery.handled": handled, "event_sourcery.failed": failed };
    }
  }
}

/** Adds to a span why its operation failed; a conflict with another writer is no error, since it may be tried again. */
export function fail(span: OtelSpan, operation: Operation, error: unknown): void {
  const type = errorType(error);
  span.setAttributes({ "error.type": type });
  if (isConflict(operation, error)) {
    span.addEvent("conflict", { "error.type": type });
    return;
  }
  const cause = belowToolkit(error);
  const message = describe(error);
  span.recordException(cause instanceof Error ? cause : message);
  span.setStatus({ code: 2, message });
}

/** Whether an append or a command met a conflict with another writer. */
export function isConflict({ name }: Operation, error: unknown): boolean {
  return (name === "append" || name === "command") && isEventSourceryError(error, "CONCURRENCY");
}

/** Whether a pass has done anything worth a span. */
export function isBusy({ outcome }: PassOperation): boolean {
  return outcome === undefined || outcome.handled + outcome.failed + outcome.skipped > 0;
}

function errorType(error: unknown): string {
  if (isEventSourceryError(error)) return error.code;
  return error instanceof Error ? error.name : "_OTHER";
}
