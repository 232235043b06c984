import type { Schedule } from "../driver/schedule.ts";
import type { Event } from "../event/event.ts";
import type { Disposal } from "../consumer/disposal.ts";
import type { EventStore } from "../store/store.ts";
import { onAbort } from "../async/abort.ts";
import { longestPause, Pauses } from "../async/pauses.ts";
import { sleep } from "../async/sleep.ts";
import { backoff, readRetry, type Retry } from "../engine/retry.ts";
import { checkFunction, checkName, checkNumber, checkObject, checkPause } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { endsRun } from "../errors/guard.ts";
import { type Internals, internalsOf } from "../store/internals.ts";
import { type Delivered, Delivery } from "./delivery.ts";
import {
  type FailedSchedule,
  print,
  type ScheduleKey,
  type SchedulerErrorContext,
  type SchedulerOptions,
  type SchedulerRunOptions,
  type SchedulerStatus,
} from "./options.ts";

/** The shortest time between two looks for work, in milliseconds, where everything that happens wakes it up. */
const minPause = 50;

/**
 * Appends scheduled events once they are due, by the database's clock: each exactly once, those of a stream in order. As
 * many may run as you like, in any process.
 *
 * @category Processes
 *
 * @example A reminder
 * ```ts
 * import { defineEvent, EventStore, Scheduler } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Reminded = defineEvent("Reminded");
 * const store = new EventStore(memory(), { events: [Reminded] });
 * const inAnHour = new Date(Date.now() + 3_600_000);
 * await store.schedule("order:42", Reminded(), { at: new Date() });
 * await store.schedule("order:43", Reminded(undefined, { id: "order-43-reminder" }), { at: inAnHour });
 * assert.equal(await store.unschedule("order-43-reminder"), true); // it was paid
 *
 * const scheduler = new Scheduler(store);
 * assert.deepEqual(await scheduler.runOnce(), { delivered: 1, failed: 0 });
 * assert.equal(await store.version("order:42"), 1);
 * ```
 */
export class Scheduler<E extends Event = Event, Db = unknown> {
  readonly #internals: Internals<E, Db>;
  readonly #schedule: Schedule;
  readonly #delivery: Delivery<E, Db>;
  readonly #retry: Retry;
  readonly #disposal: AbortController = new AbortController();
  readonly #running: Set<Promise<unknown>> = new Set();

  /**
   * Creates a scheduler.
   *
   * @param store Scoped to a tenant, it delivers only the events of that one.
   * @throws {TypeError | RangeError} If an option is malformed or out of range.
   * @throws {UnsupportedError} If the driver keeps no scheduled events, or its handle has no transactions.
   */
  constructor(store: EventStore<E, Db>, options: SchedulerOptions = {}) {
    const { batchSize = 100, retry } = checkObject("options", options);
    checkNumber("batchSize", batchSize, 1);
    this.#retry = readRetry(retry);
    const internals = internalsOf<E, Db>(store);
    if (internals === undefined) throw new TypeError("store must be an event store");
    if (internals.transaction !== undefined) {
      throw new TypeError("store must be one outside of transactions: a scheduler outlives them");
    }
    const { driver } = internals.shared;
    if (driver.schedule === undefined) {
      throw new UnsupportedError("make a scheduler", "this driver keeps no scheduled events");
    }
    if (!driver.capabilities.transactions) {
      throw new UnsupportedError(
        "make a scheduler",
        "this database handle has no interactive transactions",
      );
    }
    this.#internals = internals;
    this.#schedule = driver.schedule;
    this.#delivery = new Delivery(internals, driver.schedule, this.#retry, batchSize);
  }

