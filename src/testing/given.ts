import type { DeciderOptions } from "../aggregate/decider.ts";
import type { Event } from "../event/event.ts";
import {
  type Aggregate,
  type AggregateClass,
  type AggregateEvent,
  lifecycle,
} from "../aggregate/aggregate.ts";
import { type DecisionOptions, readDecided } from "../aggregate/decision.ts";
import { record } from "../codec/catalog.ts";
import { streamIdOf } from "../event/stream.ts";
import { Process } from "../process/process.ts";
import { matchesQuery } from "../query/query.ts";
import { type GivenEvent, type GivenProcess, givenProcess } from "./process.ts";
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
 * A decision with a history, ready to be tested.
 *
 * @category Testing
 */
export interface GivenDecision<Command, E extends Event, State = unknown> {
  /** Decides a command on those events of the history that its query matches. */
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
/**
 * Starts a test of a decision: given past events of any streams, when a command is decided, then these events are
 * emitted. As in a store, the decision learns only of the events that its query matches, by type and tags.
 *
 * @param decision The result of `decision`, or the options for it.
 * @param events The history, one event or several. @default none
 *
 * @category Testing
 *
 * @example An address that one account may have
 * ```ts
 * import { decision, defineEvent, type EventOf } from "event-sourcery";
 * import { given } from "event-sourcery/testing";
 *
 * const Registered = defineEvent<{ email: string }>()("Registered", {
 *   tags: ({ email }) => [`email:${email}`],
 * });
 *
 * const register = decision({
 *   query: (email: string) => ({ types: ["Registered"], tags: [`email:${email}`] }),
 *   initialState: () => false,
 *   evolve: (_taken, _event: EventOf<typeof Registered>) => true,
 *   decide(email, taken) {
 *     if (taken) throw new RangeError("The address is taken");
 *     return { streamId: `account:${email}`, events: Registered({ email }) };
 *   },
 * });
 *
 * given(register, Registered({ email: "b@c.d" })).when("a@b.c").emits(Registered({ email: "a@b.c" }));
 * given(register, Registered({ email: "a@b.c" })).when("a@b.c").fails(/taken/);
 * ```
 */
export function given<State, Command, E extends Event>(
  decision: DecisionOptions<State, Command, E>,
  events?: NoInfer<E> | readonly NoInfer<E>[],
): GivenDecision<Command, E, State>;
/**
 * Starts a test of a process: given events that it has handled, when another comes or time passes, then it answers with
 * these events. It runs in the process's own store, in a transaction that is rolled back: make it on `memory()`.
 *
 * @param process The process.
 * @param events The history, one event or several; those without `correlate` belong to the process of the event before.
 *
 * @category Testing
 */
export function given<E extends Event, Db, State, Own extends E>(
  process: Process<E, Db, State, Own>,
  events?: GivenEvent<E> | readonly GivenEvent<E>[],
): GivenProcess<E, Own, State>;
export function given(
  subject:
    | AggregateClass<Aggregate<Event>>
    | DeciderOptions<unknown, unknown, Event>
    | DecisionOptions<unknown, unknown, Event>
    | Process,
  events: Event | readonly Event[] = [],
  options: GivenOptions = {},
): unknown {
  const history: readonly Event[] = Array.isArray(events) ? events : [events];
  if (subject instanceof Process) return givenProcess(subject, history);
  if (typeof subject === "function") return givenAggregate(subject, history, options);
  return "query" in subject ? givenDecision(subject, history) : givenDecider(subject, history);
}

function givenAggregate(
  aggregateClass: AggregateClass<Aggregate<Event>>,
  history: readonly Event[],
  { id = "1" }: GivenOptions,
): GivenAggregate<Aggregate<Event>, Event> {
  const streamId = streamIdOf(aggregateClass.category, id);
  const { initial, evolve } = lifecycle.modelOf(aggregateClass, id);
  const make = () =>
    history.reduce(
      (aggregate, event, index) =>
        evolve(aggregate, record(event, streamId, index + 1, index + 1, "")),
      initial(),
    );
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

function givenDecision(
  { query, initialState, evolve, decide }: DecisionOptions<unknown, unknown, Event>,
  history: readonly Event[],
): GivenDecision<unknown, Event> {
  return {
    when(command) {
      let events: readonly Event[] = [];
      const asked = query(command);
      const state = () =>
        [...history, ...events].filter((event) => matchesQuery(asked, event))
          .reduce((before, event) => evolve(before, event), initialState());
      return outcomeOf<void>(() => {
        const before = state();
        events = readDecided(decide(command, before)).flatMap(({ events }) => events);
        state(); // the decision must be able to evolve by what it decided
      }, { emitted: () => events, state });
    },
  };
}
