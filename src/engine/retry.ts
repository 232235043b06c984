import { checkNumber, checkObject } from "../errors/check.ts";
import { isEventSourceryError } from "../errors/guard.ts";

/**
 * Options of retries. Times are the database's clock: the store's `clock` dates events, not retries.
 *
 * @category Consumers
 */
export interface RetryOptions {
  /**
   * How often an event is tried before it stays parked until `redrive` or `discard`. Failures while nothing else
   * succeeds count as an outage, not as attempts. @default 10
   */
  readonly attempts?: number | undefined;
  /** The pause after the first failure, in milliseconds; it doubles with each. @default 200 */
  readonly minDelay?: number | undefined;
  /** The longest pause, in milliseconds. @default 300000 */
  readonly maxDelay?: number | undefined;
}

/** `RetryOptions` with its defaults filled in. */
export interface Retry {
  readonly attempts: number;
  readonly minDelay: number;
  readonly maxDelay: number;
}

/**
 * Completes retry options.
 *
 * @throws {TypeError | RangeError} If one is malformed or out of range.
 */
export function readRetry(options: RetryOptions = {}): Retry {
  checkObject("retry", options);
  const { attempts = 10, minDelay = 200, maxDelay = 300_000 } = options;
  checkNumber("retry.attempts", attempts, 1);
  checkNumber("retry.minDelay", minDelay);
  checkNumber("retry.maxDelay", maxDelay, minDelay);
  return { attempts, minDelay, maxDelay };
}

/**
 * Returns the pause after a number of failures, in milliseconds: half of it random, so that workers do not synchronise;
 * and no less than the last failure asks for.
 */
export function backoff({ minDelay, maxDelay }: Retry, failures: number, error?: unknown): number {
  const delay = Math.min(maxDelay, minDelay * 2 ** Math.min(failures - 1, 50));
  const least = isEventSourceryError(error, "RETRY_LATER") ? error.delay : 0;
  return Math.max(delay / 2 + Math.random() * delay / 2, least);
}
