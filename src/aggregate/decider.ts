import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventReader } from "../store/reader.ts";
import type { EventWriter } from "../store/writer.ts";
import type { ExpectedVersion } from "../driver/version.ts";
import { checkFunction, checkObject } from "../errors/check.ts";
import { isPromise } from "../errors/kind.ts";
import { streamIdOf } from "../event/stream.ts";
import { isUnknown } from "../event/unknown.ts";
import { checkCommand, withRetries } from "./attempt.ts";
import { loadState, type Model, readSnapshotOptions, type SnapshotOptions } from "./snapshot.ts";

/**
 * The parts of a decider: pure functions, and how its commands run.
 *
 * @category Aggregates
 */
export interface DeciderOptions<State, Command, E extends Event> {
  /** The part of its stream ids before the colon. @default none: the id alone is the stream id */
  readonly category?: string | undefined;
  /** Returns the state before the first event. */
  readonly initialState: () => State;
  /** Returns the next state, after an event. */
  readonly evolve: (state: State, event: E) => State;
  /** Returns the events of a command: one, several or none (an empty list); throws to refuse it. */
  readonly decide: (command: Command, state: State) => NoInfer<E> | readonly NoInfer<E>[];
  /** How often a command is decided again after a conflict with another writer. @default 3 */
  readonly retries?: number | undefined;
  /** Whether the events are also published to the outbox, as with `EventStore.publish`. @default false */
  readonly publish?: boolean | undefined;
  /** Keeps the states of long streams, which are plain data then. @default no snapshots */
  readonly snapshots?: SnapshotOptions | undefined;
  /** The version of the state's shape, of which snapshots are used; a whole number from 1. @default 1 */
  readonly stateVersion?: number | undefined;
}

/**
 * Result of a command.
 *
 * @category Aggregates
 */
export interface Decided<State, E extends Event> {
  /** The version of the stream after the command; 0 if it has no events. */
  readonly version: number;
  /** The position of the last decided event; undefined if there were none. */
  readonly position: number | undefined;
  /** The decided events as they are stored; may be empty. */
  readonly events: readonly RecordedEvent<E>[];
  /** The state after these events. */
  readonly state: State;
}

/**
 * Options of `Decider.handle`.
 *
 * @category Aggregates
 */
export interface HandleOptions {
  /**
   * The version that the stream must have before the command: a number (`0` = it must not exist), `"noStream"` or
   * `"streamExists"`. With another version nothing is decided; after a conflict the command is not decided again.
   *
   * @default "any"
   */
  readonly expectedVersion?: ExpectedVersion | undefined;
}

/**
 * An aggregate without a class.
 *
 * @category Aggregates
 */
export interface Decider<State, Command, E extends Event>
  extends DeciderOptions<State, Command, E> {
  /**
   * Loads the state, decides and appends; after a conflict with another writer, all of it again.
   *
   * @param store A store of at least the decider's events.
   * @param id The id, without the category.
   * @param command The command that `decide` receives.
   * @param options The expected version of the stream.
   * @returns The version and the state after the command, and the events as they are stored.
   * @throws {ConcurrencyError} If the stream is not at the expected version, or every attempt met a conflict.
   */
  handle(
    store: EventReader & EventWriter<E>,
    id: string,
    command: Command,
    options?: HandleOptions,
  ): Promise<Decided<State, E>>;
}

/** A state, and the version of its stream. */
interface Loaded<State> {
  readonly state: State;
  readonly version: number;
  /** Settles when the snapshot that was left is kept. */
  readonly saving?: Promise<void> | undefined;
}

/**
 * Makes an aggregate of pure functions, without a class.
 *
 * @throws {TypeError} If the category contains a colon, or an option has the wrong type.
 *
 * @category Aggregates
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
  const { snapshots, stateVersion } = options;
  checkCommand(category, retries, publish);
  for (const [name, part] of Object.entries({ initialState, evolve, decide })) {
    checkFunction(name, part);
  }
  const evolving = (state: State, event: RecordedEvent): State =>
    // The store has at least the decider's events, and the decider's streams hold no others.
    isUnknown(event) ? state : evolve(state, event as unknown as E);
  const model: Model<State> | undefined = snapshots && {
    ...readSnapshotOptions(snapshots, "decider", stateVersion),
    ...{ initial: initialState, evolve: evolving },
    capture: (state) => state,
    restore: (data) => data as State, // what capture has given
  };
  const load = async (store: EventReader, streamId: string): Promise<Loaded<State>> => {
    if (model !== undefined) {
      const { state, version, saving } = await loadState(store, streamId, model, {});
      return { state, version, saving };
    }
    return await store.fold<Loaded<State>>(
      streamId,
      { state: initialState(), version: 0 },
      ({ state }, event) => ({ state: evolving(state, event), version: event.version }),
    );
  };
  const decideOn = async (
    store: EventWriter<E>,
    streamId: string,
    request: Command,
    loaded: Loaded<State>,
    ensure: (version: number) => void,
  ): Promise<Decided<State, E>> => {
    ensure(loaded.version);
    const answer: E | readonly E[] = decide(request, loaded.state);
    if (isPromise(answer)) {
      answer.then(undefined, () => {}); // its rejection is deliberately ignored
      throw new TypeError("decide must be synchronous, got a promise");
    }
    const decided: readonly E[] = Array.isArray(answer) ? answer : [answer];
    if (decided.length === 0) return { ...loaded, position: undefined, events: [] };
    const append = publish ? store.publish : store.append;
    const { version, position, events } = await append(streamId, decided, {
      expectedVersion: loaded.version,
    });
    const state = events.reduce((before, event) => evolve(before, event), loaded.state);
    return { version, position, events, state };
  };
  return {
    ...options,
    async handle(store, id, request, options = {}) {
      const { expectedVersion = "any" } = checkObject("options", options);
      const streamId = streamIdOf(category, id);
      return await withRetries(store, streamId, retries, expectedVersion, async (_, ensure) => {
        const { saving, ...loaded } = await load(store, streamId);
        try {
          return await decideOn(store, streamId, request, loaded, ensure);
        } finally {
          await saving;
        }
      });
    },
  };
}
