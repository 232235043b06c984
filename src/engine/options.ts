import type { RetryOptions } from "./retry.ts";
import { checkNumber } from "../errors/check.ts";
import { slots } from "../event/stream.ts";

/** What outboxes, subscriptions and projections have in common. */
export interface ConsumerOptions {
  /**
   * How many streams are worked on at the same time. Only for handlers outside of transactions; transactional ones run
   * side by side by `lanes`. @default 1
   */
  readonly concurrency?: number | undefined;
  /** How many events are read in one page, and handed over in one call at most. @default 500 */
  readonly batchSize?: number | undefined;
  /**
   * The number of partitions: each stream belongs to one, and as many workers can share the consumer; at most 1024.
   * It is stored, `relane` changes it. @default 1
   */
  readonly lanes?: number | undefined;
  /** When a failed event is tried again. */
  readonly retry?: RetryOptions | undefined;
  /**
   * The policy for an event that failed as often as `retry` allows: its stream stays parked, or it is skipped. With
   * `"stop"`, everything stops in front of it at its first failure already, until it succeeds. @default "park"
   */
  readonly onFailure?: "park" | "skip" | "stop" | undefined;
  /** How long a handler may take, in milliseconds, at most 2^31 - 1; what takes longer has failed. @default 60000 */
  readonly timeout?: number | undefined;
  /**
   * How long a worker that vanished keeps its lane, in milliseconds, from 100 to 2^31 - 1; a living one renews it in time.
   * @default 15000
   */
  readonly lease?: number | undefined;
  /**
   * The policy for a consumer that wants other types or categories than before, whose events it has passed over: to
   * refuse with a `FilterMismatchError`, or to accept the new filter from here on. @default "refuse"
   */
  readonly onFilterChange?: "refuse" | "accept" | undefined;
}

/** Where a consumer begins when it first runs: at the first event, after the last one there is, or after a position. */
export type ConsumerStart = "start" | "now" | { readonly after: number };

/** Checks a number of lanes. @throws {TypeError | RangeError} If it is not one from 1 to 1024. */
export function checkLanes(lanes: number): void {
  checkNumber("lanes", lanes, 1);
  if (lanes > slots) throw new RangeError(`lanes must be at most ${slots}, got ${lanes}`);
}

/** Checks where a consumer begins. @throws {TypeError | RangeError} If it is malformed. */
export function checkStart(from: ConsumerStart): void {
  if (from === "start" || from === "now") return;
  if (typeof from !== "object" || from === null) {
    throw new TypeError('from must be "start", "now" or { after: position }');
  }
  checkNumber("from.after", from.after);
}

/** What to do with a consumer that wants other events than before. */
export type FilterPolicy = "refuse" | "accept" | "rebuild";

/** Checks such a policy. @throws {TypeError} If it is malformed, or the consumer cannot be rebuilt. */
export function checkFilterPolicy(policy: FilterPolicy | undefined, rebuilds: boolean): void {
  const allowed: readonly unknown[] = [
    "refuse",
    "accept",
    undefined,
    ...(rebuilds ? ["rebuild"] : []),
  ];
  if (allowed.includes(policy)) return;
  throw new TypeError(
    'onFilterChange must be "refuse", "accept" or, for a projection with a reset, "rebuild"',
  );
}
