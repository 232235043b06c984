import type { StreamKey } from "../driver/checkpoints.ts";
import type { ErrorContext } from "../engine/context.ts";
import type { ConsumerPlan } from "../engine/plan.ts";
import type { RunResult, Worker } from "../engine/worker.ts";
import { onAbort } from "../async/abort.ts";
import { checkLanes } from "../engine/options.ts";
import { checkFunction, checkName, checkNumber, checkObject } from "../errors/check.ts";
import { reporter } from "./report.ts";
import { type ConsumerStatus, statusOf } from "./status.ts";

/** How to run a consumer. */
export interface RunOptions {
  /** Ends it: what is in flight is finished first. @default it runs until it is disposed of */
  readonly signal?: AbortSignal | undefined;
  /** How often it looks for work at least, in milliseconds; a notification wakes it earlier. @default 1000 */
  readonly pollInterval?: number | undefined;
  /**
   * Receives what a handler threw, why a pass failed, and notices; the consumer goes on. The context says which event it
   * was and when it is tried again.
   * @default prints a line of text, the same error of a consumer at most once a minute
   */
  readonly onError?: ((error: unknown, context: ErrorContext) => void) | undefined;
}

/** A stream that waits since an event of it failed. */
export interface ParkedStream extends StreamKey {
  /** The position of the event that failed. */
  readonly position: number;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is tried again, a UTC instant by the system's clock; undefined where only `redrive` or `discard` helps. */
  readonly dueAt: Date | undefined;
  /** What went wrong. */
  readonly error: string | undefined;
  /** When it went wrong, a UTC instant. */
  readonly failedAt: Date;
}

/** Gives the three kinds of consumers access to a consumer's worker; assigned in the static block. */
export let attach: (consumer: Consumer, worker: Worker) => void;
/** Returns the worker of a consumer; assigned in the static block. */
export let workerOf: (consumer: Consumer) => Worker;

