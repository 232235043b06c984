import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventQuery } from "../query/query.ts";
import type { EventReader } from "../store/reader.ts";
import type { AppendResult, EventWriter } from "../store/writer.ts";
import { checkFunction, checkObject, checkSync } from "../errors/check.ts";
import { isUnknown } from "../event/unknown.ts";
import { matchesQuery } from "../query/query.ts";
import { checkCommand, withRetries } from "./attempt.ts";

/**
 * The events of one stream that a decision appends.
 *
 * @category Aggregates
 */
export interface DecidedStream<E extends Event> {
  /** The id of the stream, with its category. */
  readonly streamId: string;
  /** One event or several, in order. */
  readonly events: E | readonly E[];
}

/**
 * The parts of a decision: pure functions, and how its commands run.
 *
 * @category Aggregates
 */
export interface DecisionOptions<State, Command, E extends Event> {
  /**
   * Returns what the decision on a command rests on. `evolve` receives all that matches: where events of other types
   * carry the same tags, name the types, too.
   */
  readonly query: (command: Command) => EventQuery<NoInfer<E>["type"]>;
  /** Returns the state before the first event. */
  readonly initialState: () => State;
  /** Returns the next state, after an event that the query matches. */
  readonly evolve: (state: State, event: E) => State;
  /** Returns the events of a command, stream by stream, or `[]` for none; throws to refuse it. */
  readonly decide: (
    command: Command,
    state: State,
  ) => DecidedStream<NoInfer<E>> | readonly DecidedStream<NoInfer<E>>[];
  /** How often a command is decided again after a conflict with another writer. @default 3 */
  readonly retries?: number | undefined;
  /** Whether the events are also published to the outbox, as with `EventStore.publish`. @default false */
  readonly publish?: boolean | undefined;
}

/**
 * Result of a decision.
 *
 * @category Aggregates
 */
export interface DecisionResult<State, E extends Event> {
  /** The decided events as they are stored, stream by stream; may be empty. */
  readonly events: readonly RecordedEvent<E>[];
  /** The state after those of these events that the query matches. */
  readonly state: State;
  /** The position of the last decided event; undefined if there were none. */
  readonly position: number | undefined;
}

/**
 * A rule over several streams, without an aggregate.
 *
 * @category Aggregates
 */
export interface Decision<State, Command, E extends Event>
  extends DecisionOptions<State, Command, E> {
  /**
   * Queries, decides and appends under the condition that nothing else matches by then; after a conflict with another
   * writer, all of it again. A decision of no events checks nothing.
   *
   * @param store A store of at least the decision's events.
   * @param command The command that `query` and `decide` receive.
   * @returns The state after the command, and the events as they are stored.
   * @throws {ConcurrencyError} If every attempt met a conflict.
   * @throws {UnsupportedError} If the driver has no conditions.
   */
  handle(
    store: EventReader & EventWriter<E>,
    command: Command,
  ): Promise<DecisionResult<State, E>>;
}

/**
 * Makes a decision on the events that a query matches, in whatever streams they are: for rules that no single stream
 * can keep, such as a limit of a course and one of its student, or an address that only one account may have.
 *
 * @throws {TypeError | RangeError} If an option has the wrong type.
 *
 * @category Aggregates
 *
 * @example A course has seats, and a student at most two courses
 * ```ts
 * import { decision, defineEvent, type EventOf, EventStore } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Subscribed = defineEvent<{ course: string; student: string }>()("Subscribed", {
 *   tags: ({ course, student }) => [`course:${course}`, `student:${student}`],
 * });
 *
 * const subscribe = decision({
 *   query: ({ course, student }: { course: string; student: string }) => [
 *     { types: ["Subscribed"], tags: [`course:${course}`] },
 *     { types: ["Subscribed"], tags: [`student:${student}`] },
 *   ],
 *   initialState: () => [] as readonly { course: string; student: string }[],
 *   evolve: (all, { data }: EventOf<typeof Subscribed>) => [...all, data],
 *   decide({ course, student }, all) {
 *     if (all.filter((one) => one.course === course).length >= 20) throw new RangeError("Full");
 *     if (all.filter((one) => one.student === student).length >= 2) throw new RangeError("Busy");
 *     return { streamId: `course:${course}`, events: Subscribed({ course, student }) };
 *   },
 * });
 *
 * const store = new EventStore(memory(), { events: [Subscribed] });
 * await subscribe.handle(store, { course: "chess", student: "ada" });
 * await subscribe.handle(store, { course: "go", student: "ada" });
 * await assert.rejects(subscribe.handle(store, { course: "art", student: "ada" }), /Busy/);
 * ```
 */
export function decision<State, Command, E extends Event>(
  options: DecisionOptions<State, Command, E>,
): Decision<State, Command, E> {
  checkObject("options", options);
  const { query, initialState, evolve, decide, retries = 3, publish = false } = options;
  checkCommand(undefined, retries, publish);
  for (const [name, part] of Object.entries({ query, initialState, evolve, decide })) {
    checkFunction(name, part);
  }
  return {
    ...options,
    async handle(store, command) {
      const asked: EventQuery = query(command);
      return await withRetries(store, `\0${JSON.stringify(asked)}`, retries, async () => {
        const found = await store.query(asked);
        const before = found.events.reduce(
          (state, event) => isUnknown(event) ? state : evolve(state, event as unknown as E),
          initialState(),
        );
        const appends = readDecided<E>(decide(command, before));
        if (appends.length === 0) return { events: [], state: before, position: undefined };
        const { condition } = found;
        const appended: readonly unknown[] = await store.appendAll(appends, { condition, publish });
        // The results are those of the decision's events, which the compiler cannot extract from a type parameter.
        const results = appended as readonly AppendResult<E>[];
        const events = results.flatMap(({ events }) => events);
        const state = events.filter((event) => matchesQuery(asked, event))
          .reduce((state, event) => evolve(state, event), before);
        return { events, state, position: Math.max(...results.map(({ position }) => position)) };
      });
    },
  };
}

/**
 * Returns the streams that were decided, without those that get no events.
 *
 * @throws {TypeError} If the answer is a promise.
 */
export function readDecided<E extends Event>(
  answer: DecidedStream<E> | readonly DecidedStream<E>[],
): readonly DecidedStream<E>[] {
  checkSync(answer, "decide must be synchronous, got a promise");
  const streams: readonly DecidedStream<E>[] = Array.isArray(answer) ? answer : [answer];
  return streams.filter(({ events }) => !(Array.isArray(events) && events.length === 0));
}
