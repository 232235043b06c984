import { type ErrorContext, isEventSourceryError, type StoreErrorContext } from "../../../mod.ts";
import { belowToolkit, describe } from "../../errors/describe.ts";

/**
 * A logger with the methods of pino, Bunyan and others: an object with what belongs to the line, and the line.
 *
 * @category Inspect
 */
export interface Logger {
  /** Logs what needs a person. */
  readonly error: (fields: LogFields, message: string) => void;
  /** Logs what may mend itself. */
  readonly warn: (fields: LogFields, message: string) => void;
}

/**
 * What belongs to a line of the log; a member that does not apply is absent.
 *
 * @category Inspect
 */
export interface LogFields {
  /** What failed: a consumer's handler (`"handle"`) or pass (`"pass"`), its lease or outbox, or the store's `"afterCommit"`. */
  readonly phase: string;
  /** The name of the consumer. */
  readonly consumer?: string | undefined;
  /** The type of the event. */
  readonly type?: string | undefined;
  /** The tenant of the event, where it has one. */
  readonly tenantId?: string | undefined;
  /** The stream of the event, or of the snapshot. */
  readonly streamId?: string | undefined;
  /** The id of the event. */
  readonly eventId?: string | undefined;
  /** The position of the event. */
  readonly position?: number | undefined;
  /** The number of the attempt that failed. */
  readonly attempt?: number | undefined;
  /** When it is tried again. */
  readonly retryAt?: Date | undefined;
  /** The code of the error, if it is one of this library. */
  readonly code?: string | undefined;
  /** The error, which loggers print with its stack; below one of a database toolkit, which holds parameters. */
  readonly err?: unknown;
}

/**
 * Makes an `onError` for a store, and for `run` of its consumers, that writes to a logger: what is tried again, and a
 * notice, as a warning; what is not as an error.
 *
 * @param log The logger, such as one of pino.
 *
 * @category Inspect
 *
 * @example Log the failures of a consumer
 * ```ts
 * import { defineEvent, EventStore, Subscription } from "event-sourcery";
 * import { logger } from "event-sourcery/inspect";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Paid = defineEvent("Paid");
 * const store = new EventStore(memory(), { events: [Paid] });
 * await store.append("order:1", Paid());
 *
 * const lines: string[] = [];
 * const write = (_: object, message: string) => void lines.push(message);
 * const onError = logger({ error: write, warn: write }); // logger(pino())
 *
 * const stop = new AbortController();
 * const handler = () => {
 *   stop.abort();
 *   throw new RangeError("no printer");
 * };
 * await new Subscription(store, { name: "print", handler }).run({ onError, signal: stop.signal });
 * assert.match(lines[0]!, /^consumer "print" failed at Paid of order:1, .*: RangeError: no printer$/);
 * ```
 */
export function logger(
  log: Logger,
): (error: unknown, context: ErrorContext | StoreErrorContext) => void {
  return (error, context) => {
    const { phase } = context;
    const { consumer, attempt, retryAt } = "consumer" in context ? context : nobody;
    const event = "event" in context ? context.event : undefined;
    const streamId = "streamId" in context ? context.streamId : event?.streamId;
    const fields = {
      phase,
      consumer,
      type: event?.type,
      tenantId: event?.tenantId || undefined,
      streamId,
      eventId: event?.id,
      position: event?.position,
      attempt,
      retryAt,
      code: isEventSourceryError(error) ? error.code : undefined,
      err: belowToolkit(error),
    };
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    const mends = retryAt !== undefined || ["lease", "outbox", "snapshot"].includes(phase);
    log[mends ? "warn" : "error"](
      { phase, ...Object.fromEntries(given) },
      messageOf(fields, error),
    );
  };
}

const nobody = { consumer: undefined, attempt: undefined, retryAt: undefined };

function messageOf(
  { phase, consumer, type, streamId, attempt, retryAt }: LogFields,
  error: unknown,
): string {
  const who = consumer === undefined ? phase : `consumer ${JSON.stringify(consumer)}`;
  if (attempt === undefined && consumer !== undefined) return `${who}: ${describe(error)}`;
  const what = type === undefined ? "" : ` at ${type}`;
  const where = streamId === undefined ? "" : ` of ${streamId}`;
  const times = attempt === undefined ? "" : `, attempt ${attempt}`;
  const again = retryAt === undefined ? "" : `, next at ${retryAt.toISOString()}`;
  return `${who} failed${what}${where}${times}${again}: ${describe(error)}`;
}
