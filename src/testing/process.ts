import type { Event, RecordedEvent } from "../event/event.ts";
import type { Process } from "../process/process.ts";
import type { Reaction } from "../process/reaction.ts";
import type { EventStore } from "../store/store.ts";
import type { HasState, Then } from "./outcome.ts";
import { record } from "../codec/catalog.ts";
import { checkInstant } from "../errors/check.ts";
import { partsOf } from "../process/process.ts";
import { internalsOf, storeFor } from "../store/internals.ts";
import { assertState, outcomeOf } from "./outcome.ts";

/**
 * An event for a process under test: as its type makes it, and with the id of its stream where that matters.
 *
 * @category Testing
 */
export type GivenEvent<E extends Event> = E & { readonly streamId?: string | undefined };

/**
 * A process with a history, ready to be tested.
 *
 * @category Testing
 */
export interface GivenProcess<E extends Event, Own extends Event, State = unknown>
  extends HasState<State, Promise<void>> {
  /** Lets the process react to an event. */
  when(event: GivenEvent<E>): Then<Own, Promise<void>, State>;
  /**
   * Lets time pass until an instant: what the process has scheduled by then is delivered in its order, and handled; its
   * answers are what is emitted.
   */
  at(date: Date): Then<Own, Promise<void>, State>;
}

/** Rolls a test back. */
class Undo extends Error {}

/** What a test has come to. */
interface Played {
  readonly emitted: readonly Event[];
  readonly state: unknown;
}

type AnyReaction = Reaction<Event, unknown, unknown>;

/** Tests a process in its own store, in a transaction that is rolled back. */
export function givenProcess(
  process: Process,
  history: readonly GivenEvent<Event>[],
): GivenProcess<Event, Event> {
  const parts = partsOf(process);
  const play = async (
    inputs: readonly GivenEvent<Event>[],
    act: (world: World) => Promise<void>,
  ) => {
    let played: Played | undefined;
    const undone = parts.store.transaction(async ({ store, db }) => {
      const world = new World(parts.reaction, store, db, inputs);
      for (const input of history) await world.handle(input);
      world.emitted = [];
      await act(world);
      const { state } = await parts.reaction.load(store, world.key);
      played = { emitted: world.emitted, state };
      throw new Undo();
    });
    await undone.catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
    return played!;
  };
  const outcome = (
    inputs: readonly GivenEvent<Event>[],
    act: (world: World) => Promise<void>,
  ): Then<Event, Promise<void>> => {
    let played: Played | undefined;
    return outcomeOf<Promise<void>>(async () => {
      played = await play(inputs, act);
    }, { emitted: () => played!.emitted, state: () => played!.state });
  };
  return {
    when: (event) => outcome([...history, event], (world) => world.handle(event)),
    at(date) {
      checkInstant("date", date);
      return outcome(history, (world) => world.pass(date));
    },
    hasState: async (expected) =>
      assertState((await play(history, async () => {})).state, expected),
  };
}

/** The store during a test, and what the process has scheduled. */
class World {
  emitted: Event[] = [];
  /** The process that an event is for that does not say so: that of the last one which did, at first of the first. */
  key: string;
  readonly #reaction: AnyReaction;
  readonly #store: EventStore<Event>;
  readonly #db: unknown;
  #scheduled: { readonly event: Event; readonly streamId: string; readonly at: Date }[] = [];
  #streams = 0;

  constructor(
    reaction: AnyReaction,
    store: EventStore<Event>,
    db: unknown,
    inputs: readonly GivenEvent<Event>[],
  ) {
    this.#reaction = reaction;
    this.#store = store;
    this.#db = db;
    const keys = inputs.map((event) =>
      reaction.correlates(event.type)
        ? reaction.keyOf(record(event, event.streamId ?? "given", 1, 1, ""))
        : undefined
    );
    this.key = keys.find((key) => key !== undefined) ?? "1";
  }

  /** Appends an event, to the process's own stream unless it finds the process by its data, and lets it react. */
  async handle(input: GivenEvent<Event>): Promise<void> {
    const { streamId } = input;
    const stream = this.#reaction.correlates(input.type)
      ? `given:${++this.#streams}`
      : this.#reaction.streamOf(this.key);
    const { events } = await this.#store.append(streamId ?? stream, input);
    await this.#react(events[0]);
  }

  /** Delivers what is due until an instant, in order, and lets the process react. */
  async pass(until: Date): Promise<void> {
    while (true) {
      this.#scheduled.sort((a, b) => a.at.getTime() - b.at.getTime());
      const [next] = this.#scheduled;
      if (next === undefined || next.at.getTime() > until.getTime()) return;
      this.#scheduled.shift();
      // The process may have taken it back.
      if (!await this.#store.unschedule(next.event.id)) continue;
      const { event: { type, id, data, metadata, tags }, at, streamId } = next;
      const store = this.#store.scope({ metadata: { dueAt: at } });
      const due = { type, id, data, metadata, tags, createdAt: at };
      await this.#react((await store.append(streamId, due)).events[0]);
    }
  }

  async #react(event: RecordedEvent): Promise<void> {
    this.key = this.#reaction.keyOf(event) ?? this.key;
    const store = storeFor(internalsOf<Event, unknown>(this.#store)!, event);
    const { signal } = new AbortController();
    const context = { store, db: this.#db, signal, attempt: 1, replaying: false };
    const answers = await this.#reaction.run(event, context, (own, { streamId, at }) => {
      this.#scheduled.push({ event: own, streamId, at });
    });
    this.emitted.push(...answers);
  }
}
