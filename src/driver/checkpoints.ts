import type { ConsumerKey, LaneFilter, LaneKey, StreamKey } from "./keys.ts";
import type { ParkedQuery, Progress, StoredGroup, StoredParking } from "./progress.ts";

/**
 * Stores the progress of consumers: checkpoints, leases and parked streams.
 *
 * A consumer has lanes (partitions), each with a checkpoint of its own. The worker of a lane holds its lease and writes
 * under the lease's epoch: a write under an older epoch changes nothing. Time is the database's, never a worker's.
 *
 * @category Drivers
 */
export interface Checkpoints {
  /**
   * Registers a consumer with all its lanes; does nothing if it exists. Safe under concurrent calls.
   *
   * @returns The stored definition: the given one, or that of the first call.
   */
  register(consumer: ConsumerKey, definition: ConsumerDefinition): Promise<ConsumerDefinition>;

  /**
   * Takes the lease of a lane if it is free, has run out, or is held by this owner: an owner that claims again has lost
   * a response, and has not crashed.
   *
   * @param owner The worker's name; no two workers share one.
   * @param lease The length of the lease, in milliseconds.
   * @returns The lane; undefined if another worker holds it, or it does not exist.
   */
  claim(lane: LaneKey, owner: string, lease: number): Promise<ClaimedLane | undefined>;

  /**
   * Checks inside a transaction that the lease is still held, and keeps it held until the transaction ends: no other
   * worker claims or moves the lane meanwhile. The database may end the transaction once it has idled, or has run one
   * statement, for longer than `limit`, so that a frozen worker does not block its successor for ever.
   *
   * @param limit Longer than any handler takes, in milliseconds.
   * @returns Whether the lease is held under the epoch.
   */
  check(lane: LaneKey, epoch: number, limit: number): Promise<boolean>;

  /**
   * Writes progress under a lease: all of it, or nothing if the lease was released or the lane has another epoch.
   *
   * @returns Whether it was written.
   */
  advance(lane: LaneKey, epoch: number, progress: Progress): Promise<boolean>;

  /** Lists the lanes of a consumer by number; empty if it does not exist. */
  lanes(consumer: ConsumerKey): Promise<readonly LaneState[]>;

  /** Lists the parked streams of a consumer, or those of one lane, by position. */
  parked(consumer: ConsumerKey, lane?: LaneFilter): Promise<readonly StoredParking[]>;
  /**
   * Lists a page of the parked streams of a consumer by tenant and stream id, in the order of their UTF-8 bytes. A
   * driver that lacks it does not support `Inspector.parked`.
   */
  parkedPage?(query: ParkedQuery): Promise<readonly StoredParking[]>;

  /**
   * Groups the parked streams of a consumer by the fingerprints of their failures, the largest group first, then by
   * fingerprint. A driver that has it keeps fingerprints and has the next two as well; one that lacks it does not
   * support `parkedGroups()`.
   *
   * @param limit The greatest number of groups wanted.
   */
  parkedGroups?(consumer: ConsumerKey, limit: number): Promise<readonly StoredGroup[]>;
  /**
   * Makes streams of a group due now, as `redrive` does, by position; only those that have failed since they were last
   * redriven, so that it can be called again and again.
   *
   * @param limit The greatest number of streams.
   * @returns The number of streams.
   */
  redriveGroup?(consumer: ConsumerKey, fingerprint: string, limit: number): Promise<number>;
  /**
   * Moves streams of a group past their failing events, as `discard` does with one, by position.
   *
   * @param limit The greatest number of streams.
   * @returns The number of streams.
   */
  discardGroup?(consumer: ConsumerKey, fingerprint: string, limit: number): Promise<number>;

  /**
   * Makes parked streams due now, as if they had never been tried, and counts that in `redriven`.
   *
   * @param stream Only this stream. @default all
   * @returns The number of streams.
   */
  redrive(consumer: ConsumerKey, stream?: StreamKey): Promise<number>;

  /**
   * Moves a parked stream past its failing event, or past all that waited behind it when this was called, and makes it
   * due. The event that it then waits for has not failed: it cannot be discarded individually until it has failed.
   *
   * @returns Whether anything was discarded.
   */
  discard(consumer: ConsumerKey, stream: StreamKey, all: boolean): Promise<boolean>;

  /**
   * Sets all lanes to a position, removes its parked streams and ends every lease: writes of earlier owners are
   * refused.
   *
   * @param replay Replaces the `replay` of its definition; only where the driver's capabilities say so. @default kept
   */
  rewind(consumer: ConsumerKey, position: number, replay?: number): Promise<void>;

