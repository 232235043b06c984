/**
 * Where consumers keep how far they have got: the part of the driver seam that is theirs.
 *
 * A consumer has lanes (partitions), each with a checkpoint of its own. The worker of a lane holds its lease and writes
 * under the lease's epoch: a write under an older epoch changes nothing. Time is the database's, never a worker's.
 */
export interface Checkpoints {
  /**
   * Registers a consumer with all its lanes; does nothing where it exists. Safe when many call it at the same time.
   *
   * @returns Its definition: the given one, or the one that is stored.
   */
  register(consumer: ConsumerKey, definition: ConsumerDefinition): Promise<ConsumerDefinition>;

  /**
   * Takes the lease of a lane if it is free, has run out, or is the owner's own: an owner that asks again has lost an
   * answer and has not vanished.
   *
   * @param owner The worker's name; no two workers share one.
   * @param lease How long it is held, in milliseconds.
   * @returns The lane; undefined where another worker holds it, or it does not exist.
   */
  claim(lane: LaneKey, owner: string, lease: number): Promise<ClaimedLane | undefined>;

  /**
   * Checks inside a transaction that the lease is still held, and keeps it held until the transaction ends: no other
   * worker claims or moves the lane meanwhile. The database may end the transaction once it has idled, or has run one
   * statement, for longer than any handler takes, so that a frozen worker does not block its successor for ever.
   *
   * @param limit How long that is, in milliseconds.
   */
  check(lane: LaneKey, epoch: number, limit: number): Promise<boolean>;

  /**
   * Writes progress under a lease: all of it, or nothing where the lease was released or the lane has another epoch.
   *
   * @returns Whether it was written.
   */
  advance(lane: LaneKey, epoch: number, progress: Progress): Promise<boolean>;

  /** Lists the lanes of a consumer by number; empty where it does not exist. */
  lanes(consumer: ConsumerKey): Promise<readonly LaneState[]>;

  /** Lists the parked streams of a consumer, or those of one lane, by position. */
  parked(consumer: ConsumerKey, lane?: LaneFilter): Promise<readonly StoredParking[]>;

  /**
   * Makes parked streams due now, as if they had never been tried.
   *
   * @param stream Which; all when left out.
   * @returns How many.
   */
  redrive(consumer: ConsumerKey, stream?: StreamKey): Promise<number>;

  /**
   * Moves a parked stream past its failing event, or past all that waited behind it when this was called, and makes it
   * due. The event that it then waits for has not failed: it cannot be discarded individually until it has.
   *
   * @returns Whether there was one.
   */
  discard(consumer: ConsumerKey, stream: StreamKey, all: boolean): Promise<boolean>;

  /** Sets all lanes to a position, removes what is parked and ends every lease: the workers' writes are refused. */
  rewind(consumer: ConsumerKey, position: number): Promise<void>;

  /**
   * Gives a consumer a new definition, and as many new lanes, all at one position, if its lanes have these epochs.
   *
   * @returns Whether it was done.
   */
  redefine(
    consumer: ConsumerKey,
    epochs: readonly number[],
    definition: ConsumerDefinition,
  ): Promise<boolean>;

  /**
   * Replaces the filter of a consumer.
   *
   * @returns Whether it was another one before; inside a transaction, no other caller changes it until that ends.
   */
  refilter(consumer: ConsumerKey, filter: string): Promise<boolean>;

  /**
   * Lists the consumers that have a parked stream which is due, a lease that has run out, or a stored failure.
   *
   * @param seen The consumers that run in this process, whose `seenAt` becomes now in the same round trip; those that
   * do not exist are passed over. @default none
   */
  due(seen?: readonly ConsumerKey[]): Promise<readonly ConsumerKey[]>;

  /**
   * Stores the error that ended a run of the consumer, or removes it; does nothing where the consumer does not exist.
   * A driver without it shows no `error` in the status.
   */
  setFailure?(consumer: ConsumerKey, failure: ConsumerFailure | undefined): Promise<void>;

  /**
   * Lists the consumers of the database by scope, name and version. A driver without it serves neither `consumers()` nor
   * `forgetConsumer()`.
   *
   * @param only What must be equal. @default all of them
   */
  list?(only?: Partial<ConsumerKey>): Promise<readonly ConsumerState[]>;

  /**
   * Removes a consumer with its checkpoints and parked streams, unless a worker holds the lease of a lane.
   *
   * @returns What was found; it is gone unless it is `"leased"`.
   */
  forget?(consumer: ConsumerKey): Promise<"forgotten" | "leased" | "unknown">;
}

/** Which consumer. */
export interface ConsumerKey {
  /** `all`, or `tenant:` and the tenant whose events it sees. */
  readonly scope: string;
  /** Its name. */
  readonly name: string;
  /** Its version: each has checkpoints of its own. */
  readonly version: number;
}