  /**
   * Delivers all events that are due, then returns: it does not wait for others, nor for those that another worker has
   * taken. What a handler inside the append throws is not thrown here: it counts as failed.
   *
   * @param options The signal ends it early, after a batch.
   * @throws {ConnectionError} If the database cannot be reached; what was taken is due again.
   * @throws {NewerEventError | UnknownEventTypeError} If an event is of a newer release, to which it is left.
   */
  async runOnce(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Delivered> {
    return await this.#until(options.signal, (stop) => this.#delivery.run(stop, () => {}));
  }

  /**
   * Delivers all events that are due, and those that become due meanwhile, until there is none left.
   *
   * @param options The signal ends it early, as in `runOnce`, whose errors it throws, too.
   */
  async drain(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Delivered> {
    let [delivered, failed] = [0, 0];
    while (true) {
      const result = await this.runOnce(options);
      delivered += result.delivered;
      failed += result.failed;
      if (result.delivered === 0 || options.signal?.aborted) return { delivered, failed };
    }
  }

  /**
   * Runs until the signal aborts: sleeps until the next event is due, and wakes up when one is scheduled.
   *
   * @throws {TypeError | RangeError} If `pollInterval` is not a whole number from 1, or `onError` not a function.
   * @throws {MissingSchemaError | NewerSchemaError | OutdatedSchemaError} If the tables are missing or of another
   * version. Everything else is reported and tried again.
   */
  async run(options: SchedulerRunOptions = {}): Promise<void> {
    const { signal, pollInterval, onError = print } = checkObject("options", options);
    if (pollInterval !== undefined) checkPause(pollInterval);
    checkFunction("onError", onError);
    const report = (error: unknown, context: SchedulerErrorContext) => {
      try {
        onError(error, context);
      } catch (second) {
        console.error(second);
      }
    };
    await this.#until(signal, (stop) => this.#loop(stop, pollInterval, report));
  }

  async #loop(
    stop: AbortSignal,
    pollInterval: number | undefined,
    report: (error: unknown, context: SchedulerErrorContext) => void,
  ): Promise<void> {
    const { tenantId, shared: { wakeUps } } = this.#internals;
    const stopListening = wakeUps.listen();
    const pauses = new Pauses();
    let failures = 0;
    let known = -1;
    try {
      while (!stop.aborted) {
        const { count } = wakeUps;
        if (count !== known) pauses.reset();
        known = count;
        try {
          // Asked first: what becomes due between the two is delivered now.
          const next = await this.#schedule.next(tenantId) ?? Infinity;
          await this.#delivery.run(stop, ({ error, ...context }) => report(error, context));
          failures = 0;
          const pause = Math.min(pauses.next(longestPause(pollInterval, wakeUps.live)), next);
          await sleep(Math.min(minPause, pause), new Set(), stop);
          await wakeUps.sleep(pause - minPause, count, stop);
        } catch (error) {
          if (endsRun(error)) throw error;
          const pause = backoff(this.#retry, ++failures);
          const retryAt = new Date(Date.now() + pause);
          report(error, { event: undefined, attempt: failures, retryAt });
          await sleep(pause, new Set(), stop);
        }
      }
    } finally {
      stopListening();
    }
  }

  /** Returns what is scheduled, in the tenant of the store or in all. */
  async status(): Promise<SchedulerStatus> {
    const { tenantId } = this.#internals;
    const [{ waiting, failed }, next] = await Promise.all([
      this.#schedule.count(tenantId),
      this.#schedule.next(tenantId),
    ]);
    return { waiting, failed, next: next === undefined ? undefined : new Date(Date.now() + next) };
  }

  /** Lists the events that have failed and are not tried again by themselves, those first that failed first. */
  async failed(): Promise<readonly FailedSchedule[]> {
    const rows = await this.#schedule.failed(this.#internals.tenantId);
    return rows.map(({ failedAt, ...row }) => ({ ...row, failedAt: new Date(failedAt) }));
  }

  /**
   * Makes a failed event due immediately, before what is scheduled for its stream, as if it had never been tried.
   *
   * @returns Whether it had failed.
   * @throws {TypeError | RangeError} If it is not a valid id, or several tenants have a failed one of that id.
   */
  async retry(event: ScheduleKey): Promise<boolean> {
    const found = await this.#find(event);
    if (found === undefined) return false;
    const done = await this.#schedule.retry(found.tenantId, found.id);
    this.#internals.shared.wakeUps.notify();
    return done;
  }

  /**
   * Gives up a failed event: it will never be delivered, and what is scheduled for its stream goes on.
   *
   * @returns Whether it had failed.
   * @throws {TypeError | RangeError} If it is not a valid id, or several tenants have a failed one of that id.
   */
  async discard(event: ScheduleKey): Promise<boolean> {
    const found = await this.#find(event);
    if (found === undefined) return false;
    const done = await this.#schedule.remove(found.tenantId, found.id);
    this.#internals.shared.wakeUps.notify();
    return done;
  }

  /**
   * Stops all runs and waits for the batches in flight.
   *
   * @internal Declared by `Disposal`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    await Promise.allSettled([...this.#running]);
  }

  async #find(event: ScheduleKey): Promise<FailedSchedule | undefined> {
    const { tenantId, id } = typeof event === "string"
      ? { tenantId: undefined, id: event }
      : checkObject("event", event);
    checkName("id", id);
    if (tenantId !== undefined && tenantId !== "") checkName("tenantId", tenantId);
    const found = (await this.failed()).filter((row) =>
      row.id === id && (tenantId ?? row.tenantId) === row.tenantId
    );
    if (found.length > 1) {
      throw new TypeError(
        "event must name its tenant, as { tenantId, id }: several tenants have a failed one of that id",
      );
    }
    return found[0];
  }

  /** Runs work with a signal that aborts with the caller's signal or on disposal. */
  async #until<R>(
    signal: AbortSignal | undefined,
    work: (stop: AbortSignal) => Promise<R>,
  ): Promise<R> {
    const stop = new AbortController();
    const signals = [this.#disposal.signal, ...(signal === undefined ? [] : [signal])];
    if (signals.some(({ aborted }) => aborted)) stop.abort();
    const removals = stop.signal.aborted
      ? []
      : signals.map((one) => onAbort(one, () => stop.abort()));
    const running = work(stop.signal);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
      for (const remove of removals) remove();
    }
  }
}

/**
 * Disposing of it stops all runs and waits for the batches in flight.
 *
 * @category Processes
 */
export interface Scheduler extends Disposal {}
