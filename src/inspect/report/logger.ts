import {
  type ErrorContext,
  isEventSourceryError,
  type Notice,
  type StoreErrorContext,
} from "../../../mod.ts";
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
  /** Logs that something has mended itself. @default nothing is logged then */
  readonly info?: ((fields: LogFields, message: string) => void) | undefined;
}

/**
 * Writes to a logger what an observer notices (`observer: { notice }`), or an error (`onError`).
 *
 * @category Inspect
 */
export interface LogWriter {
  /** Writes a notice. */
  (notice: Notice): void;
  /** Writes an error of a store, or of a consumer. */
  (error: unknown, context: ErrorContext | StoreErrorContext): void;
}

/**
 * What belongs to a line of the log; a member that does not apply is absent.
 *
 * @category Inspect
 */
export interface LogFields {
  /** What an observer has noticed, such as `"parked"`. */
  readonly notice?: Notice["name"] | undefined;
  /** What failed: a consumer's handler (`"handle"`) or pass (`"pass"`), its lease or outbox, or the store's `"afterCommit"`. */
  readonly phase?: string | undefined;
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
 * Makes a function that writes to a logger: as `notice` of a store's observer, what happens to all of its consumers; as
 * `onError` of a store or of one consumer's `run`, its errors. What is tried again is a warning, as is a lease that was
 * lost or is waited for; what needs a person, and an outage, an error; the end of an outage an information.
 *
 * @param log The logger, such as one of pino.
 *
 * @category Inspect
 *
 * @example Log the failures of all consumers
 * ```ts
 * import { defineEvent, EventStore, Subscription } from "event-sourcery";
 * import { logger } from "event-sourcery/inspect";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Paid = defineEvent("Paid");
 * const lines: string[] = [];
 * const write = (_: object, message: string) => void lines.push(message);
 * const notice = logger({ error: write, warn: write }); // logger(pino())
 *
 * const store = new EventStore(memory(), { events: [Paid], onError: notice, observer: { notice } });
 * await store.append("order:1", Paid());
 *
 * const stop = new AbortController();
 * const handler = () => {
 *   stop.abort();
 *   throw new RangeError("no printer");
 * };
 * await new Subscription(store, { name: "print", handler }).run({ signal: stop.signal });
 * assert.match(lines[0]!, /^consumer "print" failed at Paid of order:1, .*: RangeError: no printer$/);
 * ```
 */
export function logger(log: Logger): LogWriter {
  return (first: unknown, context?: ErrorContext | StoreErrorContext) => {
    if (context === undefined) {
      const notice = first as Notice; // the only call with one argument
      return write(log, levels[notice.name] ?? "warn", notice, notice.error);
    }
    const mends = ["lease", "outbox", "snapshot"].includes(context.phase) ||
      ("retryAt" in context && context.retryAt !== undefined);
    write(log, mends ? "warn" : "error", context, first);
  };
}

/** How notices are logged that are not warnings. */
const levels: Partial<Record<Notice["name"], "error" | "info">> = {
  parked: "error",
  skipped: "error",
  outage: "error",
  misconfigured: "error",
  recovered: "info",
};

/** What an error or a notice may tell. */
interface Told extends Pick<LogFields, "consumer" | "phase" | "streamId" | "attempt" | "retryAt"> {
  readonly name?: Notice["name"];
  readonly event?: Notice["event"];
}

function write(
  log: Logger,
  level: "error" | "warn" | "info",
  { name: notice, phase, consumer, event, streamId = event?.streamId, attempt, retryAt }: Told,
  error: unknown,
): void {
  const fields: LogFields = {
    notice,
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
  log[level]?.(Object.fromEntries(given), messageOf(fields, error));
}

function messageOf(
  { notice, phase, consumer, type, streamId, attempt, retryAt }: LogFields,
  error: unknown,
): string {
  const who = consumer === undefined ? phase : `consumer ${JSON.stringify(consumer)}`;
  const why = notice !== undefined && error === undefined ? "" : `: ${describe(error)}`;
  const name = notice === undefined ? "" : notice.replaceAll("-", " ");
  if (attempt === undefined && consumer !== undefined) return `${who}${name && `: ${name}`}${why}`;
  const what = type === undefined ? "" : ` at ${type}`;
  const where = streamId === undefined ? "" : ` of ${streamId}`;
  const times = attempt === undefined ? "" : `, attempt ${attempt}`;
  const again = retryAt === undefined ? name && `, ${name}` : `, next at ${retryAt.toISOString()}`;
  return `${who} failed${what}${where}${times}${again}${why}`;
}
