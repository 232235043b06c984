import type { ClaimedLane } from "../driver/checkpoints.ts";
import type { ParkedEntry } from "../driver/progress.ts";
import type { LogPage, LogQuery, StoredEvent } from "../driver/read.ts";
import type { Event, EventIdentity, RecordedEvent } from "../event/event.ts";
import type { OutageDetector } from "./outage.ts";
import type { PassResult, PassSettings } from "./work.ts";
import { allSettledOrThrow } from "../async/settle.ts";
import { StoreRewoundError } from "../errors/driver.ts";
import { isEventSourceryError } from "../errors/guard.ts";
import { Batch } from "./batch.ts";
import { decodeOnce, Delivery } from "./delivery.ts";
import { drain } from "./drain.ts";
import { keyOf, Lease } from "./lease.ts";
import { entryOf, failedEntry, type ParkedCursor, Parking } from "./parking.ts";
import { backoff } from "./retry.ts";

/**
 * One pass over one lane whose lease is held: handles the log batch by batch, retries the parked streams that are due
 * after the first, and releases the lease. A batch is done when each of its events is handled, or parked with its
 * stream; then the checkpoint moves on.
 */
export class Pass<E extends Event, Db> {
  readonly #settings: PassSettings<E, Db>;
  readonly #outage: OutageDetector;
  readonly #stop: AbortSignal;
  readonly #lease: Lease;
  readonly #delivery: Delivery<E, Db>;
  readonly #parking: Parking;
  #batch: Batch;
  /** Whether workers have vanished here repeatedly: then no event runs before its attempt is written. */
  #careful: boolean;
  /** How many more events may be tried although nothing succeeds. */
  #trials: number;
  /** Whether the pass stops before an event, and the pause after it, in milliseconds. */
  #stopped = false;
  #pause: number | undefined;
  readonly #counts = { handled: 0, failed: 0, skipped: 0 };
  /** The last error of a handler, or that of a lost lease. */
  #error: unknown;

