import type { ClaimedLane, LaneKey, Park, StreamKey } from "./checkpoints.ts";
import type { LogPage, LogQuery, StoredEvent } from "./driver.ts";
import type { Event } from "./event.ts";
import type { Health } from "./health.ts";
import type { Job } from "./job.ts";
import { Delivery } from "./delivery.ts";
import { isEventSourceryError } from "./errors.ts";
import { StoreRewoundError } from "./failures.ts";
import { describe } from "./job.ts";
import { keyOf, Lease } from "./lease.ts";
import { backoff } from "./retry.ts";
import { slotOf } from "./slot.ts";

/** What came of a pass. */
export interface Passed {
  /** How many events were handled. */
  readonly handled: number;
  /** How many calls failed. */
  readonly failed: number;
  /** How many streams are parked now. */
  readonly parked: number;
  /** The checkpoint now. */
  readonly position: number;
  /** When the next parked stream is due, in milliseconds from now; undefined where none is. */
  readonly due: number | undefined;
}

/** A parked stream: the event it waits at, how often that was tried, and when it is due by the monotonic clock. */
interface Waiting extends StreamKey {
  readonly position: number;
  readonly attempts: number;
  readonly dueAt: number | undefined;
}

/**
 * One pass over one lane: takes its lease, tries what is parked and due, handles the log batch by batch, and releases the
 * lease. A batch is done when each of its events is handled, or parked with its stream; then the checkpoint moves on.
 */
export class Pass<E extends Event, Db> {
  readonly #job: Job<E, Db>;
  readonly #key: LaneKey;
  readonly #health: Health;
  readonly #stop: AbortSignal;
  readonly #parked: Map<string, Waiting> = new Map();
  /** Events of the present batch: those that are handled just now, and those that wait for their turn, by position. */
  readonly #running: Map<string, StoredEvent> = new Map();
  #queue: StoredEvent[] = [];
  /** How far the present batch reaches. */
  #scanned = 0;
  /** Whether a worker vanished here again and again: then no event runs before its attempt is written. */
  #careful = false;
  /** Whether one more event may be tried although nothing succeeds. */
  #probe = true;
  #halted = false;
  #handled = 0;
  #failed = 0;

  constructor(job: Job<E, Db>, lane: number, health: Health, stop: AbortSignal) {
    this.#job = job;
    this.#key = { ...job.key, lane };
    this.#health = health;
    this.#stop = stop;
  }

