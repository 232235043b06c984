/**
 * Where consumers keep how far they have got: the part of the driver seam that is theirs.
 *
 * A consumer is made of lanes, each with a checkpoint of its own. Whoever works on a lane holds its lease, and writes
 * under the lease's epoch: a write of an older epoch changes nothing. Time is the database's, never a worker's.
 */
export interface Checkpoints {
  /**
   * Makes a consumer known, with all its lanes; does nothing where it is known. Safe when many call it at once.
   *
   * @param definition What it is made with.
   * @returns What it was made with, then or now.
   */
  register(consumer: ConsumerKey, definition: ConsumerDefinition): Promise<ConsumerDefinition>;

  /**
   * Takes the lease of a lane, if it is free, has run out, or is the owner's own: an owner who asks again has lost an
   * answer, and has not vanished.
   *
   * @param owner Who takes it; no two workers share a name.
   * @param lease How long it is held, in milliseconds.
   * @returns The lane; undefined where it is held by another, or nobody made it known.
   */
  claim(lane: LaneKey, owner: string, lease: number): Promise<ClaimedLane | undefined>;

  /**
   * Checks inside a transaction that the lease is still held, and makes that so until the transaction ends: nobody else
   * claims the lane or moves it meanwhile. The database may end the transaction once it has idled, or been at one
   * statement, for longer than any handler takes, so that a frozen worker does not hold what its successor needs for ever.
   *
   * @param patience How long that is, in milliseconds.
   */
  check(lane: LaneKey, epoch: number, patience: number): Promise<boolean>;

  /**
   * Writes progress under a lease: all of it, or nothing where the lease was released or the lane has another epoch.
   *
   * @returns Whether it was written.
   */
  advance(lane: LaneKey, epoch: number, progress: Progress): Promise<boolean>;

  /** Tells where the lanes of a consumer are, by number; empty where it is not known. */
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
   * due. The event that it then waits for has not failed: it is no more to be discarded by itself until it does.
   *
   * @returns Whether there was one.
   */
  discard(consumer: ConsumerKey, stream: StreamKey, all: boolean): Promise<boolean>;

  /** Sets all lanes to a position, forgets what is parked, and ends every lease: the workers' writes are refused. */
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

  /** Says which events the consumer wants from now on. */
  refilter(consumer: ConsumerKey, filter: string): Promise<void>;

  /** Lists the consumers that have a parked stream which is due, or a lease that has run out. */
  due(): Promise<readonly ConsumerKey[]>;
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

/** What a consumer is made with. */
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
}

/** Where a lane is. */
export interface LaneState {
  /** Its number, from 0. */
  readonly lane: number;
  /** Its checkpoint. */
  readonly position: number;
  /** The epoch of its last lease. */
  readonly epoch: number;
  /** Who holds the lease; undefined where nobody does. */
  readonly owner: string | undefined;
  /** Whether nothing succeeded any more when it was last worked on. */
  readonly stalled: boolean;
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
  /** Streams that are parked and have events at or below the checkpoint: parked anew where somebody removed them. */
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
