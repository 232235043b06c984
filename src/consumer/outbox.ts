import type { ConsumerOptions, ConsumerStart } from "../engine/options.ts";
import type { PassWatch } from "../engine/plan.ts";
import type { Work } from "../engine/work.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import { checkFilterPolicy } from "../engine/options.ts";
import { planOf } from "../engine/plan.ts";
import { Worker } from "../engine/worker.ts";
import { checkObject } from "../errors/check.ts";
import { internalsOf } from "../store/internals.ts";
import { attach, Consumer } from "./consumer.ts";

/**
 * The second argument of a publisher.
 *
 * @category Consumers
 */
export interface PublisherContext {
  /** Aborts when a result would come too late: after `timeout`, or when another worker has taken over. */
  readonly signal: AbortSignal;
  /** The number of this attempt at the event, from 1. */
  readonly attempt: number;
}

/**
 * Publishes events: a function, or one of `event-sourcery/publishers`.
 *
 * @category Consumers
 */
export interface Publisher<E extends Event = Event> {
  /**
   * Publishes an event; resolves when the broker has accepted it. If it throws, the event is retried according to
   * `retry`, except after a `PermanentError`, and after a `RetryLaterError` no earlier than it says.
   */
  (event: RecordedEvent<E>, context: PublisherContext): unknown;
  /**
   * Publishes at most `batchSize` events, by position. If it rejects, each of them is published in a call of its own,
   * so that the failing one is found.
   * @default each event is published in a call of its own
   */
  readonly batch?:
    | ((events: readonly RecordedEvent<E>[], context: PublisherContext) => unknown)
    | undefined;
}

/**
 * Options of an outbox: with a publisher for one event, or for batches.
 *
 * @category Consumers
 */
export type OutboxOptions<E extends Event> =
  & ConsumerOptions
  & {
    /** Its name: two outboxes of one name share the work. @default "outbox" */
    readonly name?: string | undefined;
    /** Where it starts when it first runs. @default "start" */
    readonly from?: ConsumerStart | undefined;
    /**
     * Whether sensitive fields are published as their masks, or as they are: what a broker has, no `forget` reaches. It
     * must be said where a type of the store has sensitive fields.
     */
    readonly sensitive?: "mask" | "reveal" | undefined;
  }
  & (
    | {
      /** Publishes an event, or a batch where it can. */
      readonly publisher: Publisher<E>;
      readonly publishBatch?: undefined;
    }
    | {
      /**
       * Publishes at most `batchSize` events, by position. If it rejects, each of them is published in a call of its
       * own, so that the failing one is found.
       */
      readonly publishBatch: (
        events: readonly RecordedEvent<E>[],
        context: PublisherContext,
      ) => unknown;
      readonly publisher?: undefined;
    }
  );

/**
 * Hands published events to a publisher: each at least once, those of a stream in order, even across outages of the
 * broker. Events that were only appended are not included: see the store's `publish` and `publishes`.
 *
 * @category Consumers
 *
 * @example Publish events to a broker
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
 * @example Handle events that cannot be published
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
 * assert.equal((await outbox.status()).parked, 1); // it waits for `redrive` or `discard`
 * const [waiting] = await outbox.parked();
 * assert.equal(waiting?.error, "Cannot handle the event, now or later: the queue is unknown");
 *
 * refused = false;
 * assert.equal(await outbox.redrive("order:42"), 1); // or `discard`, which gives the event up
 * assert.equal((await outbox.drain()).handled, 1);
 * ```
 */
export class Outbox<E extends Event = Event, Db = unknown> extends Consumer {
  /**
   * Creates an outbox.
   *
   * @throws {TypeError | RangeError} If an option is malformed or out of range.
   * @throws {UnsupportedError} If the driver does not support consumers.
   */
  constructor(store: EventStore<E, Db>, options: OutboxOptions<E>) {
    checkObject("options", options);
    super();
    const { name = "outbox", publisher, publishBatch, sensitive, ...rest } = options;
    const masked = masks(store, sensitive);
    const work = { ...workOf<E, Db>(publisher, publishBatch), masked };
    const watch = new PublishedWatch(store);
    checkFilterPolicy(rest.onFilterChange, false);
    const plan = planOf<E, Db>(store, { ...rest, name, published: true, work, watch });
    attach(this, new Worker(plan));
  }
}

/** The number of events that an outbox passes, none of them published, before it gives notice. */
const noticeAfter = 10;

/** Detects that none of the events that an outbox has passed was published: most likely they were only appended. */
class PublishedWatch implements PassWatch {
  readonly #store: object;
  #done = false;
  #inspected = 0;

  constructor(store: object) {
    this.#store = store;
  }

  get done(): boolean {
    return this.#done;
  }

  async inspect(after: number, until: number): Promise<Error | undefined> {
    const internals = internalsOf(this.#store);
    const passed = until - after;
    // A tenant may have few events among many: the log is inspected again after twice as many.
    if (internals === undefined || passed < Math.max(noticeAfter, 2 * this.#inspected)) {
      return undefined;
    }
    this.#inspected = passed;
    const { tenantId, shared: { driver } } = internals;
    const filter = { tenantId, categories: undefined, types: undefined, tags: undefined };
    const published = await driver.scan({ ...filter, published: true, after, until, limit: 1 });
    this.#done = published.events.length > 0;
    if (this.#done) return undefined;
    const { events } = await driver.scan({ ...filter, after, until, limit: noticeAfter });
    if (events.length < noticeAfter) return undefined;
    this.#done = true;
    return new Error(
      `it has passed ${noticeAfter} events, of which none was published: append them with "publish", set ` +
        '"publishes" of the EventStore, or "publish: true" of the Repository or decider',
    );
  }
}

/** Checks what was said of sensitive fields, and returns whether they are masked. */
function masks(store: object, sensitive: unknown): boolean {
  const catalog = internalsOf(store)?.shared.catalog;
  const silent = sensitive === undefined && (!catalog?.protects || catalog.masks);
  if (!silent && sensitive !== "mask" && sensitive !== "reveal") {
    throw new TypeError(
      'sensitive must be "mask" or "reveal": types of the store have sensitive fields, and no forget() reaches what a broker has',
    );
  }
  if (sensitive === "reveal" && catalog?.masks) {
    throw new TypeError('sensitive must be "mask": the store\'s keys are "mask"');
  }
  return sensitive !== "reveal";
}

function workOf<E extends Event, Db>(
  publisher: OutboxOptions<E>["publisher"],
  publishBatch: OutboxOptions<E>["publishBatch"],
): Work<E, Db> {
  if (typeof publisher === "function" && publishBatch === undefined) {
    const { batch } = publisher;
    if (typeof batch === "function") return { mode: "batch", handle: batch };
    return { mode: "each", handle: ([event], context) => publisher(event!, context) };
  }
  if (typeof publishBatch === "function" && publisher === undefined) {
    return { mode: "batch", handle: publishBatch };
  }
  throw new TypeError("publisher or publishBatch must be a function, and only one of them");
}
