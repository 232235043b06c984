import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventReader } from "../store/reader.ts";
import type { EventWriter } from "../store/writer.ts";
import type { ExpectedVersion } from "../driver/version.ts";
import { checkFunction, checkObject, checkSync } from "../errors/check.ts";
import { streamIdOf } from "../event/stream.ts";
import { isUnknown } from "../event/unknown.ts";
import { checkCommand } from "./attempt.ts";
import { type CacheOptions, readCacheOptions } from "./cache.ts";
import { type Attempt, type Ran, runCommand } from "./run.ts";
import type { Folding, Model } from "./model.ts";
import { send } from "./save.ts";
import { readSnapshotOptions, type SnapshotOptions } from "./snapshot.ts";

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
  /**
   * Keeps states in memory between commands, which need one round trip then. They are frozen deeply, but for what is in a
   * Map or a Set; `decide` runs again more often than without. @default no cache
   */
  readonly cache?: CacheOptions | undefined;
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
  const model: Model<State> = {
    keeping: snapshots && readSnapshotOptions(snapshots, "decider", stateVersion),
    initial: initialState,
    evolve: (state, event) =>
      // The store has at least the decider's events, and the decider's streams hold no others.
      isUnknown(event) ? state : evolve(state, event as unknown as E),
    capture: (state) => state,
    restore: (data) => data as State, // what capture has given
    isIntact(state) {
      freezeState(state);
      return true;
    },
  };
  const owner = {};
  const cache = options.cache && { ...readCacheOptions(options.cache), owner };
  return {
    ...options,
    async handle(store, id, request, options = {}) {
      const { expectedVersion } = checkObject("options", options);
      const aggregate = category ?? "decider";
      const target = { store, aggregate, id, streamId: streamIdOf(category, id), model, cache };
      const run = async (
        { state: before, version: at }: Folding<State>,
        attempt: Attempt,
      ): Promise<Ran<State, Decided<State, E>>> => {
        const answer = checkSync(
          decide(request, before),
          "decide must be synchronous, got a promise",
        );
        const decided: readonly E[] = Array.isArray(answer) ? answer : [answer];
        const append = publish ? store.publish : store.append;
        const sent = await send(append, target.streamId, decided, attempt, at);
        const state = sent.events.reduce((state, event) => evolve(state, event), before);
        return { result: { ...sent, state }, state, events: sent.events };
      };
      return await runCommand(target, run, retries, expectedVersion);
    },
  };
}

/**
 * Freezes a state deeply, so that an `evolve` or a caller that changes it fails at once, instead of telling the next
 * command of an event that was never stored. Frozen parts are passed over. A Map or a Set cannot be frozen.
 */
function freezeState(state: unknown): void {
  if (typeof state !== "object" || state === null || Object.isFrozen(state)) return;
  if (ArrayBuffer.isView(state)) return;
  Object.freeze(state);
  for (const part of Object.values(state)) freezeState(part);
}
