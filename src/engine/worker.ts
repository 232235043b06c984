import type { Checkpoints } from "../driver/checkpoints.ts";
import type { ConsumerPlan } from "./plan.ts";
import type { PassResult } from "./work.ts";
import { sleep } from "../async/sleep.ts";
import { FilterMismatchError, LanesMismatchError } from "../errors/consumer.ts";
import { OutageDetector } from "./outage.ts";
import { relane } from "./relane.ts";
import { backoff } from "./retry.ts";

/** What came of a pass. */
export interface RunResult {
  /** How many events were handled. */
  readonly handled: number;
  /** How many calls failed. */
  readonly failed: number;
  /** How many streams are parked, in the lanes that no other worker was at. */
  readonly parked: number;
  /** The checkpoint: that of the lane which is furthest behind. */
  readonly position: number;
}

/** What a consumer does in this process: passes over its lanes, one after the other, woken by appends and by the clock. */
export class Worker {
  readonly plan: ConsumerPlan;
  readonly #health: readonly OutageDetector[];
  /** Those who wait for progress, and those who rest after failures. */
  readonly #waiting: Set<() => void> = new Set();
  readonly #resting: Set<() => void> = new Set();
  #registered = false;
  /** The epochs that this worker last held its lanes under. */
  readonly #epochs: number[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  /** The checkpoint, as far as it is known; -1 where it is not. */
  #position = -1;
  /** How many failures the last pass says are to be backed off from. */
  #failures = 0;
  /** When a parked stream is due next, by the monotonic clock; undefined where none is. */
  #due: number | undefined;

  constructor(plan: ConsumerPlan) {
    this.plan = plan;
    this.#health = Array.from({ length: plan.lanes }, () => new OutageDetector());
  }

  /** Makes one pass over all lanes that are free, when the one before has ended. */
  async once(stop: AbortSignal, report: (error: unknown) => void): Promise<RunResult> {
    return await this.#alone(async () => {
      await this.#register(this.plan.acceptFilter);
      const { lanes } = this.plan;
      const passes: PassResult[] = [];
      const first = Math.floor(Math.random() * lanes);
      for (let index = 0; index < lanes && !stop.aborted; index++) {
        const lane = (first + index) % lanes;
        const passed = await this.#pass(lane, stop, report);
        if (passed !== undefined) passes.push(passed);
      }
      return await this.#result(passes);
    });
  }

  /** Makes passes until it is told to stop: when the log has moved on, when a retry is due, when a lease ran out. */
  async run(
    stop: AbortSignal,
    pollInterval: number,
    report: (error: unknown) => void,
  ): Promise<void> {
    const { wakeUps, retry } = this.plan;
    const leave = wakeUps.listen();
    let failures = 0;
    let heard = -1;
    try {
      while (!stop.aborted) {
        const { count } = wakeUps;
        const rung = count !== heard;
        heard = count;
        try {
          if (rung || failures > 0 || await this.#hasWork(pollInterval)) {
            await this.once(stop, report);
            failures = this.#failures;
          }
        } catch (error) {
          failures++;
          report(error);
        }
        if (failures > 0) {
          // Whatever rings, a broker or database that is down is asked no sooner, unless somebody says that it is back.
          await sleep(backoff(retry, failures), this.#resting, stop);
        } else {
          const due = (this.#due ?? Infinity) - performance.now();
          await wakeUps.sleep(Math.max(0, Math.min(pollInterval, due)), count, stop);
        }
      }
    } finally {
      leave();
    }
  }

  /** Looks for work again, at once: something was made due. */
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
   * Sets the consumer back to the start, while no pass of this worker is under way.
   *
   * @param transact Runs what it is given in a transaction, with the rest of what belongs to it.
   */
  async rewind(
    transact: (rewind: (checkpoints: Checkpoints) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    await this.#alone(async () => {
      const { key, filter } = this.plan;
      await this.#register(true);
      this.#position = -1;
      await transact(async (checkpoints) => {
        await checkpoints.rewind(key, 0);
        await checkpoints.refilter(key, filter);
      });
    });
  }

  /** Changes the number of lanes, while no pass of this worker is under way. */
  async relane(lanes: number): Promise<void> {
    await this.#alone(async () => {
      await this.#agree(await this.#start(), this.plan.acceptFilter, true);
      this.#position = -1;
      await relane(this.plan, lanes, () => this.progress(50, undefined));
      this.#registered = false;
    });
  }

  /** @returns What came of it; undefined where another worker holds the lane. */
  async #pass(
    lane: number,
    stop: AbortSignal,
    report: (error: unknown) => void,
  ): Promise<PassResult | undefined> {
    const { checkpoints, key, lanes, owner, lease, driver, begin } = this.plan;
    const claiming = checkpoints.claim({ ...key, lane }, owner, lease);
    const settling = driver.settled();
    await Promise.allSettled([claiming, settling]);
    const claimed = await claiming;
    if (claimed === undefined) return undefined;
    // The pass asks, so that it gives the lane back when there is no answer.
    const until = async () => {
      if (this.#epochs[lane] !== claimed.epoch - 1) await this.#verify();
      this.#epochs[lane] = claimed.epoch;
      const settled = await settling;
      // Another worker may have gone further since that was asked; what is still behind its checkpoint is a log cut short.
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

  async #register(accept: boolean): Promise<void> {
    if (this.#registered) return;
    await this.#agree(await this.#start(), accept);
    this.#registered = true;
  }

  /**
   * Registers the consumer if it is new; or else compares what it wants with what this worker does.
   *
   * @param accept Whether it is to want from now on what this worker does.
   * @param relaning Whether it may have another number of lanes.
   */
  async #agree(position: number, accept: boolean, relaning = false): Promise<void> {
    const { checkpoints, key, lanes, filter } = this.plan;
    const found = await checkpoints.register(key, { lanes, filter, position });
    if (!relaning) this.#expect(found.lanes);
    if (found.filter === filter) return;
    if (!accept) throw new FilterMismatchError(key.name);
    await checkpoints.refilter(key, filter);
  }

  /** Makes sure that the consumer has as many lanes as this worker shares the streams out to. */
  #expect(found: number): void {
    const { key, lanes } = this.plan;
    if (found === lanes) return;
    this.#registered = false;
    throw new LanesMismatchError(key.name, found, lanes);
  }

  /**
   * Tells where the consumer begins if it is new.
   *
   * @throws {RangeError} If that is ahead of the log: it would be taken for one that went backwards.
   */
  async #start(): Promise<number> {
    const { checkpoints, key, from, driver } = this.plan;
    if (from === "start") return 0;
    const settled = await driver.settled();
    if (from === "now") return settled;
    if (from.after > settled && (await checkpoints.lanes(key)).length === 0) {
      throw new RangeError(
        `from.after must be at most ${settled}, up to where the log is settled, got ${from.after}`,
      );
    }
    return from.after;
  }

  /**
   * Makes sure that a lane which others held meanwhile is still what this worker takes it for. Whoever holds one keeps the
   * lanes from being changed; a worker that shared the streams out otherwise would move the checkpoint past events that
   * it never saw.
   */
  async #verify(): Promise<void> {
    await this.#agree(0, false);
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
    if (passes.length < lanes) {
      const states = await checkpoints.lanes(key);
      this.#expect(states.length);
      positions = states.map(({ position }) => position);
    }
    this.#failures = Math.max(0, ...passes.map(({ failures }) => failures));
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
