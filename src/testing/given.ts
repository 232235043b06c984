import type { DeciderOptions } from "../aggregate/decider.ts";
import type { Event } from "../event/event.ts";
import {
  type Aggregate,
  type AggregateClass,
  type AggregateEvent,
  lifecycle,
} from "../aggregate/aggregate.ts";
import { record } from "../codec/catalog.ts";
import { streamIdOf } from "../event/stream.ts";
import { assertState, type HasState, outcomeOf, type Then } from "./outcome.ts";

/**
 * An aggregate with a history, ready to be tested.
 *
 * @category Testing
 */
export interface GivenAggregate<A, E extends Event> extends HasState<Partial<A>, void> {
  /**
   * Runs a command on a new aggregate, which is rebuilt from the history for each call.
   *
   * @param command The command; may be asynchronous.
   */
  when<R>(
    command: (aggregate: A) => R,
  ): Then<E, R extends PromiseLike<unknown> ? Promise<void> : void, Partial<A>>;
}

/**
 * A decider with a history, ready to be tested.
 *
 * @category Testing
 */
export interface GivenDecider<Command, E extends Event, State = unknown>
  extends HasState<State, void> {
  /** Decides a command in the state after the history. */
  when(command: Command): Then<E, void, State>;
}

/**
 * Options of an aggregate under test.
 *
 * @category Testing
 */
export interface GivenOptions {
  /** The id of the aggregate, without the category. @default "1" */
  readonly id?: string | undefined;
}

/**
 * Starts a test of an aggregate: given past events, when a command runs, then these events are emitted.
 *
 * @param aggregate The class.
 * @param events The history, one event or several; ids and times do not matter. @default none: a new aggregate
 * @param options The id of the aggregate.
 *
 * @category Testing
 *
 * @example A light switch
 * ```ts
 * import { Aggregate, defineEvent, type EventOf } from "event-sourcery";
 * import { given } from "event-sourcery/testing";
 *
 * const TurnedOn = defineEvent("TurnedOn");
 *
 * class LightSwitch extends Aggregate<EventOf<typeof TurnedOn>> {
 *   #shines = false;
 *   protected apply(): void {
 *     this.#shines = true;
 *   }
 *   turnOn(): void {
 *     if (this.#shines) throw new RangeError("It is already turned on");
 *     this.emit(TurnedOn());
 *   }
 * }
 *
 * given(LightSwitch).when((light) => light.turnOn()).emits(TurnedOn());
 * given(LightSwitch, [TurnedOn()]).when((light) => light.turnOn()).fails(/already/);
 * ```
 *
 * @example The state after the events, as far as it is public
 * ```ts
 * import { Aggregate, defineEvent, type EventOf } from "event-sourcery";
 * import { given } from "event-sourcery/testing";
 *
 * const Counted = defineEvent("Counted");
 *
 * class Counter extends Aggregate<EventOf<typeof Counted>> {
 *   #total = 0;
 *   get total(): number {
 *     return this.#total;
 *   }
 *   protected apply(): void {
 *     this.#total++;
 *   }
 *   count(): void {
 *     this.emit(Counted());
 *   }
 * }
 *
 * given(Counter, [Counted(), Counted()]).hasState({ total: 2 });
 * given(Counter, [Counted()]).when((counter) => counter.count()).hasState({ total: 2 });
 * ```
 */
export function given<A extends Aggregate<Event>>(
  aggregate: AggregateClass<A>,
  events?: AggregateEvent<A> | readonly AggregateEvent<A>[],
  options?: GivenOptions,
): GivenAggregate<A, AggregateEvent<A>>;
/**
 * Starts a test of a decider: given past events, when a command is decided, then these events are emitted.
 *
 * @param decider The result of `decider`, or the options for it.
 * @param events The history, one event or several. @default none
 *
 * @category Testing
 *
 * @example A light switch without a class
 * ```ts
 * import { decider, defineEvent, type EventOf } from "event-sourcery";
 * import { given } from "event-sourcery/testing";
 *
 * const TurnedOn = defineEvent("TurnedOn");
 *
 * const light = decider({
 *   initialState: () => ({ shines: false }),
 *   evolve: (_state, _event: EventOf<typeof TurnedOn>) => ({ shines: true }),
 *   decide: (_command: "turn on", state) => state.shines ? [] : TurnedOn(),
 * });
 *
 * given(light).when("turn on").emits(TurnedOn());
 * given(light, TurnedOn()).when("turn on").emitsNothing();
 * given(light).when("turn on").hasState({ shines: true });
 * ```
 */
export function given<State, Command, E extends Event>(
  decider: DeciderOptions<State, Command, E>,
  events?: NoInfer<E> | readonly NoInfer<E>[],
): GivenDecider<Command, E, State>;
export function given(
  subject: AggregateClass<Aggregate<Event>> | DeciderOptions<unknown, unknown, Event>,
  events: Event | readonly Event[] = [],
  options: GivenOptions = {},
): unknown {
  const history: readonly Event[] = Array.isArray(events) ? events : [events];
  return typeof subject === "function"
    ? givenAggregate(subject, history, options)
    : givenDecider(subject, history);
}

function givenAggregate(
  aggregateClass: AggregateClass<Aggregate<Event>>,
  history: readonly Event[],
  { id = "1" }: GivenOptions,
): GivenAggregate<Aggregate<Event>, Event> {
  const streamId = streamIdOf(aggregateClass.category, id);
  const make = () => {
    const aggregate = new aggregateClass();
    lifecycle.setId(aggregate, id);
    for (const [index, event] of history.entries()) {
      lifecycle.replay(aggregate, record(event, streamId, index + 1, index + 1, ""));
    }
    return aggregate;
  };
  return {
    hasState: (expected) => assertState(membersOf(make(), expected), expected),
    when(command) {
      const aggregate = make();
      return outcomeOf(() => command(aggregate), {
        emitted: () => aggregate.changes,
        state: (expected) => membersOf(aggregate, expected as object),
      });
    },
  };
}

/** Returns the members of an aggregate that the expected state names. */
function membersOf(aggregate: object, expected: object): object {
  return Object.fromEntries(
    Object.keys(expected).map((key) => [key, Reflect.get(aggregate, key)]),
  );
}

function givenDecider(
  { initialState, evolve, decide }: DeciderOptions<unknown, unknown, Event>,
  history: readonly Event[],
): GivenDecider<unknown, Event> {
  const state = (events: readonly Event[]) =>
    [...history, ...events].reduce((before, event) => evolve(before, event), initialState());
  return {
    hasState: (expected) => assertState(state([]), expected),
    when(command) {
      let events: readonly Event[] = [];
      const outcome = outcomeOf<void>(() => {
        const answer = decide(command, state([]));
        events = Array.isArray(answer) ? answer : [answer];
      }, { emitted: () => events, state: () => state(events) });
      // The decider must be able to evolve by what it decided.
      state(events);
      return outcome;
    },
  };
}