  /** @param claimed The claimed lane, under whose epoch the pass writes. */
  constructor(
    settings: PassSettings<E, Db>,
    claimed: ClaimedLane,
    outage: OutageDetector,
    stop: AbortSignal,
  ) {
    this.#settings = settings;
    this.#outage = outage;
    this.#trials = outage.trials;
    this.#stop = stop;
    this.#batch = new Batch([], claimed.position);
    this.#careful = claimed.crashes > 1;
    this.#lease = new Lease(
      settings.checkpoints,
      { ...settings.key, lane: settings.lane },
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
   * Runs the pass.
   *
   * @param target Returns the position to process up to.
   * @param keep Whether the lease is kept afterwards.
   */
  async run(target: () => Promise<number>, keep: boolean): Promise<PassResult> {
    const { checkpoints, key, lane, lanes, lease: milliseconds, work } = this.#settings;
    const lease = this.#lease;
    // A transaction needs no renewal: it holds its lane as long as it is open.
    const renew = () => void (lease.released ? undefined : lease.save(true).catch(() => {}));
    const timer = work.mode === "transaction" ? undefined : setInterval(renew, milliseconds / 3);
    try {
      const until = await target();
      if (until < lease.position) throw new StoreRewoundError(until, lease.position);
      if (lease.parked > 0) this.#parking.add(await checkpoints.parked(key, { lane, lanes }));
      await this.#handleAll(until, keep);
      if (!lease.released) await lease.save(keep);
    } catch (error) {
      // A lease that cannot be released runs out by itself.
      if (!lease.released && !lease.signal.aborted) await lease.save(false).catch(() => {});
      if (!isEventSourceryError(error, "LEASE_LOST")) throw error;
      this.#error = error;
    } finally {
      clearInterval(timer);
    }
    if (this.#counts.failed > 0) this.#outage.passed();
    const { failures } = this.#outage;
    const pause = failures > 0 ? backoff(this.#settings.retry, failures) : undefined;
    return {
      ...this.#counts,
      parked: this.#parking.size,
      position: lease.position,
      due: this.#parking.nextDue,
      error: this.#error,
      pause: this.#stopped ? this.#pause : pause,
    };
  }

  async #handleAll(until: number, keep: boolean): Promise<void> {
    const { due } = this.#parking;
    // One page of the log first: if that succeeds, a retry that fails is the event's own fault, even in a new process.
    await this.#handlePage(until, keep || due.length > 0);
    this.#trials = Math.max(this.#trials, 1);
    await this.#retry(due);
    while (await this.#handlePage(until, keep));
  }

  /** Handles the next page of the log; false where there is nothing more to do. */
  async #handlePage(until: number, keep: boolean): Promise<boolean> {
    if (this.#lease.position >= until || !this.#active) return false;
    const { internals: { shared }, work, batchSize: limit } = this.#settings;
    const page = await this.#scan({ after: this.#lease.position, until, limit });
    if (!work.masked) await shared.catalog.sealer?.fetch(shared.driver, page.events);
    await this.#handle(page, keep, page.scanned < until);
    return true;
  }

  /** Whether another event may be started. */
  get #active(): boolean {
    return !this.#stop.aborted && !this.#lease.released && !this.#stopped &&
      (!this.#outage.stalled || this.#trials > 0);
  }

  get #stalled(): boolean {
    return this.#outage.stalled || this.#stopped;
  }

  async #scan(
    query: Pick<LogQuery, "after" | "until" | "limit"> & Partial<LogQuery>,
  ): Promise<LogPage> {
    const { internals, query: filter, lanes } = this.#settings;
    const lane = lanes > 1 ? { lane: this.#settings.lane, lanes } : undefined;
    return await internals.shared.driver.scan({ ...filter, lane, ...query });
  }

  /**
   * @param keep Whether the lease is kept in any case.
   * @param more Whether another batch follows, so that the lease is kept if it can be started.
   */
  async #handle({ events, scanned }: LogPage, keep: boolean, more: boolean): Promise<void> {
    const free: StoredEvent[] = [];
    for (const event of events) {
      if (this.#parking.has(event)) this.#parking.defer(event);
      else free.push(event);
    }
    this.#batch = new Batch(free, scanned);
    const { work, concurrency } = this.#settings;
    if (this.#careful) await this.#oneByOne();
    else {
      const { length } = this.#batch.waiting;
      const whole = work.mode !== "each" && !this.#outage.stalled && length > 1;
      if (!(whole && await this.#handleBatch(keep || more))) {
        const workers = Math.min(concurrency, length);
        await allSettledOrThrow(Array.from({ length: workers }, () => this.#next()));
      }
    }
    if (!this.#lease.released) await this.#lease.save(keep || (more && this.#active));
  }

  /** Handles event after event, each of a stream with no running event. */
  async #next(): Promise<void> {
    while (this.#active) {
      const event = this.#batch.take();
      if (event === undefined) return;
      try {
        await this.#try(event, 1);
      } catch (error) {
        // The event stays marked as running, so that no checkpoint of this pass moves past it.
        this.#stopped = true;
        throw error;
      }
      this.#batch.end(event);
    }
  }

  /** Handles all events of the batch together; false if that failed, and each has to be tried on its own. */
  async #handleBatch(more: boolean): Promise<boolean> {
    const { waiting: events, scanned: position } = this.#batch;
    const progress = () => this.#lease.progress(more, { position });
    const failure = await this.#delivery.deliver(events, 1, progress);
    if (failure !== undefined) return false;
    this.#batch.clear();
    this.#counts.handled += events.length;
    for (const event of events) this.#outage.succeeded(keyOf(event));
    return true;
  }

  /** After crashes: parks each event first, then tries it like any parked one, with its attempt written before. */
  async #oneByOne(): Promise<void> {
    while (this.#active) {
      const event = this.#batch.take();
      if (event === undefined) break;
      this.#batch.end(event);
      if (this.#parking.has(event)) {
        this.#parking.defer(event);
        continue;
      }
      const waiting = this.#parking.park(entryOf(event));
      await this.#lease.save(true);
      await this.#drain(waiting);
    }
    this.#careful = this.#batch.waiting.length > 0;
  }

  /** Retries parked streams that are due, each once. */
  async #retry(due: readonly ParkedCursor[]): Promise<void> {
    for (const waiting of due) {
      if (!this.#active) return;
      await this.#drain(waiting);
    }
  }

  async #drain(waiting: ParkedCursor): Promise<void> {
    const { batchSize, retry, internals: { shared } } = this.#settings;
    await drain({
      ...{ batchSize, retry, stop: this.#stop, lease: this.#lease, parking: this.#parking },
      scan: (query) => this.#scan(query),
      check: (event) => shared.catalog.check(event),
      attempt: (event, attempt, after) => this.#try(event, attempt, after),
    }, waiting);
  }

  /**
   * Handles one event.
   *
   * @param after The entry that its parked stream continues from afterwards; undefined if it is not parked.
   * @returns Whether the stream continues; otherwise it is parked.
   */
  async #try(event: StoredEvent, attempt: number, after?: ParkedEntry): Promise<boolean> {
    if (this.#outage.stalled) this.#trials--;
    const changed = () =>
      after === undefined ? { position: this.#batch.checkpointAfter(event) } : { park: after };
    const progress = () => this.#lease.progress(true, changed());
    const failure = await this.#delivery.deliver([event], attempt, progress);
    if (failure === undefined) {
      this.#counts.handled++;
      this.#outage.succeeded(keyOf(event));
    } else if (!this.#parkOrSkip(event, attempt, failure.error)) return false;
    if (after !== undefined) this.#parking.park(after);
    return true;
  }

  /** Parks the stream of an event that failed; or returns true if the event is to be skipped now. */
  #parkOrSkip(event: StoredEvent, attempt: number, error: unknown): boolean {
    const { retry, onFailure } = this.#settings;
    this.#counts.failed++;
    this.#error = error;
    const key = keyOf(event);
    const permanent = isEventSourceryError(error, "PERMANENT");
    const counts = permanent || this.#outage.failed(key);
    const attempts = counts || attempt === 1 ? attempt : attempt - 1;
    const exhausted = permanent || (counts && attempts >= retry.attempts);
    if (exhausted) this.#outage.forget(key);
    if (onFailure === "skip" && exhausted) {
      this.#counts.skipped++;
      this.#report(error, event, attempt, undefined);
      return true;
    }
    if (onFailure === "stop" && !this.#parking.has(event)) {
      this.#stopped = true;
      this.#batch.putBack(event);
      this.#pause = backoff(retry, Math.max(1, this.#outage.failuresInARow), error);
      this.#report(error, event, attempt, this.#pause);
      return false;
    }
    const times = Math.max(attempts, this.#outage.times(key));
    const delay = exhausted ? undefined : backoff(retry, times, error);
    this.#report(error, event, attempt, delay);
    this.#parking.park(failedEntry(this.#settings.key.name, event, attempts, delay, error));
    for (const later of this.#batch.removeWaiting(key)) this.#parking.defer(later);
    return false;
  }

  #report(error: unknown, event: StoredEvent, attempt: number, delay: number | undefined): void {
    const { report } = this.#settings;
    if (report === undefined) return;
    const retryAt = delay === undefined ? undefined : new Date(Date.now() + delay);
    report(error, { phase: "handle", event: this.#decode(event), attempt, retryAt });
  }

  /** Decodes an event for a report; if that fails, returns only its identity. */
  #decode(event: StoredEvent): RecordedEvent<E> | EventIdentity {
    try {
      return decodeOnce(event, this.#settings.internals);
    } catch {
      const { id, type, tenantId, streamId, version, position } = event;
      return { id, type, tenantId, streamId, version, position };
    }
  }
}
