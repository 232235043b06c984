import type { Event, RecordedEvent } from "../event/event.ts";
import type { Inside } from "../store/internals.ts";
import type { EventStore } from "../store/store.ts";
import { HandlerTimeoutError } from "../errors/consumer.ts";

/** What a consumer's handler is given besides the event. */
export interface ConsumerContext<E extends Event = Event, Db = unknown> {
  /**
   * The store, of the event's tenant: what is appended through it carries the event's correlation id, and the event's id
   * as causation id. In a transactional handler it is inside the transaction.
   */
  readonly store: EventStore<E, Db>;
  /** The database handle; in a transactional handler, that of the transaction that also moves the checkpoint. */
  readonly db: Db;
  /** Aborts when the answer would come too late: after `timeout`, or when another worker has taken over. */
  readonly signal: AbortSignal;
  /** Which attempt at the event this is, from 1. */
  readonly attempt: number;
}

/** What a projection's handler is given besides the event. */
export interface ProjectionContext<E extends Event = Event, Db = unknown>
  extends ConsumerContext<E, Db> {
  /** The projection's version, by which it may choose its table. */
  readonly projectionVersion: number;
}

/** What a handler threw, on its way through a transaction. */
export class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** One call of a handler: its context, and what ends it. */
export class Call<E extends Event, Db> implements ProjectionContext<E, Db> {
  readonly db: Db;
  readonly attempt: number;
  readonly projectionVersion: number;
  readonly #inside: Inside<E, Db>;
  readonly #event: RecordedEvent<E>;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  constructor(
    inside: Inside<E, Db>,
    db: Db,
    event: RecordedEvent<E>,
    attempt: number,
    projectionVersion: number,
  ) {
    this.#inside = inside;
    this.#event = event;
    this.db = db;
    this.attempt = attempt;
    this.projectionVersion = projectionVersion;
  }

  get store(): EventStore<E, Db> {
    return this.#inside.reacting(this.#event);
  }

  // Made when somebody asks: most handlers do not, and a controller a call is dear.
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    return this.#controller.signal;
  }

  /** Ends the call: it rejects, whatever the handler still does. */
  abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#controller?.abort(reason);
    this.#reject?.(reason);
  }

  /**
   * Calls the handler and waits for its answer, but not for ever.
   *
   * @throws {Thrown} What the handler threw, or that it took too long.
   */
  async run(
    handle: (context: ProjectionContext<E, Db>) => unknown,
    consumer: string,
    timeout: number,
  ): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const answer = handle(this);
      if (!isPromiseLike(answer)) return;
      await new Promise<void>((resolve, reject) => {
        this.#reject = reject;
        if (this.#aborted !== undefined) reject(this.#aborted.reason);
        timer = setTimeout(() => this.abort(new HandlerTimeoutError(consumer, timeout)), timeout);
        answer.then(() => resolve(), reject);
      });
    } catch (error) {
      throw new Thrown(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
