import type { Checkpoints, ClaimedLane, LaneState } from "../driver/checkpoints.ts";
import type { LaneKey, StreamKey } from "../driver/keys.ts";
import type { ParkedEntry, Progress } from "../driver/progress.ts";
import { LeaseLostError } from "../errors/consumer.ts";

/** The state of a pass that is written with the checkpoint. */
interface LeaseState {
  /** The checkpoint: everything at or below it is handled or parked. */
  readonly position: number;
  /** Whether nothing succeeds at present. */
  readonly stalled: boolean;
  /** Whether the lane has recovered from earlier crashes. */
  readonly recovered: boolean;
}

/** The lease of a lane: its checkpoint, and the changes of parked streams that the next checkpoint writes. */
export class Lease {
  /** The fencing token: writes under an older epoch are refused. */
  readonly epoch: number;
  /** The number of streams that the consumer had parked when the lease was taken. */
  readonly parked: number;
  /** Aborts when another worker has taken over: no further work here can commit. */
  readonly signal: AbortSignal;
  readonly #checkpoints: Checkpoints;
  readonly #key: LaneKey;
  readonly #milliseconds: number;
  readonly #state: () => LeaseState;
  readonly #lost: AbortController = new AbortController();
  readonly #parked: Map<string, ParkedEntry> = new Map();
  readonly #deferred: Map<string, ParkedEntry> = new Map();
  readonly #released: Map<string, StreamKey> = new Map();
  #position: number;
  #ended = false;
  #saving: Promise<unknown> = Promise.resolve();

  constructor(
    checkpoints: Checkpoints,
    key: LaneKey,
    { position, epoch, parked }: ClaimedLane,
    milliseconds: number,
    state: () => LeaseState,
  ) {
    this.#checkpoints = checkpoints;
    this.#key = key;
    this.#position = position;
    this.epoch = epoch;
    this.parked = parked;
    this.#milliseconds = milliseconds;
    this.#state = state;
    this.signal = this.#lost.signal;
  }

  /** The checkpoint as last written. */
  get position(): number {
    return this.#position;
  }

  /** Whether this worker has released it. */
  get released(): boolean {
    return this.#ended;
  }

  /** Records that a stream is parked, or moved to another event. */
  park(entry: ParkedEntry): void {
    this.#parked.set(keyOf(entry), entry);
    this.#released.delete(keyOf(entry));
  }

  /** Records that the checkpoint will pass an event of a parked stream. */
  defer(entry: ParkedEntry): void {
    if (!this.#deferred.has(keyOf(entry))) this.#deferred.set(keyOf(entry), entry);
  }

  /** Records that a stream is no longer parked. */
  release(stream: StreamKey): void {
    this.#parked.delete(keyOf(stream));
    this.#released.set(keyOf(stream), stream);
  }

  /**
   * Returns the progress to write.
   *
   * @param keep Whether the lease is kept.
   * @param changed Changes that take effect only with this write.
   */
  progress(
    keep: boolean,
    changed: { readonly position?: number; readonly park?: ParkedEntry } = {},
  ): Progress {
    const parked = new Map(this.#parked);
    if (changed.park !== undefined) parked.set(keyOf(changed.park), changed.park);
    const deferred = [...this.#deferred].filter(([key]) =>
      !parked.has(key) && !this.#released.has(key)
    );
    const state = this.#state();
    return {
      ...state,
      ...(changed.position !== undefined && { position: changed.position }),
      lease: keep ? this.#milliseconds : undefined,
      // A lease is also renewed while a handler runs that will crash the process: only a pass that ends has recovered.
      recovered: !keep && state.recovered,
      parked: [...parked.values()],
      deferred: deferred.map(([, entry]) => entry),
      released: [...this.#released.values()],
    };
  }

  /** Writes progress through a session's checkpoints: those of a handler's transaction, or the driver's own. */
  async write(checkpoints: Checkpoints, progress: Progress): Promise<void> {
    if (!(await checkpoints.advance(this.#key, this.epoch, progress))) throw this.#lose();
  }

  /**
   * Checks inside a transaction that the lease is still held; the database may end it after `limit` idle milliseconds.
   */
  async check(checkpoints: Checkpoints, limit: number): Promise<void> {
    if (!(await checkpoints.check(this.#key, this.epoch, limit))) throw this.#lose();
  }

  /** Records that progress was committed. */
  written({ position, lease, parked, deferred, released }: Progress): void {
    this.#position = Math.max(this.#position, position);
    this.#ended = lease === undefined;
    for (const entry of parked) {
      if (this.#parked.get(keyOf(entry)) === entry) this.#parked.delete(keyOf(entry));
    }
    for (const entry of deferred) this.#deferred.delete(keyOf(entry));
    for (const stream of released) {
      if (this.#released.get(keyOf(stream)) === stream) this.#released.delete(keyOf(stream));
    }
  }

  /** Writes the progress outside of a handler's transaction; one write at a time. */
  async save(keep: boolean): Promise<void> {
    const saving = this.#saving.then(async () => {
      const progress = this.progress(keep);
      await this.write(this.#checkpoints, progress);
      this.written(progress);
    });
    this.#saving = saving.catch(() => {});
    await saving;
  }

  #lose(): LeaseLostError {
    const error = new LeaseLostError(this.#key.name);
    if (!this.#ended) this.#lost.abort(error);
    return error;
  }
}

/**
 * Detects lanes whose worker seems to have vanished: it holds the lease, but has not renewed it for longer than a live
 * worker would take.
 */
export class LeaseWatch {
  readonly #overdue: number;
  readonly #held: Map<number, HeldLane> = new Map();

  /** @param lease The length of a lease, in milliseconds; a worker renews it after each third. */
  constructor(lease: number) {
    this.#overdue = lease * 0.4;
  }

  /**
   * Compares the lanes with the previous call.
   *
   * @param states All lanes, while this worker holds none of them.
   * @returns The lanes to report: each once, until its lease has another owner.
   */
  look(states: readonly LaneState[]): readonly LaneState[] {
    const now = performance.now();
    const vanished: LaneState[] = [];
    for (const state of states) {
      const { lane, owner, leasedUntil } = state;
      const known = this.#held.get(lane);
      if (owner === undefined) this.#held.delete(lane);
      else if (known?.owner !== owner || known.leasedUntil !== leasedUntil) {
        const reported = known?.owner === owner && known.reported;
        this.#held.set(lane, { owner, leasedUntil, since: now, reported });
      } else if (!known.reported && now - known.since > this.#overdue) {
        this.#held.set(lane, { ...known, reported: true });
        vanished.push(state);
      }
    }
    return vanished;
  }
}

/** A lane that another worker holds, and since when its lease has not been renewed. */
interface HeldLane extends Pick<LaneState, "owner" | "leasedUntil"> {
  readonly since: number;
  readonly reported: boolean;
}

/** Returns a map key for a stream, unique across tenants. */
export function keyOf({ tenantId, streamId }: StreamKey): string {
  return `${tenantId}\0${streamId}`;
}