/**
 * Hands events to a handler, after their commit, from a durable checkpoint: at least once, none skipped, those of a
 * stream in order. What `Outbox`, `Subscription` and `Projection` have in common.
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

  /** Is for `Outbox`, `Subscription` and `Projection` only. */
  protected constructor() {}

  /** Its name. */
  get name(): string {
    return this.#plan.key.name;
  }

  /**
   * Handles all that is there now, then returns: it does not wait for retries, and skips lanes that another worker holds.
   * What a handler throws is not thrown here: it counts as failed, and `parked()` lists it.
   *
   * @param options When to end early: what is in flight is finished, its checkpoint written, and nothing more begun.
   * @throws {LanesMismatchError | FilterMismatchError} If the consumer was registered with other lanes, or another filter.
   * @throws {RangeError} If it is new and begins after a position that the log has not reached.
   * @throws {StoreRewoundError} If the log ends before the checkpoint.
   * @throws {MissingSchemaError | NewerSchemaError | OutdatedSchemaError} If the tables are not those of this version.
   * @throws {ConnectionError} If the database cannot be reached; the next run goes on from the checkpoint.
   */
  async runOnce(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<RunResult> {
    return await this.#until(options.signal, (stop) => this.#worker.once(stop));
  }

  /**
   * Runs again and again until the log and all that is due is handled, including what its handlers append meanwhile. It
   * skips lanes that another worker holds, even one that has vanished and whose lease has not run out yet, and it ends
   * where nothing succeeds: compare the `position`.
   *
   * @param options When to end early, as in `runOnce`, whose errors it throws, too.
   * @returns The outcome of all passes together; streams parked and position are those of the last.
   */
  async drain(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<RunResult> {
    let [handled, failed] = [0, 0];
    while (true) {
      const result = await this.runOnce(options);
      handled += result.handled;
      failed += result.failed;
      if (result.handled === 0 || options.signal?.aborted) return { ...result, handled, failed };
    }
  }

  /**
   * Runs until it is told to stop; then finishes what is in flight. What may heal by itself, such as a failing handler or
   * a lost connection, does not end it: it is reported, and tried again after growing pauses. What no retry heals ends it:
   * the promise rejects, and `status()` shows the error to every process until the consumer runs again.
   *
   * @throws {TypeError | RangeError} If `pollInterval` is not a whole number from 1, or `onError` not a function.
   * @throws {LanesMismatchError | FilterMismatchError} If the consumer was registered with other lanes, or another filter.
   * @throws {StoreRewoundError} If the log ends before the checkpoint.
   * @throws {MissingSchemaError | NewerSchemaError | OutdatedSchemaError} If the tables are not those of this version.
   */
  async run(options: RunOptions = {}): Promise<void> {
    const { signal, pollInterval = 1000, onError } = checkObject("options", options);
    checkNumber("pollInterval", pollInterval, 1);
    if (onError !== undefined) checkFunction("onError", onError);
    const report = reporter(this.name, onError);
    const running = this.#until(signal, (stop) => this.#worker.run(stop, pollInterval, report));
    this.#runs.add(running);
    try {
      await running;
    } finally {
      this.#runs.delete(running);
    }
  }

  /**
   * Returns the state of the consumer, whichever process works on it. One that has never run is at position 0. The numbers
   * are read one after the other, so that they may differ by what happens meanwhile.
   */
  async status(): Promise<ConsumerStatus> {
    return await statusOf(this.#plan);
  }

  /**
   * Lists all waiting streams, by the position of the event that they wait for: those with a `dueAt` are tried again by
   * themselves. One whose event was discarded stays, without an error, until a pass has gone on with it.
   */
  async parked(): Promise<readonly ParkedStream[]> {
    const rows = await this.#plan.checkpoints.parked(this.#plan.key);
    return rows.map(({ delay, failedAt, ...row }) => ({
      ...row,
      dueAt: delay === undefined ? undefined : new Date(Date.now() + delay),
      failedAt: new Date(failedAt),
    }));
  }

  /**
   * Makes parked streams due immediately, as if they had never been tried. The next pass tries them: a `run` in this
   * process makes it immediately.
   *
   * @param stream Which; its tenant only where several have a stream of that name parked. @default all
   * @returns How many streams; 0 where none is parked, or not that one.
   * @throws {TypeError | RangeError} If it is not a valid stream id, or several tenants have one of that name parked.
   */
  async redrive(stream?: string | StreamKey): Promise<number> {
    const found = stream === undefined ? undefined : await this.#find(stream);
    if (stream !== undefined && found === undefined) return 0;
    const count = await this.#plan.checkpoints.redrive(this.#plan.key, found);
    this.#worker.wake();
    return count;
  }

  /**
   * Gives up the event that a parked stream waits for, or with `all` everything that waits in it by now; the stream is
   * due immediately and goes on with what comes after. What is given up stays in the store; this consumer never handles
   * it. Called again before the stream has gone on, it gives up nothing more: what comes after has not failed.
   *
   * @param stream Which; its tenant only where several have a stream of that name parked.
   * @returns Whether anything was given up.
   * @throws {TypeError | RangeError} If it is not a valid stream id, or several tenants have one of that name parked.
   */
  async discard(
    stream: string | StreamKey,
    options: { readonly all?: boolean | undefined } = {},
  ): Promise<boolean> {
    const found = await this.#find(stream);
    if (found === undefined) return false;
    const done = await this.#plan.checkpoints.discard(this.#plan.key, found, options.all ?? false);
    this.#worker.wake();
    return done;
  }

  /**
   * Waits until the checkpoint has reached a position, such as that of an append: what the consumer has made of it can be
   * read afterwards. Events of parked streams count as passed. Where no process runs the consumer, it waits for ever unless
   * there is a signal.
   *
   * @param position The position to wait for, as an append returns it; from 0.
   * @param options When to give up: rejects with the signal's reason.
   * @throws {TypeError | RangeError} If the position is no whole number from 0.
   */
  async waitFor(
    position: number,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    checkNumber("position", position);
    const { signal } = options;
    for (let pause = 5;; pause = Math.min(pause * 2, 250)) {
      signal?.throwIfAborted();
      const lanes = await this.#plan.checkpoints.lanes(this.#plan.key);
      if (lanes.length > 0 && lanes.every((lane) => lane.position >= position)) return;
      await this.#worker.progress(pause, signal);
    }
  }

  /**
   * Changes the number of lanes. All workers stop for it; this one first brings all lanes to the same position. Then
   * every worker must be made with as many: others fail with a `LanesMismatchError`.
   *
   * @param lanes How many, from 1 to 1024.
   * @throws {TypeError | RangeError} If that is out of range; nothing is changed.
   * @throws {BusyError} If other workers do not release their lanes within twice the `lease`. Or what a handler threw, if
   * so much fails that the lanes cannot be brought there: nothing is changed then.
   */
  async relane(lanes: number): Promise<void> {
    checkLanes(lanes);
    await this.#worker.relane(lanes);
  }

  /**
   * Stops all runs and waits for what is in flight.
   *
   * @internal Declared by `Disposal`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    await Promise.allSettled([...this.#runs, this.#worker.idle()]);
  }

  get #plan(): ConsumerPlan {
    return this.#worker.plan;
  }

  /** Finds a parked stream by its name. */
  async #find(stream: string | StreamKey): Promise<StreamKey | undefined> {
    const { tenantId, streamId } = typeof stream === "string"
      ? { tenantId: undefined, streamId: stream }
      : checkObject("stream", stream);
    checkName("streamId", streamId);
    if (tenantId !== undefined && tenantId !== "") checkName("tenantId", tenantId);
    const found = (await this.#plan.checkpoints.parked(this.#plan.key)).filter((row) =>
      row.streamId === streamId && (tenantId === undefined || row.tenantId === tenantId)
    );
    if (found.length > 1) {
      throw new TypeError(
        "stream must name its tenant, as { tenantId, streamId }: several tenants have one of that name parked",
      );
    }
    return found[0];
  }

  /** Does work that is to end by the caller's signal or the disposal. */
  async #until<R>(
    signal: AbortSignal | undefined,
    work: (stop: AbortSignal) => Promise<R>,
  ): Promise<R> {
    const disposed = this.#disposal.signal;
    if (signal === undefined || disposed.aborted) return await work(disposed);
    if (signal.aborted) return await work(signal);
    const stop = new AbortController();
    const forget = [signal, disposed].map((one) => onAbort(one, () => stop.abort()));
    try {
      return await work(stop.signal);
    } finally {
      for (const done of forget) done();
    }
  }
}

/** What `await using` needs, where the program's `lib` has it: elsewhere, naming the symbol would be an error. */
export type Disposal = {
  readonly [
    Key in SymbolConstructor extends { readonly asyncDispose: infer Known extends symbol } ? Known
      : never
  ]: () => Promise<void>;
};

/** Its disposal stops all runs and waits for what is in flight. */
export interface Consumer extends Disposal {}
