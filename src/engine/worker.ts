import type { LaneState } from "../driver/checkpoints.ts";
import type { Report } from "./context.ts";
import type { ConsumerPlan } from "./plan.ts";
import type { PassResult } from "./work.ts";
import { longestPause, Pauses } from "../async/pauses.ts";
import { sleep } from "../async/sleep.ts";
import { describe } from "../errors/describe.ts";
import { type AnyEventSourceryError, endsRun } from "../errors/guard.ts";
import { notify } from "../observe/around.ts";
import { aroundPass } from "../observe/pass.ts";
import { isOfNewerRelease } from "./delivery.ts";
import { LeaseWatch } from "./lease.ts";
import { OutageDetector } from "./outage.ts";
import { Registration, type Reset } from "./registration.ts";
import { relane } from "./relane.ts";
import { backoff } from "./retry.ts";

/**
 * The outcome of a pass over all free lanes.
 *
 * @category Consumers
 */
export interface RunResult {
  /** The number of events that were handled. */
  readonly handled: number;
  /** The number of handler calls that failed. */
  readonly failed: number;
  /** The number of streams that are parked, with or without a retry to come, in the lanes that no other worker held. */
  readonly parked: number;
  /** The checkpoint: that of the lane which is furthest behind. */
  readonly position: number;
}

/** Runs a consumer in this process: passes over its lanes, one after the other, woken by appends and timers. */
export class Worker {
  readonly plan: ConsumerPlan;
  readonly #registration: Registration;
  readonly #outages: readonly OutageDetector[];
  readonly #leases: LeaseWatch;
  readonly #replay = (): number => this.#registration.replay;
  /** Wake the calls that wait for progress, and the runs that pause after failures. */
  readonly #waiting: Set<() => void> = new Set();
  readonly #pausing: Set<() => void> = new Set();
  /** The epochs of this worker's last leases, by lane. */
  readonly #epochs: number[] = [];
  #lastTask: Promise<unknown> = Promise.resolve();
  /** The checkpoint as last read; -1 while it is not known. */
  #position = -1;
  /** The pause after the last pass, in milliseconds; undefined where none is needed. */
  #pause: number | undefined;
  /** When the next parked stream is due, by the monotonic clock; undefined where none is. */
  #due: number | undefined;
  /** Whether the database holds a failure of the consumer, which the next success removes. */
  #failed = false;
  /** Whether the consumer has handled anything, so that `watch` is not needed. */
  #everHandled = false;
  /** The state of all lanes after a pass that could not claim each of them; empty otherwise. */
  #states: readonly LaneState[] = [];

  /** @param reset Empties the read model; only projections have one. */
  constructor(plan: ConsumerPlan, reset?: Reset) {
    this.plan = plan;
    this.#registration = new Registration(plan, reset);
    this.#leases = new LeaseWatch(plan.lease);
    this.#outages = Array.from({ length: plan.lanes }, () => new OutageDetector());
  }