/** One lane of a consumer. */
export interface LaneKey extends ConsumerKey {
  /** From 0. */
  readonly lane: number;
}

/** A stream of a tenant. */
export interface StreamKey {
  /** Whose stream it is. */
  readonly tenantId: string;
  /** The stream. */
  readonly streamId: string;
}

/** The streams of a lane: those whose slot leaves the lane's number when divided by the number of lanes. */
export interface LaneFilter {
  /** From 0. */
  readonly lane: number;
  /** How many lanes there are. */
  readonly lanes: number;
}

/** What is stored of a consumer when it is registered. */
export interface ConsumerDefinition {
  /** How many lanes it has. */
  readonly lanes: number;
  /** Which events it wants, as text that is compared. */
  readonly filter: string;
  /** Where its lanes begin: the position of the last event that it does not want. */
  readonly position: number;
}

/** A lane that was claimed. */
export interface ClaimedLane {
  /** Its checkpoint. */
  readonly position: number;
  /** What to write under. */
  readonly epoch: number;
  /** How often in a row its owner vanished without releasing it. */
  readonly crashes: number;
  /** How many streams the consumer has parked, in all its lanes. */
  readonly parked: number;
  /** Whether a failure is stored, see `setFailure`: a worker whose pass succeeds removes it. @default false */
  readonly failed?: boolean | undefined;
}

/** Where a lane is. */
export interface LaneState {
  /** Its number, from 0. */
  readonly lane: number;
  /** Its checkpoint. */
  readonly position: number;
  /** The epoch of its last lease. */
  readonly epoch: number;
  /** The worker that holds the lease; undefined where none does. */
  readonly owner: string | undefined;
  /** Until when, unless it is renewed: text or a number that `new Date` reads; undefined where no worker holds it. */
  readonly leasedUntil?: string | number | undefined;
  /** How often in a row its owner vanished without releasing it. @default 0 */
  readonly crashes?: number | undefined;
  /** Whether nothing succeeded any more when it was last worked on. */
  readonly stalled: boolean;
}

/** An error that ended a run of a consumer. */
export interface ConsumerFailure {
  /** Its `code`, such as `"FILTER_MISMATCH"`. */
  readonly code: string;
  /** Its message, which holds no event data. */
  readonly message: string;
}

/** What the database knows of a consumer. */
export interface ConsumerState extends ConsumerKey {
  /** Which events it wants, as text that is compared. */
  readonly filter: string;
  /** Its lanes, by number. */
  readonly lanes: readonly LaneState[];
  /** How many streams have a retry that becomes due by itself. */
  readonly retrying: number;
  /** How many streams wait for `redrive` or `discard`. */
  readonly parked: number;
  /** When a process that runs it was last seen, as `new Date` reads it; undefined where none ever was. */
  readonly seenAt: string | number | undefined;
  /** The error that ended a run, until a pass succeeds; undefined where there is none. */
  readonly failure: ConsumerFailure | undefined;
}

/** What is written under a lease. */
export interface Progress {
  /** The checkpoint: everything at or below it was handled, or is parked. A lower one than there is changes nothing. */
  readonly position: number;
  /** For how long the lease goes on, in milliseconds from now; undefined releases it. */
  readonly lease: number | undefined;
  /** Whether nothing succeeds any more. */
  readonly stalled: boolean;
  /** Whether the crashes are over. */
  readonly recovered: boolean;
  /** Streams that are parked from now on, or go on from another event or with other attempts. */
  readonly parked: readonly ParkedEntry[];
  /** Streams that are parked and have events at or below the checkpoint: parked again where they were removed meanwhile. */
  readonly deferred: readonly ParkedEntry[];
  /** Streams that are parked no more. */
  readonly released: readonly StreamKey[];
}

/** A stream to be parked. */
export interface ParkedEntry extends StreamKey {
  /** The stream's slot. */
  readonly slot: number;
  /** The position of the event that it waits to be tried from. */
  readonly position: number;
  /** How often that event was tried. */
  readonly attempts: number;
  /** When it is due, in milliseconds from now; undefined for never by itself. */
  readonly delay: number | undefined;
  /** What went wrong, without any data; undefined where nothing did. */
  readonly error: string | undefined;
}

/** A parked stream. */
export interface StoredParking extends StreamKey {
  /** The position of the event that failed. */
  readonly position: number;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is due, in milliseconds from now (0 or less: it is); undefined for never by itself. */
  readonly delay: number | undefined;
  /** What went wrong. */
  readonly error: string | undefined;
  /** When it went wrong: text that `new Date` reads. */
  readonly failedAt: string | number;
}
