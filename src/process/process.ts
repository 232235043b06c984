import type { SnapshotOptions } from "../aggregate/snapshot.ts";
import type { ConsumerOptions, ConsumerStart } from "../engine/options.ts";
import type { Event } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import { checkCommand } from "../aggregate/attempt.ts";
import { needSnapshots } from "../aggregate/snapshot.ts";
import { attach, Consumer } from "../consumer/consumer.ts";
import { checkFilterPolicy } from "../engine/options.ts";
import { planOf } from "../engine/plan.ts";
import { Worker } from "../engine/worker.ts";
import { quote } from "../errors/base.ts";
import { checkFunction, checkObject } from "../errors/check.ts";
import { membersOf } from "../store/handler.ts";
import { internalsOf } from "../store/internals.ts";
import { type AnyHandler, type ProcessHandler, Reaction } from "./reaction.ts";

/**
 * Options of a process. `State` is inferred from `initialState`, `Own` from the event that `evolve` takes.
 *
 * @category Processes
 */
export interface ProcessOptions<E extends Event, Db, State, Own extends E = E>
  extends Omit<ConsumerOptions, "lanes" | "concurrency"> {
  /** Its name, and the category of its streams: the process of the key `42` is the stream `fulfilment:42`. No colon. */
  readonly name: string;
  /** Returns the state before the first event of a process. */
  readonly initialState: () => State;
  /**
   * Returns the next state, after an event in the process's own stream: one of its answers, or one that it has scheduled.
   */
  readonly evolve: (state: State, event: Own) => State;
  /** How it reacts to events, by type; events of other types are passed over. */
  readonly handlers: {
    readonly [Type in E["type"]]?:
      | ProcessHandler<Extract<E, { readonly type: Type }>, NoInfer<State>, NoInfer<Own>, E, Db>
      | undefined;
  };
  /** Where it starts when it first runs. A process that is added to an old log usually wants `"now"`. @default "start" */
  readonly from?: ConsumerStart | undefined;
  /** How often it reacts again to an event after a conflict in its own stream, before the event counts as failed. @default 3 */
  readonly retries?: number | undefined;
  /** Whether its answers are also published to the outbox. @default false */
  readonly publish?: boolean | undefined;
  /** Keeps the states of long processes, which are plain data then. @default no snapshots */
  readonly snapshots?: SnapshotOptions | undefined;
  /** The version of the state's shape, of which snapshots are used; a whole number from 1. @default 1 */
  readonly stateVersion?: number | undefined;
}

/** The store and the reaction of a process, for tests of it; assigned in the static block. */
export let partsOf: <E extends Event, Db, State, Own extends E>(
  process: Process<E, Db, State, Own>,
) => { readonly store: EventStore<E, Db>; readonly reaction: Reaction<E, Db, State> };

/**
 * Coordinates several streams over time (a process manager): it reacts to their events by a state of its own, which is
 * a stream like any other. What it answers, what it schedules, the commands that it gives through `store`, and its
 * checkpoint are committed together: each event takes effect exactly once.
 *
 * It has one lane: events of one process come from many streams, which lanes would share out; several workers may stand
 * by. An event at which `react` throws is tried again while later ones of its stream wait, like that of any consumer;
 * events of other streams for the same process go on. So a command that is refused is caught, and answered with an event.
 *
 * @category Processes
 *
 * @example An order that is not paid in time
 * ```ts
 * import { defineEvent, type EventOf, EventStore, Process, Scheduler } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent<{ orderId: string }>()("OrderPlaced");
 * const PaymentReceived = defineEvent<{ orderId: string }>()("PaymentReceived");
 * const PaymentTimedOut = defineEvent("PaymentTimedOut");
 * const Confirmed = defineEvent("Confirmed");
 * const Cancelled = defineEvent("Cancelled");
 * type OwnEvent = EventOf<typeof PaymentTimedOut | typeof Confirmed | typeof Cancelled>;
 *
 * const events = [OrderPlaced, PaymentReceived, PaymentTimedOut, Confirmed, Cancelled] as const;
 * const store = new EventStore(memory(), { events });
 * const inADay = () => new Date(Date.now() + 86_400_000);
 *
 * const fulfilment = new Process(store, {
 *   name: "fulfilment",
 *   from: "now", // not for the orders of the past
 *   initialState: () => ({ paid: false }),
 *   evolve: (state, event: OwnEvent) => event.type === "Confirmed" ? { paid: true } : state,
 *   handlers: {
 *     OrderPlaced: {
 *       correlate: ({ data }) => data.orderId,
 *       react: async (_event, _state, { schedule }) => {
 *         await schedule(PaymentTimedOut(), { at: inADay() });
 *       },
 *     },
 *     PaymentReceived: { correlate: ({ data }) => data.orderId, react: () => Confirmed() },
 *     PaymentTimedOut: { react: (_event, state) => state.paid ? [] : Cancelled() },
 *   },
 * });
 * await fulfilment.runOnce();
 *
 * await store.append("order:42", OrderPlaced({ orderId: "42" }));
 * await store.append("payment:7", PaymentReceived({ orderId: "42" }));
 * await fulfilment.runOnce();
 * const [event] = await store.load("fulfilment:42");
 * assert.equal(event?.type, "Confirmed");
 * assert.equal((await new Scheduler(store).status()).waiting, 1);
 * ```
 */
