import type { ClaimedLane, ParkedEntry } from "../driver/checkpoints.ts";
import type { LogPage, LogQuery, StoredEvent } from "../driver/read.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventIdentity } from "./context.ts";
import type { OutageDetector } from "./outage.ts";
import type { PassResult, PassSettings } from "./work.ts";
import { allSettledOrThrow } from "../async/settle.ts";
import { describe } from "../errors/describe.ts";
import { StoreRewoundError } from "../errors/driver.ts";
import { isEventSourceryError } from "../errors/guard.ts";
import { Batch } from "./batch.ts";
import { Delivery } from "./delivery.ts";
import { drain } from "./drain.ts";
import { keyOf, Lease } from "./lease.ts";
import { entryOf, type ParkedCursor, Parking } from "./parking.ts";
import { backoff, type Retry } from "./retry.ts";

/**
 * One pass over one lane whose lease is held: handles the log batch by batch, tries what was parked and is due after the
 * first, and releases the lease. A batch is done when each of its events is handled, or parked with its stream; then the
 * checkpoint moves on.
 */
export class Pass<E extends Event, Db> {
  readonly #settings: PassSettings<E, Db>;
  readonly #lane: number;
  readonly #health: OutageDetector;
  readonly #stop: AbortSignal;
  readonly #lease: Lease;
  readonly #delivery: Delivery<E, Db>;
  readonly #parking: Parking;
  #batch: Batch;
  /** Whether workers have vanished here repeatedly: then no event runs before its attempt is written. */
  #careful: boolean;
  /** How many more events may be tried although nothing succeeds. */
  #trials: number;
  /** Whether the pass stops in front of an event, and for how long to rest then, in milliseconds. */
  #stopped = false;
  #rest: number | undefined;
  #handled = 0;
  #failed = 0;

