import type {
  Checkpoints,
  ClaimedLane,
  LaneKey,
  LaneState,
  ParkedEntry,
  Progress,
  StreamKey,
} from "../driver/checkpoints.ts";
import { LeaseLostError } from "../errors/consumer.ts";

/** The state of a pass that is written with the checkpoint. */
interface LeaseState {
  /** Everything at or below it is handled, or parked. */
  readonly position: number;
  /** Whether nothing succeeds any more. */
  readonly stalled: boolean;
  /** Whether the crashes of before are over. */
  readonly recovered: boolean;
}

/** The lease of a lane: its checkpoint, and what is to be written with the next one. */
export class Lease {
  /** The epoch that everything is written under. */
  readonly epoch: number;
  /** How many streams the consumer had parked when it was taken. */
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

  /** The checkpoint, as it was last written. */
  get position(): number {
    return this.#position;
  }

  /** Whether it was given up. */
  get released(): boolean {
    return this.#ended;
  }

  /** Notes that a stream is parked from now on, or at another event. */
  park(park: ParkedEntry): void {
    this.#parked.set(keyOf(park), park);
    this.#released.delete(keyOf(park));
  }

  /** Notes that the checkpoint will pass an event of a parked stream. */
  wait(event: ParkedEntry): void {
    if (!this.#deferred.has(keyOf(event))) this.#deferred.set(keyOf(event), event);
  }

  /** Notes that a stream is no longer parked. */
  release(stream: StreamKey): void {
    this.#parked.delete(keyOf(stream));
    this.#released.set(keyOf(stream), stream);
  }

  /**
   * Returns what is to be written.
   *
   * @param keep Whether the lease is kept.
   * @param changed What will have changed by then.
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
      // A lease is renewed while a handler runs, too, that will kill the process: only a pass that ends has survived.
      recovered: !keep && state.recovered,
      parked: [...parked.values()],
      deferred: deferred.map(([, wait]) => wait),
      released: [...this.#released.values()],
    };
  }

  /** Writes progress through a session's checkpoints: those of a handler's transaction, or the driver's own. */
  async write(checkpoints: Checkpoints, progress: Progress): Promise<void> {
    if (!(await checkpoints.advance(this.#key, this.epoch, progress))) throw this.#lose();
  }

  /** Checks inside a transaction that the lease is still held; the database may end it after `limit` idle milliseconds. */
  async check(checkpoints: Checkpoints, limit: number): Promise<void> {
    if (!(await checkpoints.check(this.#key, this.epoch, limit))) throw this.#lose();
  }

  /** Notes that progress was committed. */
  written({ position, lease, parked, deferred, released }: Progress): void {
    this.#position = Math.max(this.#position, position);
    this.#ended = lease === undefined;
    for (const park of parked) {
      if (this.#parked.get(keyOf(park)) === park) this.#parked.delete(keyOf(park));
    }
    for (const wait of deferred) this.#deferred.delete(keyOf(wait));
    for (const free of released) {
      if (this.#released.get(keyOf(free)) === free) this.#released.delete(keyOf(free));
    }
  }

  /** Writes the progress by itself; one write at a time. */
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
 * Notices lanes whose worker seems to have vanished: it holds the lease, but has not renewed it for longer than a living
 * one would take.
 */
export class LeaseWatch {
  readonly #overdue: number;
  readonly #held: Map<number, HeldLane> = new Map();

  /** @param lease The length of a lease, in milliseconds; a worker renews it after each third. */
  constructor(lease: number) {
    this.#overdue = lease * 0.4;
  }

  /**
   * Compares the lanes with what they were before.
   *
   * @param states All lanes, while this worker holds none of them.
   * @returns Those to report: each once, until its lease has another owner.
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

/** Returns a key for a stream, which differs between tenants. */
export function keyOf({ tenantId, streamId }: StreamKey): string {
  return `${tenantId}\0${streamId}`;
}