  /** @returns What came of it; undefined where another worker holds the lane. */
  async run(): Promise<Passed | undefined> {
    const { checkpoints, owner, lease, inside: { shared: { driver } } } = this.#job;
    const claiming = checkpoints.claim(this.#key, owner, lease);
    const [claimed, settled] = await bothOf(claiming, driver.settled());
    if (claimed === undefined) return undefined;
    // Another worker may have gone further since that was asked; what is still behind its checkpoint is a log cut short.
    const until = settled < claimed.position ? await driver.settled() : settled;
    return await this.#within(claimed, false, until);
  }

  /** Makes the pass under a lease that is held already, and goes on being held. */
  async catchUp(claimed: ClaimedLane, until: number): Promise<Passed> {
    return await this.#within(claimed, true, until);
  }

  async #within(claimed: ClaimedLane, keep: boolean, until: number): Promise<Passed> {
    const { checkpoints, lease: milliseconds, work } = this.#job;
    const lease = new Lease(checkpoints, this.#key, claimed, milliseconds, () => ({
      position: this.#prefix(),
      stalled: this.#health.stalled || this.#halted,
      recovered: !this.#careful,
    }));
    const delivery = new Delivery(this.#job, lease);
    this.#scanned = claimed.position;
    this.#careful = claimed.crashes > 1;
    // A transaction needs no heartbeat: it holds its lane as long as it is open.
    const beat = () => void (lease.released ? undefined : lease.save(true).catch(() => {}));
    const heart = work.mode === "transaction" ? undefined : setInterval(beat, milliseconds / 3);
    try {
      if (until < claimed.position) throw new StoreRewoundError(until, claimed.position);
      if (claimed.parked > 0) await this.#learn();
      await this.#work(lease, delivery, keep, until);
      if (!lease.released) await lease.save(keep);
    } catch (error) {
      // What cannot be released runs out by itself.
      if (!lease.released && !lease.signal.aborted) await lease.save(false).catch(() => {});
      if (!isEventSourceryError(error, "LEASE_LOST")) throw error;
    } finally {
      clearInterval(heart);
    }
    const due = [...this.#parked.values()].flatMap(({ dueAt }) => dueAt ?? []);
    return {
      handled: this.#handled,
      failed: this.#failed,
      parked: this.#parked.size,
      position: lease.position,
      due: due.length === 0 ? undefined : Math.min(...due) - performance.now(),
    };
  }

  async #learn(): Promise<void> {
    const { checkpoints, lanes } = this.#job;
    const now = performance.now();
    for (const row of await checkpoints.parked(this.#key, { lane: this.#key.lane, lanes })) {
      const dueAt = row.delay === undefined ? undefined : now + row.delay;
      this.#parked.set(keyOf(row), { ...row, dueAt });
    }
  }

  async #work(
    lease: Lease,
    delivery: Delivery<E, Db>,
    keep: boolean,
    until: number,
  ): Promise<void> {
    await this.#retry(lease, delivery);
    this.#probe = true;
    while (lease.position < until && this.#goes) {
      const page = await this.#scan({ after: lease.position, until, limit: this.#job.batchSize });
      const more = keep || page.scanned < until;
      await this.#batch(page, more, lease, delivery);
    }
  }

  /** Whether to begin anything more. */
  get #goes(): boolean {
    return !this.#stop.aborted && !this.#halted && (!this.#health.stalled || this.#probe);
  }

  async #scan(
    query: Pick<LogQuery, "after" | "until" | "limit"> & Partial<LogQuery>,
  ): Promise<LogPage> {
    const { inside, query: filter, lanes } = this.#job;
    const lane = lanes > 1 ? { lane: this.#key.lane, lanes } : undefined;
    return await inside.shared.driver.scan({ ...filter, lane, ...query });
  }

  /** @param more Whether another batch follows, so that the lease is kept. */
  async #batch(
    { events, scanned }: LogPage,
    more: boolean,
    lease: Lease,
    delivery: Delivery<E, Db>,
  ): Promise<void> {
    this.#queue = [];
    for (const event of events) {
      if (this.#parked.has(keyOf(event))) lease.wait(parkOf(event));
      else this.#queue.push(event);
    }
    this.#scanned = scanned;
    const { work, concurrency } = this.#job;
    if (this.#careful) await this.#oneByOne(lease, delivery);
    else {
      const whole = work.mode !== "each" && !this.#health.stalled && this.#queue.length > 1;
      if (!(whole && await this.#together(more, lease, delivery))) {
        const workers = Math.min(concurrency, this.#queue.length);
        await allEnded(Array.from({ length: workers }, () => this.#next(lease, delivery)));
      }
    }
    if (!lease.released) await lease.save(more && this.#goes);
  }

  /** Handles event after event, each of a stream that nobody is at. */
  async #next(lease: Lease, delivery: Delivery<E, Db>): Promise<void> {
    while (this.#goes) {
      const index = this.#queue.findIndex((event) => !this.#running.has(keyOf(event)));
      if (index < 0) return;
      if (this.#health.stalled) this.#probe = false;
      const [event] = this.#queue.splice(index, 1);
      this.#running.set(keyOf(event!), event!);
      try {
        await this.#try(event!, 1, lease, delivery);
      } catch (error) {
        this.#halted = true;
        throw error;
      } finally {
        this.#running.delete(keyOf(event!));
      }
    }
  }

  /** Handles all events of the batch at once; false where that failed, and each has to be tried by itself. */
  async #together(more: boolean, lease: Lease, delivery: Delivery<E, Db>): Promise<boolean> {
    const events = this.#queue;
    const failure = await delivery.deliver(
      events,
      1,
      () => lease.progress(more, { position: this.#scanned }),
    );
    if (failure !== undefined) return false;
    this.#queue = [];
    this.#handled += events.length;
    for (const event of events) this.#health.succeeded(keyOf(event));
    return true;
  }

  /** After crashes: each event is parked first, and then tried as what is parked is: with its attempt written before. */
  async #oneByOne(lease: Lease, delivery: Delivery<E, Db>): Promise<void> {
    while (this.#queue.length > 0 && this.#goes) {
      const event = this.#queue.shift()!;
      if (this.#parked.has(keyOf(event))) {
        lease.wait(parkOf(event));
        continue;
      }
      this.#park(lease, parkOf(event));
      await lease.save(true);
      await this.#drain(this.#parked.get(keyOf(event))!, lease, delivery);
    }
    this.#careful = this.#queue.length > 0;
  }

  /** Tries what is parked and due, each stream once. */
  async #retry(lease: Lease, delivery: Delivery<E, Db>): Promise<void> {
    for (const waiting of [...this.#parked.values()]) {
      if (!this.#goes) return;
      if (waiting.dueAt === undefined || waiting.dueAt > performance.now()) continue;
      if (this.#health.stalled) this.#probe = false;
      await this.#drain(waiting, lease, delivery);
    }
  }

  /** Handles the events of a parked stream up to the checkpoint; then it is parked no more. */
  async #drain(waiting: Waiting, lease: Lease, delivery: Delivery<E, Db>): Promise<void> {
    const { batchSize: limit, retry } = this.#job;
    const { tenantId, streamId } = waiting;
    let { position: from, attempts } = waiting;
    let first = true;
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
          this.#park(lease, { ...parkOf(event), attempts, delay });
          await lease.save(true);
          if (over) return;
        }
        const after = { ...parkOf(event), position: event.position + 1 };
        if (!(await this.#try(event, first ? attempts : 1, lease, delivery, after))) {
          return await lease.save(true);
        }
        first = false;
      }
      from = scanned + 1;
    }
    this.#parked.delete(keyOf(waiting));
    lease.free({ tenantId, streamId });
    await lease.save(true);
  }

  /**
   * Handles one event.
   *
   * @param after Where its stream, which is parked, goes on afterwards; undefined where it is not parked.
   * @returns Whether the stream goes on; otherwise it is parked.
   */
  async #try(
    event: StoredEvent,
    attempt: number,
    lease: Lease,
    delivery: Delivery<E, Db>,
    after?: Park,
  ): Promise<boolean> {
    const failure = await delivery.deliver(
      [event],
      attempt,
      () =>
        lease.progress(
          true,
          after === undefined ? { position: this.#prefix(event) } : { park: after },
        ),
    );
    if (failure === undefined) {
      this.#handled++;
      this.#health.succeeded(keyOf(event));
    } else if (!this.#skips(event, attempt, failure.error, lease)) return false;
    if (after !== undefined) this.#park(lease, after);
    return true;
  }

  /** Parks the stream of an event that failed, unless the event is to be skipped now. */
  #skips(event: StoredEvent, attempt: number, error: unknown, lease: Lease): boolean {
    const { retry, onFailure, report } = this.#job;
    this.#failed++;
    report(error, event);
    const key = keyOf(event);
    const permanent = isEventSourceryError(error, "PERMANENT");
    const counts = permanent || this.#health.failed(key);
    const attempts = counts || attempt === 1 ? attempt : attempt - 1;
    const over = permanent || (counts && attempts >= retry.attempts);
    if (onFailure === "skip" && over) return true;
    if (onFailure === "halt" && !this.#parked.has(key)) {
      this.#halted = true;
      this.#queue.unshift(event);
      return false;
    }
    const delay = over ? undefined : backoff(retry, attempts);
    this.#park(lease, { ...parkOf(event), attempts, delay, error: describe(error) });
    for (const later of this.#queue) if (keyOf(later) === key) lease.wait(parkOf(later));
    this.#queue = this.#queue.filter((later) => keyOf(later) !== key);
    return false;
  }

  #park(lease: Lease, park: Park): void {
    const { tenantId, streamId, position, attempts, delay } = park;
    const dueAt = delay === undefined ? undefined : performance.now() + delay;
    this.#parked.set(keyOf(park), { tenantId, streamId, position, attempts, dueAt });
    lease.park(park);
  }

  /** Everything at or below it is handled, or parked; `done` counts as handled. */
  #prefix(done?: StoredEvent): number {
    const open = [...this.#running.values(), ...this.#queue].filter((event) => event !== done);
    return open.reduce((least, { position }) => Math.min(least, position - 1), this.#scanned);
  }
}

/** A stream parked at an event that was not tried yet. */
function parkOf({ tenantId, streamId, position }: StoredEvent): Park {
  const slot = slotOf(tenantId, streamId);
  return { tenantId, streamId, slot, position, attempts: 0, delay: 0, error: undefined };
}

/** Waits for two, and fails when both have ended. */
async function bothOf<A, B>(one: Promise<A>, other: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

/** Waits until all have ended, so that nobody works on when one has failed; throws the first error. */
async function allEnded(promises: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(promises);
  await Promise.all(promises);
}
