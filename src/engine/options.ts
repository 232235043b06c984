import type { RetryOptions } from "./retry.ts";
import { checkNumber } from "../errors/check.ts";
import { slots } from "../event/stream.ts";

/**
 * Options that outboxes, subscriptions and projections have in common.
 *
 * @category Consumers
 */
export interface ConsumerOptions {
  /**
   * The number of streams that are handled at the same time. Only for handlers outside of transactions; transactional
   * ones run in parallel by `lanes`. @default 1
   */
  readonly concurrency?: number | undefined;
  /** The number of events that are read in one page, and at most handed over in one call. @default 500 */
  readonly batchSize?: number | undefined;
  /**
   * The number of partitions: each stream belongs to one, and as many workers can share the consumer; at most 1024.
   * It is stored; `relane` changes it. @default 1
   */
  readonly lanes?: number | undefined;
  /** How often and when a failed event is retried. */
  readonly retry?: RetryOptions | undefined;
  /**
   * The policy for an event that failed as often as `retry` allows: its stream stays parked, or it is skipped. With
   * `"stop"`, the lane stops before it at its first failure already, until it succeeds. A failure counts only if another
   * event succeeded since the last one. @default "park"
   */
  readonly onFailure?: "park" | "skip" | "stop" | undefined;
  /**
   * How long a handler may take, in milliseconds, at most 2^31 - 1; one that takes longer has failed. @default 60000
   */
  readonly timeout?: number | undefined;
  /**
   * How long a worker that vanished keeps its lane, in milliseconds, from 100 to 2^31 - 1; a live one renews it in
   * time.
   * @default 15000
   */
  readonly lease?: number | undefined;
  /**
   * The policy for a consumer that selects other types or categories than before, whose events it has passed over: to
   * refuse with a `FilterMismatchError`, or to accept the new filter from here on. @default "refuse"
   */
  readonly onFilterChange?: "refuse" | "accept" | undefined;
}

/**
 * The start of a new consumer: the first event, after the last existing one, or after a position.
 *
 * @category Consumers
 */
export type ConsumerStart = "start" | "now" | { readonly after: number };

/** Checks a number of lanes. @throws {TypeError | RangeError} If it is not a whole number from 1 to 1024. */
export function checkLanes(lanes: number): void {
  checkNumber("lanes", lanes, 1);
  if (lanes > slots) throw new RangeError(`lanes must be at most ${slots}, got ${lanes}`);
}

/** Checks the start of a consumer. @throws {TypeError | RangeError} If it is malformed. */
export function checkStart(from: ConsumerStart): void {
  if (from === "start" || from === "now") return;
  if (typeof from !== "object" || from === null) {
    throw new TypeError('from must be "start", "now" or { after: position }');
  }
  checkNumber("from.after", from.after);
}

/** The policy for a consumer that selects other events than before. */
export type FilterPolicy = "refuse" | "accept" | "rebuild";

/** Checks a filter policy. @throws {TypeError} If it is malformed, or the consumer cannot be rebuilt. */
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
