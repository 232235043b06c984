import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import type { ProjectionContext } from "./context.ts";
import { HandlerTimeoutError } from "../errors/consumer.ts";
import { isPromise } from "../errors/kind.ts";
import { type Internals, storeFor } from "../store/internals.ts";

/** Carries what a handler threw through a transaction. */
export class HandlerFailure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** One call of a handler: its context, its timeout and its abortion. */
export class Call<E extends Event, Db> implements ProjectionContext<E, Db> {
  readonly db: Db;
  readonly attempt: number;
  readonly projectionVersion: number;
  readonly #internals: Internals<E, Db>;
  readonly #event: RecordedEvent<E>;
  readonly #replaying: () => boolean;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  constructor(
    internals: Internals<E, Db>,
    db: Db,
    event: RecordedEvent<E>,
    attempt: number,
    projectionVersion: number,
    replaying: () => boolean,
  ) {
    this.#internals = internals;
    this.#event = event;
    this.db = db;
    this.attempt = attempt;
    this.projectionVersion = projectionVersion;
    this.#replaying = replaying;
  }

  get store(): EventStore<E, Db> {
    return storeFor(this.#internals, this.#event);
  }

  get replaying(): boolean {
    return this.#replaying();
  }

  // Made lazily: most handlers never ask for it, and a controller per call is expensive.
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    return this.#controller.signal;
  }

  /** Aborts the call: `run` rejects with the reason, even if the handler keeps running. */
  abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#controller?.abort(reason);
    this.#reject?.(reason);
  }

  /**
   * Calls the handler and waits for its result, for at most `timeout` milliseconds.
   *
   * @throws {HandlerFailure} If the handler threw, or took too long.
   */
  async run(
    handle: (context: ProjectionContext<E, Db>) => unknown,
    consumer: string,
    timeout: number,
  ): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const result = handle(this);
      if (!isPromise(result)) return;
      await new Promise<void>((resolve, reject) => {
        this.#reject = reject;
        if (this.#aborted !== undefined) reject(this.#aborted.reason);
        timer = setTimeout(() => this.abort(new HandlerTimeoutError(consumer, timeout)), timeout);
        result.then(() => resolve(), reject);
      });
    } catch (error) {
      throw new HandlerFailure(error);
    } finally {
      clearTimeout(timer);
    }
  }
}
