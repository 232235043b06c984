import type { StreamKey } from "../driver/keys.ts";
import type { ConsumerPlan } from "../engine/plan.ts";
import type { RunResult, Worker } from "../engine/worker.ts";
import { onAbort } from "../async/abort.ts";
import { checkLanes } from "../engine/options.ts";
import { checkFunction, checkNumber, checkObject, checkPause } from "../errors/check.ts";
import type { Disposal } from "./disposal.ts";
import {
  changeGroup,
  findParked,
  type GroupOptions,
  isGroup,
  type ParkedGroup,
  parkedGroups,
  parkedOf,
  type ParkedStream,
} from "./parked.ts";
import { noticer, reporter } from "./report.ts";
import { type OnceOptions, type RunOptions, within } from "./run.ts";
import { type ConsumerStatus, statusOf } from "./status.ts";

/** Sets the worker of a consumer, which the subclasses create; assigned in the static block. */
export let attach: (consumer: Consumer, worker: Worker) => void;
/** Returns the worker of a consumer; assigned in the static block. */
export let workerOf: (consumer: Consumer) => Worker;

/**
 * Calls a handler for committed events from a durable checkpoint: each at least once, none skipped, those of a stream
 * in order. The base class of `Outbox`, `Subscription` and `Projection`.
 *
 * @category Consumers
 */
export abstract class Consumer {
  #worker!: Worker;
  readonly #disposal: AbortController = new AbortController();
  readonly #runs: Set<Promise<void>> = new Set();

  static {
    attach = (consumer, worker) => {
      consumer.#worker = worker;
    };
    workerOf = (consumer) => consumer.#worker;
  }

  /** Is called by `Outbox`, `Subscription` and `Projection` only; an application does not extend this class. */
  protected constructor() {}

  /** The name, under which its checkpoints are stored. */
  get name(): string {
    return this.#plan.key.name;
  }

  /** The version; 1 unless it is a projection with another. */
  get version(): number {
    return this.#plan.key.version;
  }

  /** The tenant whose events it handles; undefined if it handles those of all tenants. */
  get tenantId(): string | undefined {
    return this.#plan.query.tenantId;
  }

  /**
   * Handles all settled events, then returns: it does not wait for retries, and skips lanes that another worker holds.
   * What a handler throws is not thrown here: it counts as failed, and `parked()` lists it.
   *
   * @param options The signal ends it early: events in flight are finished, their checkpoint is written, and no other
   * event is started.
   * @throws {LanesMismatchError | FilterMismatchError} If the consumer was registered with other lanes, or another
   * filter.
   * @throws {RangeError} If it is new and begins after a position that the log has not reached.
   * @throws {StoreRewoundError} If the log ends before the checkpoint.
   * @throws {MissingSchemaError | NewerSchemaError | OutdatedSchemaError} If the tables are missing or of another
   * version.
   * @throws {ConnectionError} If the database cannot be reached; the next run continues from the checkpoint.
   */
  async runOnce(options: OnceOptions = {}): Promise<RunResult> {
    return await within(
      options,
      (signal) => this.#until(signal, (stop) => this.#worker.once(stop, noticer(this.#plan))),
    );
  }

  /**
   * Runs passes until the log and all due retries are handled, including events that its handlers append meanwhile. It
   * skips lanes that another worker holds, even one that has vanished and whose lease has not run out yet, and it ends
   * when nothing succeeds: compare the `position`.
   *
   * @param options The signal ends it early, as in `runOnce`, whose errors it throws, too.
   * @returns The sums over all passes of what was handled and failed; `parked` and `position` are those of the last
   * pass.
   */
  async drain(options: OnceOptions = {}): Promise<RunResult> {
    return await within(options, async (signal) => {
      let [handled, failed] = [0, 0];
      while (true) {
        const result = await this.runOnce({ signal });
        handled += result.handled;
        failed += result.failed;
        if (result.handled === 0 || signal?.aborted) return { ...result, handled, failed };
      }
    });
  }

