import type { ClaimedLane, ParkedEntry } from "../driver/checkpoints.ts";
import type { LogPage, LogQuery, StoredEvent } from "../driver/read.ts";
import type { Event } from "../event/event.ts";
import type { OutageDetector } from "./outage.ts";
import type { PassResult, PassSettings } from "./work.ts";
import { allSettledOrThrow } from "../async/settle.ts";
import { StoreRewoundError } from "../errors/driver.ts";
import { isEventSourceryError } from "../errors/guard.ts";
import { Batch } from "./batch.ts";
import { Delivery } from "./delivery.ts";
import { describe } from "./describe.ts";
import { keyOf, Lease } from "./lease.ts";
import { entryOf, type ParkedCursor, Parking } from "./parking.ts";
import { backoff } from "./retry.ts";

/**
 * One pass over one lane whose lease is held: handles the log batch by batch, tries what was parked and is due after the
 * first, and releases the lease. A batch is done when each of its events is handled, or parked with its stream; then the
 * checkpoint moves on.
 */
export class Pass<E extends Event, Db> {
  readonly #job: PassSettings<E, Db>;
  readonly #lane: number;
  readonly #health: OutageDetector;
  readonly #stop: AbortSignal;
  readonly #lease: Lease;
  readonly #delivery: Delivery<E, Db>;
  readonly #parking: Parking;
  #batch: Batch;
  /** Whether a worker vanished here again and again: then no event runs before its attempt is written. */
  #careful: boolean;
  /** How many more events may be tried although nothing succeeds. */
  #canaries: number;
  #stopped = false;
  #handled = 0;
  #failed = 0;

