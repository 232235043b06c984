import type { RetryOptions } from "../engine/retry.ts";
import { describe } from "../errors/describe.ts";

/**
 * Options of a scheduler.
 *
 * @category Processes
 */
export interface SchedulerOptions {
  /** The greatest number of events that are delivered in one transaction. @default 100 */
  readonly batchSize?: number | undefined;
  /** How often and when an event is tried again that could not be delivered. */
  readonly retry?: RetryOptions | undefined;
}

/**
 * Options of `Scheduler.run`.
 *
 * @category Processes
 */
export interface SchedulerRunOptions {
  /** Ends the run, once the batch in flight is delivered. @default it runs until the scheduler is disposed of */
  readonly signal?: AbortSignal | undefined;
  /**
   * The longest pause before it looks for work again, in milliseconds, or `Infinity`, as in `Consumer.run`; it wakes up
   * when an event is due. @default 60_000 while notifications arrive, else 1000
   */
  readonly pollInterval?: number | undefined;
  /**
   * Receives what kept an event from being delivered, and errors of the database; the scheduler keeps running.
   * @default prints a line of text
   */
  readonly onError?: ((error: unknown, context: SchedulerErrorContext) => void) | undefined;
}

/**
 * Where an error of a scheduler comes from.
 *
 * @category Processes
 */
export interface SchedulerErrorContext {
  /** The event that could not be delivered; undefined if it was not about one. */
  readonly event: Pick<FailedSchedule, "tenantId" | "streamId" | "id" | "type"> | undefined;
  /** The number of the attempt that failed, from 1. */
  readonly attempt: number;
  /** When it is tried again, by this process's clock; undefined if not by itself. */
  readonly retryAt: Date | undefined;
}

/**
 * The state of what is scheduled.
 *
 * @category Processes
 */
export interface SchedulerStatus {
  /** The number of events that wait, due or not. */
  readonly waiting: number;
  /** The number of events that have failed and are not tried again by themselves. */
  readonly failed: number;
  /** When the next event will be due that is not due yet; undefined if there is none. */
  readonly next: Date | undefined;
}

/**
 * An event that could not be delivered and is not tried again by itself. It holds up what is scheduled for its stream.
 *
 * @category Processes
 */
export interface FailedSchedule {
  /** The tenant of the stream; `""` without tenants. */
  readonly tenantId: string;
  /** The event's id. */
  readonly id: string;
  /** The stream that it should have been appended to. */
  readonly streamId: string;
  /** The name of its type, as stored. */
  readonly type: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** Describes the last error. */
  readonly error: string;
  /** When that was. */
  readonly failedAt: Date;
}

/**
 * An event by its id, and by its tenant where several have one of that id.
 *
 * @category Processes
 */
export type ScheduleKey = string | { readonly tenantId: string; readonly id: string };

/** Prints an error in one line, without event data. */
export function print(error: unknown, { event, attempt, retryAt }: SchedulerErrorContext): void {
  const what = event === undefined
    ? "pass"
    : `event ${JSON.stringify(event.id)} for stream ${JSON.stringify(event.streamId)}`;
  const again = retryAt === undefined
    ? "it is not tried again by itself"
    : `it is tried again at ${retryAt.toISOString()}`;
  const line = `event-sourcery: scheduler, ${what}, attempt ${attempt}, ${again}: ${
    describe(error)
  }`;
  console.error(line.replace(/\s*[\r\n]+\s*/g, " "));
}
