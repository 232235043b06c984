import type { SnapshotOptions } from "../aggregate/snapshot.ts";
import type { ConsumerContext } from "../engine/context.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { TransactionContext } from "../store/store.ts";
import type { Scheduled, ScheduleOptions } from "../store/writer.ts";
import { withRetries } from "../aggregate/attempt.ts";
import type { Folding, Model } from "../aggregate/model.ts";
import { loadState, readSnapshotOptions } from "../aggregate/snapshot.ts";
import { checkFunction, checkName } from "../errors/check.ts";
import { streamIdOf } from "../event/stream.ts";
import { isUnknown } from "../event/unknown.ts";

/**
 * The third argument of a process's `react`.
 *
 * @category Processes
 */
export interface ProcessContext<E extends Event, Db, Own extends Event>
  extends ConsumerContext<E, Db> {
  /**
   * Schedules an event for the process's own stream, which belongs to it then: no `correlate` is needed to react to it.
   * Give it an id of your own to take it back with `store.unschedule`.
   */
  readonly schedule: (event: Own, options: ScheduleOptions) => Promise<Scheduled>;
  /** The key of the process, as `correlate` gave it. */
  readonly key: string;
  /** Whether it has no events yet. */
  readonly isNew: boolean;
}

/**
 * How a process reacts to events of one type.
 *
 * @category Processes
 */
export interface ProcessHandler<
  Handled extends Event,
  State,
  Own extends Event,
  E extends Event,
  Db,
> {
  /**
   * Returns the key of the process that the event is for, a non-empty string; undefined if it is for none.
   * @default the key of the process in whose own stream the event stands
   */
  readonly correlate?: ((event: RecordedEvent<Handled>) => string | undefined) | undefined;
  /**
   * Answers with events of the process itself: one, several or none. It runs in a transaction with them, with what it
   * does through `store` and `db`, and with the checkpoint. It may run again: nothing outside the database belongs here.
   */
  readonly react: (
    event: RecordedEvent<Handled>,
    state: State,
    context: ProcessContext<E, Db, Own>,
  ) => Own | readonly Own[] | void | Promise<Own | readonly Own[] | void>;
}

/** What a process is made of, once it is checked. */
interface Parts<State> {
  readonly name: string;
  readonly initialState: () => State;
  readonly evolve: (state: State, event: never) => State;
  readonly retries: number;
  readonly publish: boolean;
  readonly snapshots: SnapshotOptions | undefined;
  readonly stateVersion: number | undefined;
}

/** A handler of any type of event. */
export type AnyHandler<E extends Event, Db, State> = ProcessHandler<E, State, Event, E, Db>;

/** What a process does with an event, in a transaction. */
export class Reaction<E extends Event, Db, State> {
  readonly #parts: Parts<State>;
  readonly #handlers: ReadonlyMap<string, AnyHandler<E, Db, State>>;
  readonly #model: Model<State>;

  constructor(parts: Parts<State>, handlers: ReadonlyMap<string, AnyHandler<E, Db, State>>) {
    const { initialState, evolve, snapshots, stateVersion } = parts;
    checkFunction("initialState", initialState);
    checkFunction("evolve", evolve);
    this.#parts = parts;
    this.#handlers = handlers;
    this.#model = {
      keeping: snapshots && readSnapshotOptions(snapshots, "process", stateVersion),
      initial: initialState,
      // The streams of the process hold its own events, as far as this release knows them.
      evolve: (state, event) => isUnknown(event) ? state : evolve(state, event as never),
      capture: (state) => state,
      restore: (data) => data as State, // what capture has given
      isIntact: () => true,
    };
  }

  /** Returns the id of the stream of a process. */
  streamOf(key: string): string {
    return streamIdOf(this.#parts.name, key);
  }

  /** Whether an event finds its process by its data; otherwise it stands in the process's own stream. */
  correlates(type: string): boolean {
    return this.#handlers.get(type)?.correlate !== undefined;
  }

  /** Returns the key of the process that an event is for; undefined if it is for none. */
  keyOf(event: RecordedEvent<E>): string | undefined {
    const handler = this.#handlers.get(event.type);
    if (handler === undefined) return undefined;
    const own = `${this.#parts.name}:`;
    const key = handler.correlate !== undefined
      ? handler.correlate(event)
      : event.streamId.startsWith(own)
      ? event.streamId.slice(own.length)
      : undefined;
    if (key !== undefined) checkName("key", key);
    return key;
  }

  /** Loads the state of a process. */
  async load(store: object, key: string): Promise<Folding<State>> {
    return await loadState(store, this.streamOf(key), this.#model, {});
  }

  /**
   * Reacts to an event, in a savepoint each time: where another writer was faster at the process's stream, it runs again,
   * and what it had done before is undone. If that conflict has aborted the transaction, the event is handled again as a
   * whole: tried again inside, each attempt waited for a deadlock.
   *
   * @param scheduled Is told what it schedules, for tests.
   * @returns The events that it has answered with.
   */
  async run(
    event: RecordedEvent<E>,
    context: ConsumerContext<E, Db>,
    scheduled: (own: Event, waiting: Scheduled) => void = () => {},
  ): Promise<readonly RecordedEvent[]> {
    const key = this.keyOf(event);
    if (key === undefined) return [];
    return await withRetries(
      context.store,
      this.streamOf(key),
      this.#parts.retries,
      () =>
        context.store.transaction((inside) =>
          this.#attempt(event, key, context, inside, scheduled)
        ),
    );
  }

  async #attempt(
    event: RecordedEvent<E>,
    key: string,
    context: ConsumerContext<E, Db>,
    { store, db }: TransactionContext<E, Db>,
    scheduled: (own: Event, waiting: Scheduled) => void,
  ): Promise<readonly RecordedEvent[]> {
    const streamId = this.streamOf(key);
    const { state, version } = await this.load(store, key);
    const answer = await this.#handlers.get(event.type)!.react(event, state, {
      ...{ store, db, key, isNew: version === 0, attempt: context.attempt },
      get signal() {
        return context.signal;
      },
      get replaying() {
        return context.replaying;
      },
      async schedule(own, options) {
        const waiting = await store.schedule(streamId, own as E, options); // by the types of react
        scheduled(own, waiting);
        return waiting;
      },
    });
    const answers: readonly Event[] = answer === undefined
      ? []
      : Array.isArray(answer)
      ? answer
      : [answer];
    if (answers.length === 0) return [];
    const append = this.#parts.publish ? store.publish : store.append;
    const { events } = await append(streamId, answers as readonly E[], {
      expectedVersion: version,
    });
    return events;
  }
}
