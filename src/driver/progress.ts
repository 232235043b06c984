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
  /** What the failures of one kind have in common; kept by a driver that has `parkedGroups`. @default none */
  readonly fingerprint?: string | undefined;
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
  /** The fingerprint of the last failure of this event; undefined if it has not failed, or the driver keeps none. */
  readonly fingerprint?: string | undefined;
  /** When this event failed first, as `failedAt`; undefined in the same cases. */
  readonly firstFailedAt?: string | number | undefined;
  /** How often it was redriven since. @default 0 */
  readonly redriven?: number | undefined;
  /** How many later events its stream has, counted up to 100, in a page of parked streams. @default not counted */
  readonly behind?: number | undefined;
}

/**
 * The parked streams of a consumer whose events failed alike.
 *
 * @category Drivers
 */
export interface StoredGroup {
  /** What they have in common. */
  readonly fingerprint: string;
  /** The number of streams. */
  readonly streams: number;
  /** The number of those that are not retried automatically. */
  readonly waiting: number;
  /** When the first of their events failed first: text or a number that `new Date` reads. */
  readonly firstFailedAt: string | number;
  /** When the last of them failed last, in the same form. */
  readonly failedAt: string | number;
  /** The stream that failed last. */
  readonly latest: StreamKey;
  /** The position of its event. */
  readonly position: number;
  /** Its error; undefined while it is being tried again. */
  readonly error: string | undefined;
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
