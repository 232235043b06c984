import type { InspectedConsumer, InspectedParking, ParkedCursor } from "../../inspect/mod.ts";
import { fitted, packed } from "../clip.ts";
import { Refused } from "../input.ts";
import { anything, flag, list, record, text, type Tool, tool, whole } from "../tool.ts";
import { instant, limit, showError, usual } from "../view.ts";

export const consumers: Tool = tool({
  name: "consumers",
  title: "List consumers",
  about:
    "The consumers that are registered in the database: outboxes, subscriptions, projections, processes. How each is in a word (up to date, catching up, behind, nobody runs it, needs you, failing, misconfigured), how far behind, what is parked. While complete is false, go on with next_skip.",
  input: {
    name: { kind: "text", about: "only consumers of this name" },
    skip: { kind: "whole", about: "how many to pass over" },
    limit,
  },
  output: record({
    consumers: list(record({
      name: text,
      version: whole,
      "tenant?": text,
      health: text,
      "known?": flag,
      position: whole,
      lag: whole,
      age_ms: whole,
      "oldest?": text,
      retrying: whole,
      parked: whole,
      stalled: flag,
      "seen_at?": text,
      "error?": text,
      filter: anything,
      lanes: whole,
      lanes_held: whole,
    })),
    head: whole,
    complete: flag,
    "next_skip?": whole,
  }),
  async run({ inspector }, { name, skip = 0, limit = usual }) {
    const all = await inspector.consumers();
    const wanted = all.filter((it) => name === undefined || it.name === name);
    if (name !== undefined && wanted.length === 0) {
      throw new Refused("no such consumer has ever run");
    }
    const shown = packed(wanted.slice(skip, skip + limit), show);
    const next = skip + shown.length;
    const complete = next >= wanted.length;
    return {
      consumers: shown,
      head: all[0]?.head ?? await inspector.position(),
      complete,
      ...(complete ? {} : { next_skip: next }),
    };
  },
});

function show(consumer: InspectedConsumer): object {
  const { name, version, tenantId, health, known, position, lag, age, oldest } = consumer;
  const { retrying, parked, stalled, seenAt, error, filter, lanes } = consumer;
  return {
    ...{ name, version, health, position, lag, age_ms: age, retrying, parked, stalled },
    ...(tenantId === undefined ? {} : { tenant: tenantId }),
    ...(known === undefined ? {} : { known }),
    ...(oldest === undefined ? {} : { oldest: instant(oldest) }),
    ...(seenAt === undefined ? {} : { seen_at: instant(seenAt) }),
    ...(error === undefined ? {} : { error: showError(error) }),
    filter: fitted(filter, 2000),
    lanes: lanes.length,
    lanes_held: lanes.filter(({ owner }) => owner !== undefined).length,
  };
}

export const parked: Tool = tool({
  name: "parked",
  title: "List parked streams",
  about:
    "Streams that wait since an event of theirs failed in a consumer: at which event, why, how often it was tried, and when it is tried again; without retry_at a person has to redrive or discard it. While complete is false, go on with next_after.",
  input: {
    consumer: { kind: "text", about: "only of the consumer with this name" },
    after: { kind: "text", about: "what the last answer gave as next_after", max: 16_000 },
    limit,
  },
  output: record({
    streams: list(record({
      consumer: text,
      version: whole,
      "tenant?": text,
      stream: text,
      position: whole,
      "behind_it?": whole,
      attempts: whole,
      failed_at: text,
      "retry_at?": text,
      "error?": text,
    })),
    complete: flag,
    "next_after?": text,
  }),
  async run(context, { consumer, after, limit = usual }) {
    const found = await context.inspector.parked({
      consumer: consumer === undefined ? undefined : { name: consumer },
      after: after === undefined ? undefined : cursorOf(after),
      limit,
    });
    const streams = packed(found.streams, showParked);
    const whole = streams.length === found.streams.length;
    const next = whole ? found.next : found.streams[streams.length - 1];
    return {
      streams,
      complete: next === undefined,
      ...(next === undefined ? {} : { next_after: textOf(next) }),
    };
  },
});

function showParked(stream: InspectedParking): object {
  const { consumer, version, tenantId, streamId, position, attempts } = stream;
  const { failedAt, dueAt, error, behind } = stream;
  return {
    ...{ consumer, version, stream: streamId, position, attempts },
    ...(tenantId === "" ? {} : { tenant: tenantId }),
    ...(behind === undefined ? {} : { behind_it: behind }),
    failed_at: instant(failedAt),
    ...(dueAt === undefined ? {} : { retry_at: instant(dueAt) }),
    ...(error === undefined ? {} : { error: showError({ message: error }) }),
  };
}

/** Writes where a list of parked streams goes on. */
function textOf({ consumerTenantId, consumer, version, tenantId, streamId }: ParkedCursor): string {
  return JSON.stringify([consumerTenantId ?? null, consumer, version, tenantId, streamId]);
}

function cursorOf(after: string): ParkedCursor {
  try {
    const parts: unknown = JSON.parse(after);
    if (!Array.isArray(parts) || parts.length !== 5) throw new TypeError();
    const [consumerTenantId, consumer, version, tenantId, streamId]: readonly unknown[] = parts;
    if (
      (consumerTenantId === null || typeof consumerTenantId === "string") &&
      typeof consumer === "string" && typeof version === "number" &&
      typeof tenantId === "string" && typeof streamId === "string"
    ) {
      return {
        consumerTenantId: consumerTenantId ?? undefined,
        consumer,
        version,
        tenantId,
        streamId,
      };
    }
  } catch {
    // told below
  }
  throw new Refused("after must be what the last answer gave as next_after");
}
