import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventReader } from "../store/reader.ts";
import type { EventWriter } from "../store/writer.ts";
import type { ExpectedVersion } from "../driver/version.ts";
import { checkFunction, checkObject } from "../errors/check.ts";
import { isPromise } from "../errors/kind.ts";
import { streamIdOf } from "../event/stream.ts";
import { isUnknown } from "../event/unknown.ts";
import { checkCommand, withRetries } from "./attempt.ts";

/** What a decider is made of: pure functions. */
export interface DeciderOptions<State, Command, E extends Event> {
  /** The part of its stream ids before the colon. @default none: the id is the stream id */
  readonly category?: string | undefined;
  /** Makes the state before the first event. */
  readonly initialState: () => State;
  /** Makes the next state of a state and an event. */
  readonly evolve: (state: State, event: E) => State;
  /** Answers a command with one event, several or none, or throws to refuse it. */
  readonly decide: (command: Command, state: State) => NoInfer<E> | readonly NoInfer<E>[];
  /** How often a command is decided again after another writer was faster. @default 3 */
  readonly retries?: number | undefined;
  /** Whether the events are also for the outbox, as with `EventStore.publish`. @default false */
  readonly publish?: boolean | undefined;
}

/** What became of a command. */
export interface Decided<State, E extends Event> {
  /** The version of the stream now; 0 where it has no events. */
  readonly version: number;
  /** The position of the last event; undefined where the command brought about none. */
  readonly position: number | undefined;
  /** The events that the command brought about, as they are stored. */
  readonly events: readonly RecordedEvent<E>[];
  /** The state after them. */
  readonly state: State;
}

/** How a decider handles a command. */
export interface HandleOptions {
  /**
   * The version that the stream must have before the command: a number (`0` = it must not exist), `"noStream"` or
   * `"streamExists"`. Where it has another, nothing is decided; after a conflict it is not decided again.
   *
   * @default "any"
   */
  readonly expectedVersion?: ExpectedVersion | undefined;
}

/** An aggregate without a class. */
export interface Decider<State, Command, E extends Event>
  extends DeciderOptions<State, Command, E> {
  /**
   * Loads the state, decides, appends. When another writer was faster, once more.
   *
   * @param store A store of at least the decider's events.
   * @param id The id, without the category.
   * @param command What to decide on.
   * @param options What is expected of the stream.
   * @returns The version and the state after it, and the events as they are stored.
   * @throws {ConcurrencyError} If the stream is not at the expected version, or there was a conflict on every attempt.
   */
  handle(
    store: EventReader & EventWriter<E>,
    id: string,
    command: Command,
    options?: HandleOptions,
  ): Promise<Decided<State, E>>;
}

/**
 * Makes an aggregate of pure functions, without a class.
 *
 * @throws {TypeError} If the category holds a colon.
 *
 * @example A light switch
 * ```ts
 * import { decider, defineEvent, type EventOf, EventStore } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const TurnedOn = defineEvent("TurnedOn");
 *
 * const light = decider({
 *   category: "light",
 *   initialState: () => ({ shines: false }),
 *   evolve: (_state, _event: EventOf<typeof TurnedOn>) => ({ shines: true }),
 *   decide: (_command: "turn on", state) => state.shines ? [] : TurnedOn(),
 * });
 *
 * const store = new EventStore(memory(), { events: [TurnedOn] });
 * const { version, state } = await light.handle(store, "hall", "turn on");
 * assert.deepEqual([version, state.shines], [1, true]);
 * ```
 */
export function decider<State, Command, E extends Event>(
  options: DeciderOptions<State, Command, E>,
): Decider<State, Command, E> {
  checkObject("options", options);
  const { category, initialState, evolve, decide, retries = 3, publish = false } = options;
  checkCommand(category, retries, publish);
  for (const [name, part] of Object.entries({ initialState, evolve, decide })) {
    checkFunction(name, part);
  }
  return {
    ...options,
    async handle(store, id, request, options = {}) {
      const { expectedVersion = "any" } = checkObject("options", options);
      const streamId = streamIdOf(category, id);
      return await withRetries(store, streamId, retries, expectedVersion, async (_, ensure) => {
        const loaded = await store.fold(
          streamId,
          { state: initialState(), version: 0 },
          ({ state }, event) => ({
            // The store's events are at least the decider's; those of its own stream are the decider's alone.
            state: isUnknown(event) ? state : evolve(state, event as unknown as E),
            version: event.version,
          }),
        );
        ensure(loaded.version);
        const answer: E | readonly E[] = decide(request, loaded.state);
        if (isPromise(answer)) {
          answer.then(undefined, () => {}); // its rejection is deliberately ignored
          throw new TypeError("decide must answer at once, got a promise");
        }
        const decided: readonly E[] = Array.isArray(answer) ? answer : [answer];
        if (decided.length === 0) return { ...loaded, position: undefined, events: [] };
        const append = publish ? store.publish : store.append;
        const { version, position, events } = await append(streamId, decided, {
          expectedVersion: loaded.version,
        });
        const state = events.reduce((before, event) => evolve(before, event), loaded.state);
        return { version, position, events, state };
      });
    },
  };
}
