import type { ConsumerKey, StreamKey } from "./keys.ts";

/**
 * The progress of a lane, which is written under its lease.
 *
 * @category Drivers
 */
export interface Progress {
  /**
   * The checkpoint: everything at or below it was handled or is parked. One below the stored checkpoint changes
   * nothing.
   */
  readonly position: number;
  /** The length of the renewed lease, in milliseconds from now; undefined releases it. */
  readonly lease: number | undefined;
  /** Whether nothing succeeds at present. */
  readonly stalled: boolean;
  /** Whether `crashes` is set back to 0. */
  readonly recovered: boolean;
  /** Streams to park, or parked ones that move to another event or number of attempts. */
  readonly parked: readonly ParkedEntry[];
  /** Parked streams that have events at or below the checkpoint: parked again if they were removed meanwhile. */
  readonly deferred: readonly ParkedEntry[];
  /** Streams that are no longer parked. */
  readonly released: readonly StreamKey[];
}

/**
 * A stream to be parked.
 *
 * @category Drivers
 */
export interface ParkedEntry extends StreamKey {
  /** The stream's slot. */
  readonly slot: number;
  /** The position of the event that is tried next. */
  readonly position: number;
  /** The number of attempts at that event so far. */
  readonly attempts: number;
  /** When it is retried, in milliseconds from now; undefined if it is not retried automatically. */
  readonly delay: number | undefined;
  /** The error of the last attempt, without event data; undefined if none has failed. */
  readonly error: string | undefined;
}

/**
 * A parked stream as a driver returns it.
 *
 * @category Drivers
 */
export interface StoredParking extends StreamKey {
  /** The position of the event that failed. */
  readonly position: number;
  /** The number of attempts at it so far. */
  readonly attempts: number;
  /** When it is due, in milliseconds from now (0 or less: now); undefined if it is not retried automatically. */
  readonly delay: number | undefined;
  /** The error of the last attempt; undefined if none has failed. */
  readonly error: string | undefined;
  /** When the entry was last parked: text or a number that `new Date` reads. */
  readonly failedAt: string | number;
}

/**
 * Asks for a page of the parked streams of a consumer.
 *
 * @category Drivers
 */
export interface ParkedQuery {
  /** The consumer; one that does not exist has no parked streams. */
  readonly consumer: ConsumerKey;
  /** Only streams that come after this one; from the first if undefined. */
  readonly after: StreamKey | undefined;
  /** The greatest number of streams wanted. */
  readonly limit: number;
}