  /**
   * Runs one pass over all free lanes, once the previous one has ended.
   *
   * @param report Receives what handlers throw. @default nothing is reported
   */
  async once(stop: AbortSignal, report?: Report): Promise<RunResult> {
    return await this.#exclusively(async () => {
      try {
        await this.#registration.ensure();
        const result = await this.#result(await this.#passes(stop, report));
        if (this.#failed) await this.#noteFailure(undefined);
        return result;
      } catch (error) {
        if (endsRun(error)) {
          const { observer, key: { name: consumer } } = this.plan;
          notify(observer, { name: "misconfigured", consumer, error });
          await this.#noteFailure(error).catch(() => {});
        }
        throw error;
      }
    });
  }

  /**
   * Runs passes until the signal aborts: when the log has grown, when a retry is due, when a lease ran out.
   *
   * @param pollInterval The longest pause between two looks. @default by whether notifications arrive
   * @throws {EventSourceryError} If a retry cannot help, see `endsRun`.
   */
  async run(stop: AbortSignal, pollInterval: number | undefined, report: Report): Promise<void> {
    const { wakeUps, polls, retry, key, observer } = this.plan;
    const stopListening = polls.listen(key);
    const pauses = new Pauses();
    let failures = 0;
    let pause: number | undefined;
    let known = -1;
    try {
      while (!stop.aborted) {
        const { count } = wakeUps;
        const woken = count !== known;
        known = count;
        try {
          if (woken || pause !== undefined || await this.#hasWork(pauses.last)) {
            pauses.reset();
            const { handled } = await this.once(stop, report);
            if (failures > 0) notify(observer, { name: "recovered", consumer: key.name });
            failures = 0;
            pause = this.#pause;
            await this.#reportNotices(handled, report);
            await polls.see();
          }
        } catch (error) {
          if (endsRun(error)) throw error;
          pause = backoff(retry, ++failures);
          const retryAt = new Date(Date.now() + pause);
          report(error, { phase: "pass", event: undefined, attempt: failures, retryAt });
        }
        if (pause !== undefined) {
          // A broker or database that is down is not retried earlier, except after `redrive` or `discard`.
          await sleep(pause, this.#pausing, stop);
        } else {
          const due = (this.#due ?? Infinity) - performance.now();
          const idle = pauses.next(longestPause(pollInterval, wakeUps.live));
          await wakeUps.sleep(Math.max(0, Math.min(idle, due)), count, stop);
        }
      }
    } finally {
      stopListening();
    }
  }

  /** Starts the next pass immediately, after something was made due. */
  wake(): void {
    this.#due = 0;
    for (const wake of [...this.#pausing]) wake();
    this.plan.wakeUps.notify();
  }

  /** Waits for the next progress of this worker, for at most some milliseconds. */
  async progress(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    await sleep(milliseconds, this.#waiting, signal);
  }

  /** Waits until no pass is running. */
  async idle(): Promise<void> {
    await this.#lastTask;
  }

  /**
   * Sets the consumer back to the start, between two passes of this worker.
   *
   * @param reset Empties its read model in the same transaction.
   */
  async rewind(reset: Reset): Promise<void> {
    await this.#exclusively(async () => {
      const { key, filter } = this.plan;
      await this.#registration.ensure("accept");
      this.#position = -1;
      await reset(async (session) => {
        await this.#registration.setBack(session);
        await session.checkpoints.refilter(key, filter);
        return true;
      });
    });
  }

  /** Changes the number of lanes, between two passes of this worker. */
  async relane(lanes: number): Promise<void> {
    await this.#exclusively(async () => {
      await this.#registration.ensure("any lanes");
      this.#position = -1;
      await relane(this.plan, lanes, this.#replay, () => this.progress(50, undefined));
      this.#registration.invalidate();
    });
  }

  async #passes(stop: AbortSignal, report: Report | undefined): Promise<readonly PassResult[]> {
    const { lanes } = this.plan;
    const passes: PassResult[] = [];
    let newer: { readonly error: unknown } | undefined;
    const first = Math.floor(Math.random() * lanes);
    for (let index = 0; index < lanes && !stop.aborted; index++) {
      try {
        const passed = await this.#pass((first + index) % lanes, stop, report);
        if (passed !== undefined) passes.push(passed);
      } catch (error) {
        // A lane that waits for a worker of a newer release does not hold up the others.
        if (!isOfNewerRelease(error)) throw error;
        newer ??= { error };
      }
    }
    if (newer !== undefined) throw newer.error;
    return passes;
  }

  /** Runs a pass over one lane; undefined if another worker holds it. */
  async #pass(
    lane: number,
    stop: AbortSignal,
    report: Report | undefined,
  ): Promise<PassResult | undefined> {
    const { checkpoints, key, lanes, owner, lease, driver, observer, passOver } = this.plan;
    const claiming = checkpoints.claim({ ...key, lane }, owner, lease);
    const settling = driver.settled();
    await Promise.allSettled([claiming, settling]);
    const claimed = await claiming;
    if (claimed === undefined) return undefined;
    if (claimed.failed) this.#failed = true;
    // Called by the pass, so that the lane is released if this fails.
    const until = async () => {
      // Another worker has held the lane meanwhile, and may have changed the registration.
      const settled = await settling;
      if (this.#epochs[lane] !== claimed.epoch - 1) await this.#registration.verify(settled);
      this.#epochs[lane] = claimed.epoch;
      // Another worker may have advanced since that was read; a log that is still behind the checkpoint was rewound.
      return settled < claimed.position ? await driver.settled() : settled;
    };
    const outage = this.#outages[lane]!;
    const pass = passOver({ lane, lanes }, claimed, outage, stop, this.#replay, report);
    if (observer === undefined) return await pass.run(until, false);
    const on = { consumer: key.name, version: key.version, lane };
    return await aroundPass(observer, on, outage, () => pass.run(until, false));
  }

  async #exclusively<R>(work: () => Promise<R>): Promise<R> {
    const task = this.#lastTask.then(work);
    this.#lastTask = task.catch(() => {});
    return await task;
  }

  /** Stores the error that ends a run, or removes it once the consumer runs again. */
  async #noteFailure(error: AnyEventSourceryError | undefined): Promise<void> {
    const { checkpoints, key } = this.plan;
    const failure = error && { code: error.code, message: describe(error) };
    await checkpoints.setFailure?.(key, failure);
    this.#failed = failure !== undefined;
  }

  /** Reports conditions that are not errors, but need attention. */
  async #reportNotices(handled: number, report: Report): Promise<void> {
    const { watch } = this.plan;
    const common = { event: undefined, attempt: undefined };
    for (const { lane, owner, leasedUntil } of this.#leases.look(this.#states)) {
      const retryAt = leasedUntil === undefined ? undefined : new Date(leasedUntil);
      const until = retryAt === undefined ? "" : ` until ${retryAt.toISOString()}`;
      const notice = `lane ${lane} is held by "${owner}"${until}, waiting for its lease to run out`;
      report(new Error(notice), { phase: "lease", retryAt, ...common });
    }
    if (handled > 0) this.#everHandled = true;
    if (watch === undefined || watch.done || this.#everHandled) return;
    const notice = await watch.inspect(this.#registration.start, this.#position);
    if (notice !== undefined) report(notice, { phase: "outbox", retryAt: undefined, ...common });
  }

  /** @param pause How long it has paused: consumers that pause as long share one answer. */
  async #hasWork(pause: number): Promise<boolean> {
    if (this.#position < 0 || (this.#due ?? Infinity) <= performance.now()) return true;
    const { polls, key: { scope, name, version } } = this.plan;
    const { settled, due } = await polls.poll(pause > 1000 ? 0.95 * pause : pause / 2);
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
    const pauses = passes.flatMap(({ pause }) => pause ?? []);
    this.#pause = pauses.length === 0 ? undefined : Math.max(...pauses);
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