  /** @param claimed The lane's lease, which the pass writes under. */
  constructor(
    job: PassSettings<E, Db>,
    lane: number,
    claimed: ClaimedLane,
    health: OutageDetector,
    stop: AbortSignal,
  ) {
    this.#job = job;
    this.#lane = lane;
    this.#health = health;
    this.#canaries = health.trials;
    this.#stop = stop;
    this.#batch = new Batch([], claimed.position);
    this.#careful = claimed.crashes > 1;
    this.#lease = new Lease(job.checkpoints, { ...job.key, lane }, claimed, job.lease, () => ({
      position: this.#batch.checkpointAfter(),
      stalled: this.#stalled,
      recovered: !this.#careful,
    }));
    this.#delivery = new Delivery(job, this.#lease);
    this.#parking = new Parking(this.#lease);
  }

  /**
   * Makes the pass.
   *
   * @param asking Asks for the settled position that it goes up to.
   * @param keep Whether the lease is held on to afterwards.
   */
  async run(asking: () => Promise<number>, keep: boolean): Promise<PassResult> {
    const { checkpoints, key, lanes, lease: milliseconds, work } = this.#job;
    const lease = this.#lease;
    // A transaction needs no heartbeat: it holds its lane as long as it is open.
    const beat = () => void (lease.released ? undefined : lease.save(true).catch(() => {}));
    const heart = work.mode === "transaction" ? undefined : setInterval(beat, milliseconds / 3);
    try {
      const until = await asking();
      if (until < lease.position) throw new StoreRewoundError(until, lease.position);
      if (lease.parked > 0) {
        this.#parking.learn(await checkpoints.parked(key, { lane: this.#lane, lanes }));
      }
      await this.#work(until, keep);
      if (!lease.released) await lease.save(keep);
    } catch (error) {
      // What cannot be released runs out by itself.
      if (!lease.released && !lease.signal.aborted) await lease.save(false).catch(() => {});
      if (!isEventSourceryError(error, "LEASE_LOST")) throw error;
    } finally {
      clearInterval(heart);
    }
    if (this.#failed > 0) this.#health.passed();
    return {
      handled: this.#handled,
      failed: this.#failed,
      parked: this.#parking.size,
      position: lease.position,
      due: this.#parking.nextDue,
      failures: this.#stopped ? this.#health.failuresInARow : this.#health.failures,
    };
  }

  async #work(until: number, keep: boolean): Promise<void> {
    const { due } = this.#parking;
    // Some of the log first: where that succeeds, what fails again fails by itself, also in a process that has just begun.
    await this.#step(until, keep || due.length > 0);
    this.#canaries = Math.max(this.#canaries, 1);
    await this.#retry(due);
    while (await this.#step(until, keep));
  }

  /** Handles one more batch; false where there is nothing more to do. */
  async #step(until: number, keep: boolean): Promise<boolean> {
    if (this.#lease.position >= until || !this.#goes) return false;
    const limit = this.#job.batchSize;
    const page = await this.#scan({ after: this.#lease.position, until, limit });
    await this.#handle(page, keep, page.scanned < until);
    return true;
  }

  /** Whether to begin anything more. */
  get #goes(): boolean {
    return !this.#stop.aborted && !this.#lease.released && !this.#stopped &&
      (!this.#health.stalled || this.#canaries > 0);
  }

  get #stalled(): boolean {
    return this.#health.stalled || this.#stopped;
  }

  async #scan(
    query: Pick<LogQuery, "after" | "until" | "limit"> & Partial<LogQuery>,
  ): Promise<LogPage> {
    const { internals, query: filter, lanes } = this.#job;
    const lane = lanes > 1 ? { lane: this.#lane, lanes } : undefined;
    return await internals.shared.driver.scan({ ...filter, lane, ...query });
  }

  /**
   * @param keep Whether the lease is kept in any case.
   * @param more Whether another batch follows, so that the lease is kept if it can be begun.
   */
  async #handle({ events, scanned }: LogPage, keep: boolean, more: boolean): Promise<void> {
    const free: StoredEvent[] = [];
    for (const event of events) {
      if (this.#parking.has(event)) this.#parking.wait(event);
      else free.push(event);
    }
    this.#batch = new Batch(free, scanned);
    const { work, concurrency } = this.#job;
    if (this.#careful) await this.#oneByOne();
    else {
      const { length } = this.#batch.waiting;
      const whole = work.mode !== "each" && !this.#health.stalled && length > 1;
      if (!(whole && await this.#together(keep || more))) {
        const workers = Math.min(concurrency, length);
        await allSettledOrThrow(Array.from({ length: workers }, () => this.#next()));
      }
    }
    if (!this.#lease.released) await this.#lease.save(keep || (more && this.#goes));
  }

  /** Handles event after event, each of a stream that nobody is at. */
  async #next(): Promise<void> {
    while (this.#goes) {
      const event = this.#batch.take();
      if (event === undefined) return;
      try {
        await this.#try(event, 1);
      } catch (error) {
        // The event stays among those that run: what is written of the pass from now on must not pass it.
        this.#stopped = true;
        throw error;
      }
      this.#batch.end(event);
    }
  }

  /** Handles all events of the batch at once; false where that failed, and each has to be tried by itself. */
  async #together(more: boolean): Promise<boolean> {
    const { waiting: events, scanned: position } = this.#batch;
    const progress = () => this.#lease.progress(more, { position });
    const failure = await this.#delivery.deliver(events, 1, progress);
    if (failure !== undefined) return false;
    this.#batch.clear();
    this.#handled += events.length;
    for (const event of events) this.#health.succeeded(keyOf(event));
    return true;
  }

  /** After crashes: each event is parked first, and then tried as what is parked is: with its attempt written before. */
  async #oneByOne(): Promise<void> {
    while (this.#goes) {
      const event = this.#batch.take();
      if (event === undefined) break;
      this.#batch.end(event);
      if (this.#parking.has(event)) {
        this.#parking.wait(event);
        continue;
      }
      const waiting = this.#parking.park(entryOf(event));
      await this.#lease.save(true);
      await this.#drain(waiting);
    }
    this.#careful = this.#batch.waiting.length > 0;
  }

  /** Tries parked streams that are due, each once. */
  async #retry(due: readonly ParkedCursor[]): Promise<void> {
    for (const waiting of due) {
      if (!this.#goes) return;
      await this.#drain(waiting);
    }
  }

  /** Handles the events of a parked stream up to the checkpoint; then it is parked no more. */
  async #drain(waiting: ParkedCursor): Promise<void> {
    const { batchSize: limit, retry } = this.#job;
    const { tenantId, streamId } = waiting;
    let { position: from, attempts } = waiting;
    let first = true;
    const lease = this.#lease;
    while (from <= lease.position) {
      const query = { tenantId, streamId, after: from - 1, until: lease.position, limit };
      const { events, scanned } = await this.#scan(query);
      for (const event of events) {
        if (this.#stop.aborted) return;
        if (first) {
          // It was tried for the last time, and whoever tried it never came back.
          const over = attempts >= retry.attempts;
          if (!over) attempts++;
          const delay = over ? undefined : backoff(retry, attempts);
          this.#parking.park({ ...entryOf(event), attempts, delay });
          await lease.save(true);
          if (over) return;
        }
        const after = { ...entryOf(event), position: event.position + 1 };
        if (!(await this.#try(event, first ? attempts : 1, after))) {
          return await lease.save(true);
        }
        first = false;
      }
      from = scanned + 1;
    }
    this.#parking.release(waiting);
    await lease.save(true);
  }

  /**
   * Handles one event.
   *
   * @param after Where its stream, which is parked, goes on afterwards; undefined where it is not parked.
   * @returns Whether the stream goes on; otherwise it is parked.
   */
  async #try(event: StoredEvent, attempt: number, after?: ParkedEntry): Promise<boolean> {
    if (this.#health.stalled) this.#canaries--;
    const changed = () =>
      after === undefined ? { position: this.#batch.checkpointAfter(event) } : { park: after };
    const progress = () => this.#lease.progress(true, changed());
    const failure = await this.#delivery.deliver([event], attempt, progress);
    if (failure === undefined) {
      this.#handled++;
      this.#health.succeeded(keyOf(event));
    } else if (!this.#skips(event, attempt, failure.error)) return false;
    if (after !== undefined) this.#parking.park(after);
    return true;
  }

  /** Parks the stream of an event that failed, unless the event is to be skipped now. */
  #skips(event: StoredEvent, attempt: number, error: unknown): boolean {
    const { retry, onFailure, report } = this.#job;
    this.#failed++;
    report(error, event);
    const key = keyOf(event);
    const permanent = isEventSourceryError(error, "PERMANENT");
    const counts = permanent || this.#health.failed(key);
    const attempts = counts || attempt === 1 ? attempt : attempt - 1;
    const over = permanent || (counts && attempts >= retry.attempts);
    if (over) this.#health.forget(key);
    if (onFailure === "skip" && over) return true;
    if (onFailure === "stop" && !this.#parking.has(event)) {
      this.#stopped = true;
      this.#batch.putBack(event);
      return false;
    }
    const delay = over ? undefined : backoff(retry, Math.max(attempts, this.#health.times(key)));
    this.#parking.park({ ...entryOf(event), attempts, delay, error: describe(error) });
    for (const later of this.#batch.removeWaiting(key)) this.#parking.wait(later);
    return false;
  }
}
