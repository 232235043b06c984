import type { LaneState } from "../driver/checkpoints.ts";
import type { Report } from "./context.ts";
import type { ConsumerPlan } from "./plan.ts";
import type { PassResult } from "./work.ts";
import { sleep } from "../async/sleep.ts";
import { describe } from "../errors/describe.ts";
import { type AnyEventSourceryError, endsRun } from "../errors/guard.ts";
import { LeaseWatch } from "./lease.ts";
import { OutageDetector } from "./outage.ts";
import { Registration, type Reset } from "./registration.ts";
import { relane } from "./relane.ts";
import { backoff } from "./retry.ts";

/** The outcome of a pass over all lanes that were free. */
export interface RunResult {
  /** How many events were handled. */
  readonly handled: number;
  /** How many calls failed. */
  readonly failed: number;
  /** How many streams are parked, waiting for their retry or for good, in the lanes that no other worker held. */
  readonly parked: number;
  /** The checkpoint: that of the lane which is furthest behind. */
  readonly position: number;
}

/** Works for a consumer in this process: passes over its lanes, one after the other, woken by appends and by timers. */
export class Worker {
  readonly plan: ConsumerPlan;
  readonly #registration: Registration;
  readonly #health: readonly OutageDetector[];
  readonly #leases: LeaseWatch;
  /** Those that wait for progress, and those that rest after failures. */
  readonly #waiting: Set<() => void> = new Set();
  readonly #resting: Set<() => void> = new Set();
  /** The epochs that this worker last held its lanes under. */
  readonly #epochs: number[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  /** The checkpoint, as far as it is known; -1 where it is not. */
  #position = -1;
  /** How long the last pass wants to rest, in milliseconds; undefined where it does not. */
  #rest: number | undefined;
  /** When a parked stream is due next, by the monotonic clock; undefined where none is. */
  #due: number | undefined;
  /** Whether the database holds a failure of the consumer. */
  #failed = false;
  /** Whether the consumer has handled anything, so that nothing has to be looked for. */
  #watched = false;
  /** The lanes after a pass that did not get all of them. */
  #states: readonly LaneState[] = [];

  /** @param reset Empties the read model; only projections have one. */
  constructor(plan: ConsumerPlan, reset?: Reset) {
    this.plan = plan;
    this.#registration = new Registration(plan, reset);
    this.#leases = new LeaseWatch(plan.lease);
    this.#health = Array.from({ length: plan.lanes }, () => new OutageDetector());
  }