  /** Has `run()` look for work now, in this process. */
  wake(): void {
    this.#plan.wakeUps.wake();
  }

  /**
   * Runs until the signal aborts; then finishes the events in flight. Transient errors, such as a failing handler or a
   * lost connection, do not end it: they are reported, and retried after growing pauses. An error that no retry heals
   * ends it: the promise rejects, and `status()` shows the error to every process until the consumer runs again.
   *
   * @throws {TypeError | RangeError} If `pollInterval` is not a whole number from 1, or `onError` not a function.
   * @throws {LanesMismatchError | FilterMismatchError} If the consumer was registered with other lanes, or another
   * filter.
   * @throws {StoreRewoundError} If the log ends before the checkpoint.
   * @throws {MissingSchemaError | NewerSchemaError | OutdatedSchemaError} If the tables are missing or of another
   * version.
   */
  async run(options: RunOptions = {}): Promise<void> {
    const { signal, pollInterval, onError } = checkObject("options", options);
    if (pollInterval !== undefined) checkPause(pollInterval);
    if (onError !== undefined) checkFunction("onError", onError);
    const report = reporter(this.#plan, onError);
    const running = this.#until(signal, (stop) => this.#worker.run(stop, pollInterval, report));
    this.#runs.add(running);
    try {
      await running;
    } finally {
      this.#runs.delete(running);
    }
  }

  /**
   * Returns the state of the consumer, whichever process runs it. One that has never run is at position 0. The values
   * are read one after the other, so they may not be of the same instant.
   */
  async status(): Promise<ConsumerStatus> {
    return await statusOf(this.#plan);
  }

  /**
   * Lists all parked streams, by the position of the event that they wait for: those with a `dueAt` are retried
   * automatically. One whose event was discarded stays listed, without an error, until a pass has continued it.
   */
  async parked(): Promise<readonly ParkedStream[]> {
    return (await this.#plan.checkpoints.parked(this.#plan.key)).map(parkedOf);
  }

  /**
   * Groups the parked streams by what their failures have in common, the largest group first.
   *
   * @param options The greatest number of groups, from 1, by default 100.
   * @throws {UnsupportedError} If the driver keeps no fingerprints.
   */
  async parkedGroups(
    options: { readonly limit?: number | undefined } = {},
  ): Promise<readonly ParkedGroup[]> {
    return await parkedGroups(this.#plan, options);
  }

  /**
   * Makes parked streams due immediately, as if they had never been tried; a `run` in this process tries them now.
   *
   * @param stream The stream; name its tenant only where several have one of that name parked. Or a group, of which those
   * are redriven that have failed since they last were: with a limit, call it until it returns 0. @default all
   * @returns The number of streams; 0 if none is parked, or not the given one.
   * @throws {TypeError | RangeError} If it is not a valid stream id, or several tenants have one of that name parked.
   * @throws {UnsupportedError} If a group is given, and the driver keeps no fingerprints.
   */
  async redrive(stream?: string | StreamKey | GroupOptions): Promise<number> {
    const { checkpoints, key } = this.#plan;
    const count = isGroup(stream)
      ? await changeGroup("redriveGroup", this.#plan, stream)
      : stream === undefined
      ? await checkpoints.redrive(key)
      : await this.#redriveOne(stream);
    this.#worker.wake();
    return count;
  }

  /**
   * Gives up the event that a parked stream waits for, or with `all` every event that waits in it by now; the stream is
   * due immediately and continues with the next event. Discarded events stay in the store; this consumer never handles
   * them. Called again before the stream has continued, it discards nothing more: the next event has not failed.
   *
   * @param stream The stream; name its tenant only where several tenants have one of that name parked.
   * @returns Whether anything was discarded.
   * @throws {TypeError | RangeError} If it is not a valid stream id, or several tenants have one of that name parked.
   */
  discard(
    stream: string | StreamKey,
    options?: { readonly all?: boolean | undefined },
  ): Promise<boolean>;
  /**
   * Gives up the failed event of each stream of a group; the streams are due immediately and continue with the next.
   *
   * @returns The number of events.
   * @throws {TypeError | RangeError} If the group's name is empty, or the limit not a whole number from 1.
   * @throws {UnsupportedError} If the driver keeps no fingerprints.
   */
  discard(group: GroupOptions): Promise<number>;
  async discard(
    stream: string | StreamKey | GroupOptions,
    options: { readonly all?: boolean | undefined } = {},
  ): Promise<boolean | number> {
    const { checkpoints, key } = this.#plan;
    const found = isGroup(stream) ? undefined : await findParked(this.#plan, stream);
    const done = isGroup(stream)
      ? await changeGroup("discardGroup", this.#plan, stream)
      : found !== undefined && await checkpoints.discard(key, found, options.all ?? false);
    this.#worker.wake();
    return done;
  }

  /**
   * Waits until the checkpoint has reached a position, such as that of an append: a read model of the consumer then
   * includes it. Events of parked streams count as passed. If no process runs the consumer, it waits until the signal
   * aborts.
   *
   * @param position The position to wait for, as an append returns it; from 0.
   * @param options The signal ends the wait: the promise rejects with its reason.
   * @throws {TypeError | RangeError} If the position is not a whole number from 0.
   */
  async waitFor(
    position: number,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    checkNumber("position", position);
    const { signal } = options;
    signal?.throwIfAborted();
    const release = signal && onAbort(signal, () => {});
    try {
      for (let pause = 5;; pause = Math.min(pause * 2, 250)) {
        const lanes = await this.#plan.checkpoints.lanes(this.#plan.key);
        if (lanes.length > 0 && lanes.every((lane) => lane.position >= position)) return;
        await this.#worker.progress(pause, signal);
        signal?.throwIfAborted();
      }
    } finally {
      release?.();
    }
  }

  /**
   * Changes the number of lanes. All other workers have to release their lanes; this one first advances all lanes to
   * the same position. From then on every worker must be created with the new number: others fail with a
   * `LanesMismatchError`.
   *
   * @param lanes The new number, from 1 to 1024.
   * @throws {TypeError | RangeError} If it is out of range; nothing is changed.
   * @throws {BusyError} If other workers do not release their lanes within twice the `lease`. Or what a handler threw,
   * if a failure keeps a lane from that position: the number of lanes is unchanged then.
   */
  async relane(lanes: number): Promise<void> {
    checkLanes(lanes);
    await this.#worker.relane(lanes);
  }

  /** Stops all runs and waits for the events in flight. @internal Declared by `Disposal`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    await Promise.allSettled([...this.#runs, this.#worker.idle()]);
  }

  get #plan(): ConsumerPlan {
    return this.#worker.plan;
  }

  async #redriveOne(stream: string | StreamKey): Promise<number> {
    const found = await findParked(this.#plan, stream);
    return found === undefined ? 0 : await this.#plan.checkpoints.redrive(this.#plan.key, found);
  }

  /** Runs work with a signal that aborts with the caller's signal or on disposal. */
  async #until<R>(
    signal: AbortSignal | undefined,
    work: (stop: AbortSignal) => Promise<R>,
  ): Promise<R> {
    const disposed = this.#disposal.signal;
    if (signal === undefined || disposed.aborted) return await work(disposed);
    if (signal.aborted) return await work(signal);
    const stop = new AbortController();
    const removals = [signal, disposed].map((one) => onAbort(one, () => stop.abort()));
    try {
      return await work(stop.signal);
    } finally {
      for (const remove of removals) remove();
    }
  }
}

/**
 * Disposing of it stops all runs and waits for the events in flight.
 *
 * @category Consumers
 */
export interface Consumer extends Disposal {}
