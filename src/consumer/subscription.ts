import type { ConsumerContext } from "../engine/context.ts";
import type { ConsumerOptions, ConsumerStart } from "../engine/options.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import { checkFilterPolicy } from "../engine/options.ts";
import { planOf } from "../engine/plan.ts";
import { Worker } from "../engine/worker.ts";
import { checkFunction, checkObject } from "../errors/check.ts";
import { attach, Consumer } from "./consumer.ts";

/**
 * Options of a subscription. `Type` is inferred from `types`, which narrow the event.
 *
 * @category Consumers
 */
export interface SubscriptionOptions<E extends Event, Db, Type extends E["type"] = E["type"]>
  extends ConsumerOptions {
  /** Its name: two subscriptions of one name share the work. */
  readonly name: string;
  /** Only events of these types. @default all */
  readonly types?: readonly Type[] | undefined;
  /** Only events of streams of these categories. @default all */
  readonly categories?: readonly string[] | undefined;
  /** Where it starts when it first runs. @default "start" */
  readonly from?: ConsumerStart | undefined;
  /**
   * Whether the handler runs in a transaction that also moves the checkpoint, so that its writes through `db` and
   * `store` take effect exactly once. @default whether the handler declares a second parameter, its context; one with a
   * default value, or among rest parameters, does not count
   */
  readonly transaction?: boolean | undefined;
  /**
   * Handles an event, which is done when this returns or resolves. If it throws, the event is retried according to
   * `retry`, except after a `PermanentError`.
   */
  readonly handler: (
    event: RecordedEvent<Extract<E, { readonly type: NoInfer<Type> }>>,
    context: ConsumerContext<E, Db>,
  ) => unknown;
}

/**
 * Calls a handler for each committed event from a durable checkpoint: at least once, those of a stream in order.
 *
 * @category Consumers
 *
 * @example React to an event
 * ```ts
 * import { defineEvent, EventStore, Subscription } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent("OrderPlaced");
 * const OrderPaid = defineEvent("OrderPaid");
 * const store = new EventStore(memory(), { events: [OrderPlaced, OrderPaid] });
 * await store.append("order:42", OrderPlaced());
 *
 * const payment = new Subscription(store, {
 *   name: "payment",
 *   types: ["OrderPlaced"],
 *   transaction: true, // the event and the checkpoint are stored together: exactly once
 *   handler: (event, { store }) => store.append(event.streamId, OrderPaid()),
 * });
 * await payment.drain();
 * assert.equal(await store.version("order:42"), 2);
 * ```
 */
export class Subscription<
  E extends Event = Event,
  Db = unknown,
  const Type extends E["type"] = E["type"],
> extends Consumer {
  /**
   * Creates a subscription.
   *
   * @throws {TypeError | RangeError} If an option is malformed or out of range.
   * @throws {UnsupportedError} If it is transactional and the driver has no transactions, or does not support
   * consumers.
   */
  constructor(store: EventStore<E, Db>, options: SubscriptionOptions<E, Db, Type>) {
    checkObject("options", options);
    super();
    const { handler, transaction, ...rest } = options;
    checkFunction("handler", handler);
    checkFilterPolicy(rest.onFilterChange, false);
    const mode = (transaction ?? handler.length > 1) ? "transaction" : "each";
    const plan = planOf<E, Db>(store, {
      ...rest,
      work: {
        mode,
        // The log is read with these types as a filter, which the compiler cannot see.
        handle: ([event], context) => handler(event as Parameters<typeof handler>[0], context),
      },
    });
    attach(this, new Worker(plan));
  }
}
