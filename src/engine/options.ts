import type { RetryOptions } from "./retry.ts";
import { checkNumber } from "../errors/check.ts";
import { slots } from "../event/stream.ts";

/** What outboxes, subscriptions and projections have in common. */
export interface ConsumerOptions {
  /**
   * How many streams are worked on at once. Only for handlers outside of transactions; transactional ones run side by
   * side by `lanes`. @default 1
   */
  readonly concurrency?: number | undefined;
  /** How many events are read at once, and at most handed over at once. @default 500 */
  readonly batchSize?: number | undefined;
  /**
   * Into how many parts the streams are shared out, so that as many workers can share the consumer; at most 1024.
   * It is stored, `relane` changes it. @default 1
   */
  readonly lanes?: number | undefined;
  /** When a failed event is tried again. */
  readonly retry?: RetryOptions | undefined;
  /**
   * What becomes of an event that failed as often as `retry` allows: its stream stays parked, it is skipped, or
   * everything stops in front of it at its first failure already and tries it again. @default "park"
   */
  readonly onFailure?: "park" | "skip" | "stop" | undefined;
  /** How long a handler may take, in milliseconds, at most 2^31 - 1; what takes longer has failed. @default 60000 */
  readonly timeout?: number | undefined;
  /**
   * How long a worker that vanished keeps its lane, in milliseconds, at most 2^31 - 1; one that works renews it in time.
   * @default 15000
   */
  readonly lease?: number | undefined;
  /** Whether to go on although the consumer wants other types or categories than before. @default false */
  readonly acceptFilter?: boolean | undefined;
}

/** Where a consumer begins when it first runs: at the first event, after the last one there is, or after a position. */
export type ConsumerStart = "start" | "now" | { readonly after: number };

/** Checks a number of lanes. */
export function checkLanes(lanes: number): void {
  checkNumber("lanes", lanes, 1);
  if (lanes > slots) throw new RangeError(`lanes must be at most ${slots}, got ${lanes}`);
}

export function checkStart(from: ConsumerStart): void {
  if (from === "start" || from === "now") return;
  if (typeof from !== "object" || from === null) {
    throw new TypeError('from must be "start", "now" or { after: position }');
  }
  checkNumber("from.after", from.after);
}
