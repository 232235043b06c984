import type { DeciderOptions } from "../aggregate/decider.ts";
import type { AggregateClass } from "../aggregate/repository.ts";
import type { Event } from "../event/event.ts";
import { type Aggregate, type AggregateEvent, lifecycle } from "../aggregate/aggregate.ts";
import { record } from "../codec/catalog.ts";
import { streamIdOf } from "../event/stream.ts";
import { assertState, type HasState, outcomeOf, type Then } from "./outcome.ts";

/** An aggregate with a history. */
export interface GivenAggregate<A, E extends Event> extends HasState<Partial<A>, void> {
  /**
   * Runs a command on the aggregate, made anew from its history for each call.
   *
   * @param command The command; may be asynchronous.
   */
  when<R>(
    command: (aggregate: A) => R,
  ): Then<E, R extends PromiseLike<unknown> ? Promise<void> : void, Partial<A>>;
}

/** A decider with a history. */
export interface GivenDecider<Command, E extends Event, State = unknown>
  extends HasState<State, void> {
  /** Decides on a command, in the state that the history leads to. */
  when(command: Command): Then<E, void, State>;
}

/** How an aggregate is made for a test. */
export interface GivenOptions {
  /** The id of the aggregate, without the category. @default "1" */
  readonly id?: string | undefined;
}

/**
 * Begins a test of an aggregate: given what happened, when a command runs, then these events are emitted.
 *
 * @param aggregate The class.
 * @param events What happened before, as events of any ids and times; one or many. @default nothing: a new one
 * @param options How it is made.
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
 * @example What the events lead to, as far as it can be seen from outside
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
 * Begins a test of a decider: given what happened, when a command is decided on, then these events come about.
 *
 * @param decider What `decider` made, or was made from.
 * @param events What happened before; one or many. @default nothing
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

/** The members of an aggregate that are named in what is expected of it. */
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
      // What was decided must be a step that the decider can take.
      state(events);
      return outcome;
    },
  };
}