export class Process<
  E extends Event = Event,
  Db = unknown,
  State = unknown,
  Own extends E = E,
> extends Consumer {
  readonly #store: EventStore<E, Db>;
  readonly #reaction: Reaction<E, Db, State>;
  /** Carries the type; has no value at runtime. */
  declare protected readonly own?: (event: Own) => State;

  static {
    partsOf = (process) => ({ store: process.#store, reaction: process.#reaction });
  }

  /**
   * Creates a process.
   *
   * @throws {TypeError | RangeError} If an option is malformed or out of range.
   * @throws {UnsupportedError} If the driver has no transactions, keeps no checkpoints, or no snapshots that are wanted.
   */
  constructor(store: EventStore<E, Db>, options: ProcessOptions<E, Db, State, Own>) {
    super();
    const { initialState, evolve, handlers: object, ...more } = checkObject("options", options);
    const { retries = 3, publish = false, snapshots, stateVersion, ...rest } = more;
    for (const option of ["lanes", "concurrency"]) {
      if (option in rest) throw new TypeError(`${option} is not for a process: it has one lane`);
    }
    checkFilterPolicy(rest.onFilterChange, false);
    const { name } = rest;
    const handlers = checkHandlers<E, Db, State>(store, object);
    const reaction = new Reaction<E, Db, State>(
      { name, initialState, evolve, retries, publish, snapshots, stateVersion },
      handlers,
    );
    const plan = planOf<E, Db>(store, {
      ...rest,
      types: [...handlers.keys()],
      work: {
        mode: "transaction",
        handle: async ([event], context) => void await reaction.run(event!, context),
      },
    });
    checkCommand(name, retries, publish);
    if (snapshots !== undefined) needSnapshots(store);
    this.#store = store;
    this.#reaction = reaction;
    attach(this, new Worker(plan));
  }

  /** Refuses: a process has one lane. @throws {TypeError} Always. */
  override async relane(_lanes: number): Promise<void> {
    throw new TypeError("lanes are not for a process: it has one");
  }
}

function checkHandlers<E extends Event, Db, State>(
  store: object,
  object: object,
): ReadonlyMap<string, AnyHandler<E, Db, State>> {
  checkObject("handlers", object);
  // A value that is not a store is refused later, with a message of its own.
  const catalog = internalsOf<E, Db>(store)?.shared.catalog;
  const members = membersOf("handlers", object, (type) => catalog?.has(type) ?? true);
  if (members.size === 0) {
    throw new TypeError("handlers must have a handler for at least one event type");
  }
  return new Map([...members].map(([type, member]) => {
    const handler = checkObject(`handler of ${quote(type)}`, member as AnyHandler<E, Db, State>);
    const { correlate, react } = handler;
    checkFunction(`react of ${quote(type)}`, react);
    if (correlate !== undefined) checkFunction(`correlate of ${quote(type)}`, correlate);
    return [type, { correlate: correlate?.bind(handler), react: react.bind(handler) }];
  }));
}