  /**
   * Makes one pass over all lanes that are free, when the one before has ended.
   *
   * @param report Receives what handlers throw. @default it is not reported
   */
  async once(stop: AbortSignal, report?: Report): Promise<RunResult> {
    return await this.#alone(async () => {
      try {
        await this.#registration.ensure();
        const result = await this.#result(await this.#passes(stop, report));
        if (this.#failed) await this.#noteFailure(undefined);
        return result;
      } catch (error) {
        if (endsRun(error)) await this.#noteFailure(error).catch(() => {});
        throw error;
      }
    });
  }

  /**
   * Makes passes until it is told to stop: when the log has moved on, when a retry is due, when a lease ran out.
   *
   * @throws {EventSourceryError} If no retry would heal it, see `endsRun`.
   */
  async run(stop: AbortSignal, pollInterval: number, report: Report): Promise<void> {
    const { wakeUps, retry, key } = this.plan;
    const stopListening = wakeUps.listen(key);
    let failures = 0;
    let rest: number | undefined;
    let known = -1;
    try {
      while (!stop.aborted) {
        const { count } = wakeUps;
        const woken = count !== known;
        known = count;
        try {
          if (woken || rest !== undefined || await this.#hasWork(pollInterval)) {
            const { handled } = await this.once(stop, report);
            failures = 0;
            rest = this.#rest;
            await this.#notice(handled, report);
            await wakeUps.see();
          }
        } catch (error) {
          if (endsRun(error)) throw error;
          rest = backoff(retry, ++failures);
          const retryAt = new Date(Date.now() + rest);
          report(error, { phase: "pass", event: undefined, attempt: failures, retryAt });
        }
        if (rest !== undefined) {
          // A broker or database that is down is not retried earlier, except after `redrive` or `discard`.
          await sleep(rest, this.#resting, stop);
        } else {
          const due = (this.#due ?? Infinity) - performance.now();
          await wakeUps.sleep(Math.max(0, Math.min(pollInterval, due)), count, stop);
        }
      }
    } finally {
      stopListening();
    }
  }

  /** Looks for work again immediately, since something was made due. */
  wake(): void {
    this.#due = 0;
    for (const wake of [...this.#resting]) wake();
    this.plan.wakeUps.notify();
  }

  /** Waits for the next progress that is made here, but not for longer than some milliseconds. */
  async progress(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    await sleep(milliseconds, this.#waiting, signal);
  }

  /** Waits until no pass is under way. */
  async idle(): Promise<void> {
    await this.#turn;
  }

  /**
   * Sets the consumer back to the start, while this worker makes no pass.
   *
   * @param reset Empties what belongs to it in the same transaction.
   */
  async rewind(reset: Reset): Promise<void> {
    await this.#alone(async () => {
      const { key, filter } = this.plan;
      await this.#registration.ensure("accept");
      this.#position = -1;
      await reset(async (checkpoints) => {
        await checkpoints.rewind(key, 0);
        await checkpoints.refilter(key, filter);
        return true;
      });
    });
  }

  /** Changes the number of lanes, while this worker makes no pass. */
  async relane(lanes: number): Promise<void> {
    await this.#alone(async () => {
      await this.#registration.ensure("any lanes");
      this.#position = -1;
      await relane(this.plan, lanes, () => this.progress(50, undefined));
      this.#registration.end();
    });
  }

  async #passes(stop: AbortSignal, report: Report | undefined): Promise<readonly PassResult[]> {
    const { lanes } = this.plan;
    const passes: PassResult[] = [];
    const first = Math.floor(Math.random() * lanes);
    for (let index = 0; index < lanes && !stop.aborted; index++) {
      const passed = await this.#pass((first + index) % lanes, stop, report);
      if (passed !== undefined) passes.push(passed);
    }
    return passes;
  }

  /** @returns Its outcome; undefined where another worker holds the lane. */
  async #pass(
    lane: number,
    stop: AbortSignal,
    report: Report | undefined,
  ): Promise<PassResult | undefined> {
    const { checkpoints, key, lanes, owner, lease, driver, begin } = this.plan;
    const claiming = checkpoints.claim({ ...key, lane }, owner, lease);
    const settling = driver.settled();
    await Promise.allSettled([claiming, settling]);
    const claimed = await claiming;
    if (claimed === undefined) return undefined;
    if (claimed.failed) this.#failed = true;
    // The pass asks, so that it releases the lane when there is no answer.
    const until = async () => {
      // What another worker, which held the lane meanwhile, may have changed is compared again.
      if (this.#epochs[lane] !== claimed.epoch - 1) await this.#registration.verify();
      this.#epochs[lane] = claimed.epoch;
      const settled = await settling;
      // Another worker may have advanced since that was asked; if the log is still behind the checkpoint, it was cut short.
      return settled < claimed.position ? await driver.settled() : settled;
    };
    return await begin({ lane, lanes }, claimed, this.#health[lane]!, stop, report).run(
      until,
      false,
    );
  }

  async #alone<R>(work: () => Promise<R>): Promise<R> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return await turn;
  }

  /** Stores the error that ends a run, or removes it once the consumer runs again. */
  async #noteFailure(error: AnyEventSourceryError | undefined): Promise<void> {
    const { checkpoints, key } = this.plan;
    const failure = error && { code: error.code, message: describe(error) };
    await checkpoints.setFailure?.(key, failure);
    this.#failed = failure !== undefined;
  }

  /** Reports what is no error, but needs attention. */
  async #notice(handled: number, report: Report): Promise<void> {
    const { watch } = this.plan;
    const rest = { event: undefined, attempt: undefined };
    for (const { lane, owner, leasedUntil } of this.#leases.look(this.#states)) {
      const retryAt = leasedUntil === undefined ? undefined : new Date(leasedUntil);
      const until = retryAt === undefined ? "" : ` until ${retryAt.toISOString()}`;
      const notice = `lane ${lane} is held by "${owner}"${until}, waiting for its lease to run out`;
      report(new Error(notice), { phase: "lease", retryAt, ...rest });
    }
    if (handled > 0) this.#watched = true;
    if (watch === undefined || watch.over || this.#watched) return;
    const notice = await watch.look(this.#registration.start, this.#position);
    if (notice !== undefined) report(notice, { phase: "outbox", retryAt: undefined, ...rest });
  }

  async #hasWork(pollInterval: number): Promise<boolean> {
    if (this.#position < 0 || (this.#due ?? Infinity) <= performance.now()) return true;
    const { wakeUps, key: { scope, name, version } } = this.plan;
    const { settled, due } = await wakeUps.poll(pollInterval / 2);
    return settled !== this.#position ||
      due.some((key) => key.scope === scope && key.name === name && key.version === version);
  }

  async #result(passes: readonly PassResult[]): Promise<RunResult> {
    const { checkpoints, key, lanes } = this.plan;
    let positions = passes.map(({ position }) => position);
    this.#states = [];
    if (passes.length < lanes) {
      this.#states = await checkpoints.lanes(key);
      this.#registration.expect(this.#states.length);
      positions = this.#states.map(({ position }) => position);
    }
    const rests = passes.flatMap(({ rest }) => rest ?? []);
    this.#rest = rests.length === 0 ? undefined : Math.max(...rests);
    const dues = passes.flatMap(({ due }) => due ?? []);
    this.#due = dues.length === 0 ? undefined : performance.now() + Math.min(...dues);
    const position = this.#position = Math.min(...positions);
    for (const wake of [...this.#waiting]) wake();
    const [handled, failed, parked] = [0, 0, 0];
    const result = { handled, failed, parked, position };
    for (const passed of passes) {
      result.handled += passed.handled;
      result.failed += passed.failed;
      result.parked += passed.parked;
    }
    return result;
  }
}
