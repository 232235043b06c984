import type {
  Checkpoints,
  ClaimedLane,
  LaneKey,
  Park,
  Progress,
  StreamKey,
} from "../driver/checkpoints.ts";
import { LeaseLostError } from "../errors/consumer.ts";

/** How a pass is doing, as it is written with the checkpoint. */
export interface Standing {
  /** Everything at or below it is handled, or parked. */
  readonly position: number;
  /** Whether nothing succeeds any more. */
  readonly stalled: boolean;
  /** Whether the crashes of before are over. */
  readonly recovered: boolean;
}

/** A lane that is held: its checkpoint, and what is to be written with the next one. */
export class Lease {
  /** What it is written under. */
  readonly epoch: number;
  /** How many streams the consumer had parked when it was taken. */
  readonly parked: number;
  /** Aborts when another worker has taken over: nothing of what is still done here will be committed. */
  readonly signal: AbortSignal;
  readonly #checkpoints: Checkpoints;
  readonly #key: LaneKey;
  readonly #milliseconds: number;
  readonly #standing: () => Standing;
  readonly #lost: AbortController = new AbortController();
  readonly #parks: Map<string, Park> = new Map();
  readonly #waits: Map<string, Park> = new Map();
  readonly #frees: Map<string, StreamKey> = new Map();
  #position: number;
  #released = false;
  #saving: Promise<unknown> = Promise.resolve();

  constructor(
    checkpoints: Checkpoints,
    key: LaneKey,
    { position, epoch, parked }: ClaimedLane,
    milliseconds: number,
    standing: () => Standing,
  ) {
    this.#checkpoints = checkpoints;
    this.#key = key;
    this.#position = position;
    this.epoch = epoch;
    this.parked = parked;
    this.#milliseconds = milliseconds;
    this.#standing = standing;
    this.signal = this.#lost.signal;
  }

  /** The checkpoint, as it was last written. */
  get position(): number {
    return this.#position;
  }

  /** Whether it was given up. */
  get released(): boolean {
    return this.#released;
  }

  /** Notes that a stream is parked from now on, or goes on elsewhere. */
  park(park: Park): void {
    this.#parks.set(keyOf(park), park);
    this.#frees.delete(keyOf(park));
  }

  /** Notes that the checkpoint will pass an event of a parked stream. */
  wait(event: Park): void {
    if (!this.#waits.has(keyOf(event))) this.#waits.set(keyOf(event), event);
  }

  /** Notes that a stream is parked no more. */
  free(stream: StreamKey): void {
    this.#parks.delete(keyOf(stream));
    this.#frees.set(keyOf(stream), stream);
  }

  /**
   * Says what is to be written.
   *
   * @param keep Whether the lease is to go on.
   * @param changed What is different by then.
   */
  progress(
    keep: boolean,
    changed: { readonly position?: number; readonly park?: Park } = {},
  ): Progress {
    const parks = new Map(this.#parks);
    if (changed.park !== undefined) parks.set(keyOf(changed.park), changed.park);
    const waits = [...this.#waits].filter(([key]) => !parks.has(key) && !this.#frees.has(key));
    const standing = this.#standing();
    return {
      ...standing,
      ...(changed.position !== undefined && { position: changed.position }),
      lease: keep ? this.#milliseconds : undefined,
      // A lease is renewed while a handler runs, too, that will kill the process: only a pass that ends has survived.
      recovered: !keep && standing.recovered,
      parks: [...parks.values()],
      waits: waits.map(([, wait]) => wait),
      frees: [...this.#frees.values()],
    };
  }

  /** Writes progress through a session's checkpoints: those of a handler's transaction, or the driver's own. */
  async write(checkpoints: Checkpoints, progress: Progress): Promise<void> {
    if (!(await checkpoints.advance(this.#key, this.epoch, progress))) throw this.#lose();
  }

  /** Checks inside a transaction that the lease is still held; the transaction is given up after so many milliseconds. */
  async check(checkpoints: Checkpoints, patience: number): Promise<void> {
    if (!(await checkpoints.check(this.#key, this.epoch, patience))) throw this.#lose();
  }

  /** Notes that progress was committed. */
  written({ position, lease, parks, waits, frees }: Progress): void {
    this.#position = Math.max(this.#position, position);
    this.#released = lease === undefined;
    for (const park of parks) {
      if (this.#parks.get(keyOf(park)) === park) this.#parks.delete(keyOf(park));
    }
    for (const wait of waits) this.#waits.delete(keyOf(wait));
    for (const free of frees) {
      if (this.#frees.get(keyOf(free)) === free) this.#frees.delete(keyOf(free));
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
    if (!this.#released) this.#lost.abort(error);
    return error;
  }
}

/** Tells streams apart, of whichever tenant. */
export function keyOf({ tenantId, streamId }: StreamKey): string {
  return `${tenantId}\0${streamId}`;
}
