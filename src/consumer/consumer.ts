import type { StreamKey } from "../driver/checkpoints.ts";
import type { ConsumerPlan } from "../engine/plan.ts";
import type { RunResult, Worker } from "../engine/worker.ts";
import { onAbort } from "../async/abort.ts";
import { checkLanes } from "../engine/options.ts";
import { checkName, checkNumber, checkObject } from "../errors/check.ts";

/** How to run a consumer. */
export interface RunOptions {
  /** Ends it: what is in flight is finished first. @default it runs until it is disposed of */
  readonly signal?: AbortSignal | undefined;
  /** How often it looks for work at least, in milliseconds; a notification wakes it earlier. @default 1000 */
  readonly pollInterval?: number | undefined;
  /** Is told what a handler threw, and why a pass failed; the consumer goes on. @default prints it with `console.error` */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** How a consumer is doing. */
export interface ConsumerStatus {
  /** The checkpoint: that of the lane which is furthest behind. */
  readonly position: number;
  /** The settled position of the log. */
  readonly head: number;
  /** How far the checkpoint is behind it: positions have holes, so at most as many events. */
  readonly lag: number;
  /** How many streams are parked. */
  readonly parked: number;
  /** Who works on it at this moment; undefined where nobody does. */
  readonly owner: string | undefined;
  /** Whether nothing succeeded any more when it last ran. */
  readonly stalled: boolean;
}

/** A stream that failed and waits. */
export interface ParkedStream extends StreamKey {
  /** The position of the event that failed. */
  readonly position: number;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it is tried again, a UTC instant; undefined where only `redrive` or `discard` helps. */
  readonly dueAt: Date | undefined;
  /** What went wrong. */
  readonly error: string | undefined;
  /** When it went wrong, a UTC instant. */
  readonly failedAt: Date;
}

/**
 * Hands events to a handler, after their commit, from a durable checkpoint: at least once, none skipped, those of a
 * stream in order. The engine of `Outbox`, `Subscription` and `Projection`.
 */
export class Consumer {
  /** Its name. */
  readonly name: string;
  /** What does the work. */
  readonly #worker: Worker;
  readonly #plan: ConsumerPlan;
  readonly #disposal: AbortController = new AbortController();
  readonly #runs: Set<Promise<void>> = new Set();

  /** Is not for users: make an `Outbox`, a `Subscription` or a `Projection`. */
  constructor(worker: Worker) {
    this.#worker = worker;
    this.#plan = worker.plan;
    this.name = worker.plan.key.name;
  }

  /**
   * Handles all that is there now, then returns: it waits for no retry. What another worker is at is left to it. What a
   * handler throws is not thrown here: it counts as failed, and `parked` tells it.
   *
   * @param options When to end early: what is in flight is finished, its checkpoint written, and nothing more begun.
   * @throws {LanesMismatchError | FilterMismatchError} If the consumer was made otherwise before.
   * @throws {RangeError} If it is new and begins after a position that the log has not reached.
   * @throws {StoreRewoundError} If the log ends before the checkpoint.
   * @throws {ConnectionError} If the database cannot be reached; the next run goes on from the checkpoint.
   */
  async runOnce(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<RunResult> {
    return await this.#until(options.signal, (stop) => this.#worker.once(stop, () => {}));
  }

  /**
   * Runs again and again until the log and all that is due is handled, also what its handlers append meanwhile. What
   * another worker is at is left to it, even where that one has vanished and its lease must run out first, and where nothing
   * succeeds it ends: the `position` tells.
   *
   * @param options When to end early, as in `runOnce`, whose errors it throws, too.
   * @returns What came of all passes together; streams parked and position are those of the last.
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
   * Runs until it is told to stop; then finishes what is in flight. Nothing that goes wrong ends it: it is reported, and
   * tried again after growing pauses.
   *
   * @throws {TypeError | RangeError} If `pollInterval` is no whole number from 1.
   */
  async run(options: RunOptions = {}): Promise<void> {
    const { signal, pollInterval = 1000, onError } = options;
    checkNumber("pollInterval", pollInterval, 1);
    const report = reporter(onError);
    const running = this.#until(signal, (stop) => this.#worker.run(stop, pollInterval, report));
    this.#runs.add(running);
    try {
      await running;
    } finally {
      this.#runs.delete(running);
    }
  }

  /**
   * Tells how the consumer is doing, whoever works on it. One that has never run is at position 0. The numbers are read
   * one after the other, so that they may differ by what happens meanwhile.
   */
  async status(): Promise<ConsumerStatus> {
    const lanes = await this.#plan.checkpoints.lanes(this.#plan.key);
    const parked = await this.#plan.checkpoints.parked(this.#plan.key);
    const head = await this.#plan.driver.settled();
    const position = lanes.length === 0 ? 0 : Math.min(...lanes.map((lane) => lane.position));
    return {
      position,
      head,
      lag: Math.max(0, head - position),
      parked: parked.length,
      owner: lanes.find(({ owner }) => owner !== undefined)?.owner,
      stalled: lanes.some(({ stalled }) => stalled),
    };
  }

  /**
   * Lists the parked streams, by the position of the event that they wait for; empty where there are none. One whose event
   * was discarded stays, without an error, until a pass has gone on with it.
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
   * Makes parked streams due at once, with all attempts before them. The next pass tries them: that of a `run` in this
   * process comes at once.
   *
   * @param stream Which; its tenant only where several have a stream of that name parked. @default all
   * @returns How many streams; 0 where none is parked, or not that one.
   * @throws {TypeError | RangeError} If the name is none of a stream, or several tenants have one of that name parked.
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
   * due at once and goes on with what comes after. What is given up stays in the store; this consumer never handles it.
   * Called again before the stream has gone on, it gives up nothing more: what comes after has not failed.
   *
   * @param stream Which; its tenant only where several have a stream of that name parked.
   * @returns Whether anything was given up.
   * @throws {TypeError | RangeError} If the name is none of a stream, or several tenants have one of that name parked.
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
   * Waits until the checkpoint has reached a position, such as that of one's own append: whoever reads afterwards sees
   * what the consumer has made of it. Events of parked streams count as passed. Where nobody runs the consumer, it waits
   * for ever unless there is a signal.
   *
   * @param position The position to wait for, as an append tells it; from 0.
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
   * @throws {BusyError} If others do not give up their lanes within twice the `lease`. Or what a handler threw, if so much
   * fails that the lanes cannot be brought there: nothing is changed then.
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

/** What `await using` needs, where the program's `lib` knows of it: named outright, the symbol is an error in others. */
export type Disposal = {
  readonly [
    Key in SymbolConstructor extends { readonly asyncDispose: infer Known extends symbol } ? Known
      : never
  ]: () => Promise<void>;
};

/** Its disposal stops all runs and waits for what is in flight. */
export interface Consumer extends Disposal {}

function reporter(onError: RunOptions["onError"]): (error: unknown) => void {
  const tell = onError ?? ((error: unknown) => console.error(error));
  return (error) => {
    try {
      tell(error);
    } catch (second) {
      console.error(second);
    }
  };
}
