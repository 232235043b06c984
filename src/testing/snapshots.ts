import assert from "node:assert/strict";
import type { DeciderOptions } from "../aggregate/decider.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import {
  type Aggregate,
  type AggregateClass,
  type AggregateEvent,
  lifecycle,
} from "../aggregate/aggregate.ts";
import { record } from "../codec/catalog.ts";
import { decode } from "../codec/decode.ts";
import { encode } from "../codec/encode.ts";
import { copyData } from "../event/copy.ts";

/** A model, as far as its snapshots are checked; each state that it receives is one that it gave. */
interface Checked {
  initial(): unknown;
  evolve(state: unknown, event: RecordedEvent): unknown;
  capture(state: unknown): unknown;
  restore(data: unknown, version: number): unknown;
}

/**
 * Checks that a snapshot at any place of a history brings back the state of an aggregate: for every number of events, takes one after
 * them, stores and restores it as a repository does, replays the rest, and compares with a replay of all.
 *
 * @param model The class, with `snapshot` and `restore`.
 * @param events A history that reaches every part of the state.
 * @throws {assert.AssertionError} At the first difference: which events were in the snapshot, and what differs. What an
 * aggregate keeps in private fields is compared by its `snapshot`.
 *
 * @category Testing
 *
 * @example A counter
 * ```ts
 * import { decider, defineEvent, type EventOf } from "event-sourcery";
 * import { checkSnapshots } from "event-sourcery/testing";
 *
 * const Counted = defineEvent("Counted");
 * const counter = decider({
 *   initialState: () => ({ count: 0n }),
 *   evolve: (state, _event: EventOf<typeof Counted>) => ({ count: state.count + 1n }),
 *   decide: () => Counted(),
 * });
 * checkSnapshots(counter, [Counted(), Counted(), Counted()]);
 * ```
 */
export function checkSnapshots<A extends Aggregate<Event>>(
  model: AggregateClass<A>,
  events: readonly AggregateEvent<A>[],
): void;
/**
 * Checks that a snapshot at any place of a history brings back the state of a decider.
 *
 * @param model The result of `decider`, or the options for it.
 * @param events A history that reaches every part of the state.
 * @throws {assert.AssertionError} At the first difference: which events were in the snapshot, and what differs.
 *
 * @category Testing
 */
export function checkSnapshots<State, Command, E extends Event>(
  model: DeciderOptions<State, Command, E>,
  events: readonly NoInfer<E>[],
): void;
export function checkSnapshots(
  model: AggregateClass<Aggregate<Event>> | DeciderOptions<unknown, unknown, Event>,
  events: readonly Event[],
): void {
  const { initial, evolve, capture, restore } = typeof model === "function"
    ? ofAggregate(model)
    : ofDecider(model);
  const replay = (state: unknown, from: number, to: number) =>
    events.slice(from, to).reduce(
      (before, event, index) =>
        evolve(before, record(event, "s", from + index + 1, from + index + 1, "")),
      state,
    );
  const whole = replay(initial(), 0, events.length);
  for (let cut = 0; cut <= events.length; cut++) {
    const plain = capture(replay(initial(), 0, cut));
    if (plain === undefined) continue;
    const { data, codec } = encode(copyData(plain), {});
    const copy = decode(
      data === null ? undefined : JSON.parse(data),
      "/data",
      codec === null ? null : JSON.parse(codec),
      false,
    );
    const state = replay(restore(copy, cut), cut, events.length);
    const message = `with a snapshot after ${cut} of ${events.length} events`;
    for (const [found, expected] of [[state, whole], [capture(state), capture(whole)]]) {
      assertSame(found, expected, message);
    }
  }
}

function assertSame(actual: unknown, expected: unknown, message: string): void {
  try {
    assert.deepStrictEqual(actual, expected);
  } catch (error) {
    if (!(error instanceof assert.AssertionError)) throw error;
    const text = `The state differs ${message}: ${error.message}`;
    throw new assert.AssertionError({
      message: text,
      actual,
      expected,
      operator: "deepStrictEqual",
    });
  }
}

function ofAggregate(aggregateClass: AggregateClass<Aggregate<Event>>): Checked {
  for (const method of ["snapshot", "restore"]) {
    if (typeof Reflect.get(aggregateClass.prototype, method) === "function") continue;
    throw new TypeError(
      `checkSnapshots needs a class with snapshot() and restore(): ${method} is missing`,
    );
  }
  return lifecycle.modelOf(aggregateClass, "1");
}

function ofDecider({ initialState, evolve }: DeciderOptions<unknown, unknown, Event>): Checked {
  return { initial: initialState, evolve, capture: (state) => state, restore: (data) => data };
}