  /**
   * Replaces the definition of a consumer and its lanes, all at one position, if the present lanes have these epochs.
   *
   * @returns Whether they had.
   */
  redefine(
    consumer: ConsumerKey,
    epochs: readonly number[],
    definition: ConsumerDefinition,
  ): Promise<boolean>;

  /**
   * Replaces the filter of a consumer.
   *
   * @returns Whether it changed; inside a transaction, no other caller can change it until that ends.
   */
  refilter(consumer: ConsumerKey, filter: string): Promise<boolean>;

  /**
   * Lists the consumers that have a due parked stream, a lease that has run out, or a stored failure.
   *
   * @param seen The consumers that run in this process, whose `seenAt` is set to now in the same round trip; those
   * that do not exist are ignored. @default none
   */
  due(seen?: readonly ConsumerKey[]): Promise<readonly ConsumerKey[]>;

  /**
   * Stores the error that ended a run of the consumer, or removes it; does nothing if the consumer does not exist.
   * With a driver that lacks it, the status shows no `error`.
   */
  setFailure?(consumer: ConsumerKey, failure: ConsumerFailure | undefined): Promise<void>;

  /**
   * Lists the consumers of the database by scope, name and version. A driver that lacks it does not support
   * `consumers()`.
   *
   * @param only Only consumers with these values. @default all
   */
  list?(only?: Partial<ConsumerKey>): Promise<readonly ConsumerState[]>;

  /**
   * Removes a consumer with its checkpoints and parked streams, unless a worker holds the lease of a lane. A driver
   * that lacks it does not support `forgetConsumer()`.
   *
   * @returns `"unknown"` if it did not exist, `"leased"` if a worker holds a lane: nothing was removed then.
   */
  forget?(consumer: ConsumerKey): Promise<"forgotten" | "leased" | "unknown">;
}

/**
 * The definition of a consumer, stored when it is registered.
 *
 * @category Drivers
 */
export interface ConsumerDefinition {
  /** Its number of lanes. */
  readonly lanes: number;
  /** The filter of its events, as text that is compared. */
  readonly filter: string;
  /** The position that its lanes start from: it handles only later events. */
  readonly position: number;
  /**
   * The head of the log when it was registered, or last set back: events up to there are history to it. Kept only where
   * the driver's capabilities say so; `redefine` leaves it as it is. @default 0
   */
  readonly replay?: number | undefined;
}

/**
 * A lane that was claimed.
 *
 * @category Drivers
 */
export interface ClaimedLane {
  /** Its checkpoint. */
  readonly position: number;
  /** The epoch of the lease, under which the owner writes. */
  readonly epoch: number;
  /** How often in a row its owner vanished without releasing it. */
  readonly crashes: number;
  /** The number of streams that the consumer has parked, in all its lanes. */
  readonly parked: number;
  /** Whether a failure is stored, see `setFailure`: a worker whose pass succeeds removes it. @default false */
  readonly failed?: boolean | undefined;
}

/**
 * The state of a lane.
 *
 * @category Drivers
 */
export interface LaneState {
  /** The lane's number, from 0. */
  readonly lane: number;
  /** Its checkpoint. */
  readonly position: number;
  /** The epoch of its last lease. */
  readonly epoch: number;
  /** The worker that holds the lease; undefined if none does. */
  readonly owner: string | undefined;
  /**
   * When the lease runs out unless it is renewed: text or a number that `new Date` reads; undefined if it is not held.
   */
  readonly leasedUntil?: string | number | undefined;
  /** How often in a row its owner vanished without releasing it. @default 0 */
  readonly crashes?: number | undefined;
  /** Whether the last pass ended because nothing succeeded. */
  readonly stalled: boolean;
}

/**
 * An error that ended a run of a consumer.
 *
 * @category Drivers
 */
export interface ConsumerFailure {
  /** Its `code`, such as `"FILTER_MISMATCH"`. */
  readonly code: string;
  /** Its message, which holds no event data. */
  readonly message: string;
}

/**
 * The stored state of a consumer.
 *
 * @category Drivers
 */
export interface ConsumerState extends ConsumerKey {
  /** The filter of its events, as text that is compared. */
  readonly filter: string;
  /** Its lanes, by number. */
  readonly lanes: readonly LaneState[];
  /** The number of parked streams that are retried automatically. */
  readonly retrying: number;
  /** The number of parked streams that wait for `redrive` or `discard`. */
  readonly parked: number;
  /** The last sign of life of a process that runs it, as `new Date` reads it; undefined if there never was one. */
  readonly seenAt: string | number | undefined;
  /** The error that ended a run, until a pass succeeds; undefined if there is none. */
  readonly failure: ConsumerFailure | undefined;
}