  /** @param claimed The lane's lease, which the pass writes under. */
  constructor(
    settings: PassSettings<E, Db>,
    lane: number,
    claimed: ClaimedLane,
    health: OutageDetector,
    stop: AbortSignal,
  ) {
    this.#settings = settings;
    this.#lane = lane;
    this.#health = health;
    this.#trials = health.trials;
    this.#stop = stop;
    this.#batch = new Batch([], claimed.position);
    this.#careful = claimed.crashes > 1;
    this.#lease = new Lease(
      settings.checkpoints,
      { ...settings.key, lane },
      claimed,
      settings.lease,
      () => ({
        position: this.#batch.checkpointAfter(),
        stalled: this.#stalled,
        recovered: !this.#careful,
      }),
    );
    this.#delivery = new Delivery(settings, this.#lease);
    this.#parking = new Parking(this.#lease);
  }

  /**
   * Makes the pass.
   *
   * @param target Returns the position to process up to.
   * @param keep Whether the lease is kept afterwards.
   */
  async run(target: () => Promise<number>, keep: boolean): Promise<PassResult> {
    const { checkpoints, key, lanes, lease: milliseconds, work } = this.#settings;
    const lease = this.#lease;
    // A transaction needs no renewal: it holds its lane as long as it is open.
    const renew = () => void (lease.released ? undefined : lease.save(true).catch(() => {}));
    const timer = work.mode === "transaction" ? undefined : setInterval(renew, milliseconds / 3);
    try {
      const until = await target();
      if (until < lease.position) throw new StoreRewoundError(until, lease.position);
      if (lease.parked > 0) {
        this.#parking.learn(await checkpoints.parked(key, { lane: this.#lane, lanes }));
      }
      await this.#work(until, keep);
      if (!lease.released) await lease.save(keep);
    } catch (error) {
      // A lease that cannot be released runs out by itself.
      if (!lease.released && !lease.signal.aborted) await lease.save(false).catch(() => {});
      if (!isEventSourceryError(error, "LEASE_LOST")) throw error;
    } finally {
      clearInterval(timer);
    }
    if (this.#failed > 0) this.#health.passed();
    return {
      handled: this.#handled,
      failed: this.#failed,
      parked: this.#parking.size,
      position: lease.position,
      due: this.#parking.nextDue,
      rest: this.#stopped ? this.#rest : restAfter(this.#health.failures, this.#settings.retry),
    };
  }

  async #work(until: number, keep: boolean): Promise<void> {
    const { due } = this.#parking;
    // Some of the log first: where that succeeds, a retry that fails is the event's own fault, even in a new process.
    await this.#step(until, keep || due.length > 0);
    this.#trials = Math.max(this.#trials, 1);
    await this.#retry(due);
    while (await this.#step(until, keep));
  }

  /** Handles one more batch; false where there is nothing more to do. */
  async #step(until: number, keep: boolean): Promise<boolean> {
    if (this.#lease.position >= until || !this.#goes) return false;
    const limit = this.#settings.batchSize;
    const page = await this.#scan({ after: this.#lease.position, until, limit });
    await this.#handle(page, keep, page.scanned < until);
    return true;
  }

  /** Whether to begin anything more. */
  get #goes(): boolean {
    return !this.#stop.aborted && !this.#lease.released && !this.#stopped &&
      (!this.#health.stalled || this.#trials > 0);
  }

  get #stalled(): boolean {
    return this.#health.stalled || this.#stopped;
  }

  async #scan(
    query: Pick<LogQuery, "after" | "until" | "limit"> & Partial<LogQuery>,
  ): Promise<LogPage> {
    const { internals, query: filter, lanes } = this.#settings;
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
    const { work, concurrency } = this.#settings;
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

  /** Handles event after event, each of a stream with no running event. */
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

  /** Handles all events of the batch together; false where that failed, and each has to be tried by itself. */
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

  async #drain(waiting: ParkedCursor): Promise<void> {
    const { batchSize, retry } = this.#settings;
    await drain({
      ...{ batchSize, retry, stop: this.#stop, lease: this.#lease, parking: this.#parking },
      scan: (query) => this.#scan(query),
      attempt: (event, attempt, after) => this.#try(event, attempt, after),
    }, waiting);
  }

  /**
   * Handles one event.
   *
   * @param after Where its stream, which is parked, goes on afterwards; undefined where it is not parked.
   * @returns Whether the stream goes on; otherwise it is parked.
   */
  async #try(event: StoredEvent, attempt: number, after?: ParkedEntry): Promise<boolean> {
    if (this.#health.stalled) this.#trials--;
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
    const { retry, onFailure } = this.#settings;
    this.#failed++;
    const key = keyOf(event);
    const permanent = isEventSourceryError(error, "PERMANENT");
    const counts = permanent || this.#health.failed(key);
    const attempts = counts || attempt === 1 ? attempt : attempt - 1;
    const over = permanent || (counts && attempts >= retry.attempts);
    if (over) this.#health.forget(key);
    if (onFailure === "skip" && over) {
      this.#report(error, event, attempt, undefined);
      return true;
    }
    if (onFailure === "stop" && !this.#parking.has(event)) {
      this.#stopped = true;
      this.#batch.putBack(event);
      this.#rest = backoff(retry, Math.max(1, this.#health.failuresInARow));
      this.#report(error, event, attempt, this.#rest);
      return false;
    }
    const delay = over ? undefined : backoff(retry, Math.max(attempts, this.#health.times(key)));
    this.#report(error, event, attempt, delay);
    this.#parking.park({ ...entryOf(event), attempts, delay, error: describe(error) });
    for (const later of this.#batch.removeWaiting(key)) this.#parking.wait(later);
    return false;
  }

  #report(error: unknown, event: StoredEvent, attempt: number, delay: number | undefined): void {
    const { report } = this.#settings;
    if (report === undefined) return;
    const retryAt = delay === undefined ? undefined : new Date(Date.now() + delay);
    report(error, { phase: "handle", event: this.#decode(event), attempt, retryAt });
  }

  /** Decodes an event for a report; where that fails, only what identifies it is left. */
  #decode(event: StoredEvent): RecordedEvent<E> | EventIdentity {
    try {
      return this.#settings.internals.shared.catalog.decode(event);
    } catch {
      const { id, type, tenantId, streamId, version, position } = event;
      return { id, type, tenantId, streamId, version, position };
    }
  }
}

function restAfter(failures: number, retry: Retry): number | undefined {
  return failures > 0 ? backoff(retry, failures) : undefined;
}
