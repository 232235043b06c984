import type { ConsumerOptions, ConsumerStart } from "../engine/options.ts";
import type { Work } from "../engine/work.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import { planOf } from "../engine/plan.ts";
import { Worker } from "../engine/worker.ts";
import { checkObject } from "../errors/check.ts";
import { Consumer } from "./consumer.ts";

/** What a publisher is given besides the event. */
export interface PublisherContext {
  /** Aborts when the answer would come too late: after `timeout`, or when another worker has taken over. */
  readonly signal: AbortSignal;
  /** Which attempt at the event this is, from 1. */
  readonly attempt: number;
}

/** How an outbox works: with a publisher for one event, or for many. */
export type OutboxOptions<E extends Event> =
  & ConsumerOptions
  & {
    /** Its name: two outboxes of one name share the work. @default "outbox" */
    readonly name?: string | undefined;
    /** Where it begins when it first runs. @default "start" */
    readonly from?: ConsumerStart | undefined;
  }
  & (
    | {
      /**
       * Publishes an event; resolves when the broker has it. What it throws is tried again as `retry` says, a
       * `PermanentError` is not.
       */
      readonly publisher: (event: RecordedEvent<E>, context: PublisherContext) => unknown;
      readonly publishBatch?: undefined;
    }
    | {
      /**
       * Publishes events, by position: at most `batchSize`. When it rejects, each of them is published by itself, so that
       * the one that cannot be is found.
       */
      readonly publishBatch: (
        events: readonly RecordedEvent<E>[],
        context: PublisherContext,
      ) => unknown;
      readonly publisher?: undefined;
    }
  );

/** The constructor of `Outbox`. */
export interface OutboxConstructor {
  /**
   * Makes an outbox.
   *
   * @throws {TypeError | RangeError} If an option is malformed or out of range.
   */
  new <E extends Event, Db>(store: EventStore<E, Db>, options: OutboxOptions<E>): Consumer;
}

/**
 * Makes outboxes: consumers that hand over published events to a publisher, each at least once, those of a stream in
 * order, whatever happens to the broker.
 *
 * @example Publish what was stored to be published
 * ```ts
 * import { defineEvent, EventStore, Outbox } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent("OrderPlaced");
 * const store = new EventStore(memory(), { events: [OrderPlaced] });
 * await store.publish("order:42", OrderPlaced());
 *
 * const sent: string[] = [];
 * const outbox = new Outbox(store, { publisher: (event) => sent.push(event.type) });
 * await outbox.runOnce();
 * assert.deepEqual(sent, ["OrderPlaced"]);
 * ```
 *
 * @example Look after what cannot be published
 * ```ts
 * import { defineEvent, EventStore, Outbox, PermanentError } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent("OrderPlaced");
 * const store = new EventStore(memory(), { events: [OrderPlaced] });
 * await store.publish("order:42", OrderPlaced());
 *
 * let refused = true;
 * const outbox = new Outbox(store, {
 *   publisher() {
 *     if (refused) throw new PermanentError("the queue is unknown");
 *   },
 * });
 * await outbox.drain();
 * assert.equal((await outbox.status()).parked, 1);
 * const [waiting] = await outbox.parked();
 * assert.equal(waiting?.error, "Cannot handle the event, now or later: the queue is unknown");
 *
 * refused = false;
 * assert.equal(await outbox.redrive("order:42"), 1); // or `discard`, which gives the event up
 * assert.equal((await outbox.drain()).handled, 1);
 * ```
 */
export const Outbox: OutboxConstructor = class Outbox<E extends Event, Db> extends Consumer {
  /** Makes an outbox, as `OutboxConstructor` says. */
  constructor(store: EventStore<E, Db>, options: OutboxOptions<E>) {
    checkObject("options", options);
    const { name = "outbox", publisher, publishBatch, ...rest } = options;
    const work = workOf<E, Db>(publisher, publishBatch);
    super(new Worker(planOf<E, Db>(store, { ...rest, name, published: true, work })));
  }
};

/** What `new Outbox` makes: a consumer like others. */
export type Outbox = Consumer;

function workOf<E extends Event, Db>(
  publisher: OutboxOptions<E>["publisher"],
  publishBatch: OutboxOptions<E>["publishBatch"],
): Work<E, Db> {
  if (typeof publisher === "function" && publishBatch === undefined) {
    return { mode: "each", handle: ([event], context) => publisher(event!, context) };
  }
  if (typeof publishBatch === "function" && publisher === undefined) {
    return { mode: "batch", handle: publishBatch };
  }
  throw new TypeError("publisher or publishBatch must be a function, and only one of them");
}
