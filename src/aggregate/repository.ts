import type { Event, Metadata } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import { checkFunction, checkNumber, checkObject } from "../errors/check.ts";
import { ConcurrencyError } from "../errors/store.ts";
import { streamIdOf } from "../event/stream.ts";
import { internalsOf } from "../store/internals.ts";
import { Aggregate, type AggregateClass, type AggregateEvent, lifecycle } from "./aggregate.ts";
import { checkCommand } from "./attempt.ts";
import { cacheOf, type CacheOptions, readCacheOptions } from "./cache.ts";
import { type AsOf, keepingOf } from "./load.ts";
import { blank, type Folding, type Model } from "./model.ts";
import {
  type Attempt,
  type CommandContext,
  keepNew,
  observed,
  type Ran,
  runCommand,
  type Target,
} from "./run.ts";
import {
  type ExecuteOptions,
  type ExecuteResult,
  type SaveOptions,
  type SaveResult,
  send,
} from "./save.ts";
import { loadState, type SnapshotOptions } from "./snapshot.ts";

/**
 * Options of a repository.
 *
 * @category Aggregates
 */
export interface RepositoryOptions {
  /** How often a command runs again after a conflict with another writer. @default 3 */
  readonly retries?: number | undefined;
  /** Whether saved events are also published to the outbox, as with `EventStore.publish`. @default false */
  readonly publish?: boolean | undefined;
  /** Keeps the states of long streams; the class has `snapshot` and `restore` then. @default no snapshots */
  readonly snapshots?: SnapshotOptions | undefined;
  /**
   * Keeps aggregates in memory between commands, which need one round trip then; `run` runs again more often than
   * without. @default no cache
   */
  readonly cache?: CacheOptions | undefined;
}

/** Accepts any class if the store has all its events; otherwise the compiler's message names those that are missing. */
type StoredIn<E extends Event, Needed extends Event> = [Needed] extends [E] ? unknown
  : { readonly "the store was made without": Exclude<Needed, E>["type"] };

/**
 * Loads aggregates from their streams and saves the events they emit. A thin layer over `fold` and `append`.
 *
 * @category Aggregates
 *
 * @example Create, change, load
 * ```ts
 * import { Aggregate, defineEvent, type EventOf, EventStore, Repository } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Counted = defineEvent("Counted");
 *
 * class Counter extends Aggregate<EventOf<typeof Counted>> {
 *   static readonly category = "counter";
 *   total = 0;
 *   protected apply(): void {
 *     this.total++;
 *   }
 *   count(): number {
 *     this.emit(Counted());
 *     return this.total;
 *   }
 * }
 *
 * const counters = new Repository(new EventStore(memory(), { events: [Counted] }), Counter);
 * assert.equal(await counters.aggregate("a", (counter) => counter.count()), 1);
 * assert.equal(await counters.aggregate("a", (counter) => counter.count()), 2);
 * ```
 */
export class Repository<A extends Aggregate<Event>, E extends Event = AggregateEvent<A>> {
  readonly #store: EventStore<E>;
  readonly #class: AggregateClass<A>;
  readonly #keeping: Model<A>["keeping"];
  readonly #cache: Target<A>["cache"];
  readonly #retries: number;
  readonly #publish: boolean;

  /**
   * Makes a repository. It holds no state, so making one is cheap, for example inside each transaction.
   *
   * @param store A store of at least the aggregate's events; inside a transaction, the transaction's store.
   * @param aggregateClass The class, whose constructor takes no arguments.
   * @throws {TypeError} If the class's category contains a colon, an argument has the wrong type, or there are to be
   * snapshots of a class without `snapshot` and `restore`.
   * @throws {UnsupportedError} If there are to be snapshots or a cache, and the store's driver lacks what they need.
   */
  constructor(
    store: EventStore<E>,
    aggregateClass: AggregateClass<A> & StoredIn<E, AggregateEvent<A>>,
    options: RepositoryOptions = {},
  ) {
    if (typeof store?.fold !== "function") throw new TypeError("store must be an event store");
    if (!(aggregateClass?.prototype instanceof Aggregate)) {
      throw new TypeError("aggregateClass must be a class that extends Aggregate");
    }
    this.#store = store;
    this.#class = aggregateClass;
    const { retries = 3, publish = false, snapshots, cache } = options;
    checkCommand(aggregateClass.category, retries, publish);
    this.#retries = retries;
    this.#publish = publish;
    if (snapshots !== undefined) this.#keeping = keepingOf(store, aggregateClass, snapshots);
    if (cache === undefined) return;
    this.#cache = { ...readCacheOptions(cache), owner: aggregateClass };
    cacheOf(store, aggregateClass, this.#cache);
  }

  /**
   * Makes a new aggregate, runs a command on it and saves it.
   *
   * @param id The aggregate's id, without the category.
   * @param run The command; if it throws, nothing is saved and the caller gets the same error.
   * @returns What the command returned.
   * @throws {ConcurrencyError} If the stream exists.
   */
  async create<R>(
    id: string,
    run: (aggregate: A, context: CommandContext<E>) => R,
  ): Promise<Awaited<R>> {
    const create = (target: Target<A>) => this.#create(target, run);
    return (await observed(this.#target(id), 1, create, undefined)).result;
  }

  async #create<R>(target: Target<A>, run: Run<A, E, R>): Promise<ExecuteResult<A, Awaited<R>>> {
    const attempt: Attempt = { pinned: undefined, sent: false };
    const folding = blank(target.model);
    const ran = await this.#run(folding, attempt, 1, "noStream", run);
    // Without events to save, no append has checked whether the stream exists.
    const actual = ran.state.version === 0 ? await this.#store.version(target.streamId) : 0;
    if (actual > 0) throw new ConcurrencyError(target.streamId, "noStream", actual);
    await keepNew(target, folding, ran);
    return ran.result;
  }

  /**
   * Loads an aggregate, or makes a new one, runs a command on it and saves it. After a conflict with another writer,
   * loads it again and runs the command again, so the command must be repeatable.
   *
   * @param id The aggregate's id, without the category.
   * @param run The command; if it throws, nothing is saved and the caller gets the same error.
   * @returns What the command returned.
   * @throws {ConcurrencyError} If every attempt met a conflict.
   */
  async aggregate<R>(
    id: string,
    run: (aggregate: A, context: CommandContext<E>) => R,
  ): Promise<Awaited<R>> {
    return (await this.execute(id, run)).result;
  }

  /**
   * Does what `aggregate` does, and also returns the aggregate, its version and the saved events.
   *
   * @param id The aggregate's id, without the category.
   * @param run The command; if it throws, nothing is saved and the caller gets the same error.
   * @param options The expected version of the stream, and metadata for the events.
   * @returns The command's return value, the version after it, and the saved events.
   * @throws {ConcurrencyError} If the stream is not at the expected version, or every attempt met a conflict.
   *
   * @example Change only the version that the user saw
   * ```ts
   * import { Aggregate, defineEvent, type EventOf, EventStore, Repository } from "event-sourcery";
   * import { memory } from "event-sourcery/memory";
   * import assert from "node:assert/strict";
   *
   * const Counted = defineEvent("Counted");
   *
   * class Counter extends Aggregate<EventOf<typeof Counted>> {
   *   static readonly category = "counter";
   *   protected apply(): void {}
   *   count(): void {
   *     this.emit(Counted());
   *   }
   * }
   *
   * const counters = new Repository(new EventStore(memory(), { events: [Counted] }), Counter);
   * const { version } = await counters.execute("a", (counter) => counter.count());
   * assert.equal(version, 1); // an ETag, for example
   *
   * const count = (counter: Counter) => counter.count();
   * await counters.execute("a", count, { expectedVersion: version });
   * await assert.rejects(counters.execute("a", count, { expectedVersion: version }), { code: "CONCURRENCY" });
   * ```
   */
  async execute<R>(
    id: string,
    run: (aggregate: A, context: CommandContext<E>) => R,
    options: ExecuteOptions = {},
  ): Promise<ExecuteResult<A, Awaited<R>>> {
    const { expectedVersion, metadata } = checkObject("options", options);
    let runs = 0;
    const command = (folding: Folding<A>, attempt: Attempt) =>
      this.#run(folding, attempt, ++runs, 0, run, metadata);
    return await runCommand(this.#target(id), command, this.#retries, expectedVersion);
  }

  /**
   * Loads an aggregate in its current or a past state.
   *
   * @returns The aggregate; undefined if the stream does not exist, or did not exist at that time.
   * @throws {RangeError} If the version is not a whole number from 1.
   */
  async load(id: string, asOf: AsOf = {}): Promise<A | undefined> {
    const { version: to, at } = asOf;
    if (to !== undefined) checkNumber("version", to, 1);
    const { store, streamId, model } = this.#target(id);
    const loaded = await loadState(store, streamId, model, { to, at });
    await loaded.saving;
    return loaded.version === 0 ? undefined : loaded.state;
  }

  /**
   * Stores the events that an aggregate emitted. Afterwards its `changes` are empty and its `version` is that of the
   * last event; saving it again writes nothing.
   *
   * @param aggregate An aggregate that this repository loaded.
   * @param options Metadata for the events; an event's own metadata takes precedence.
   * @returns The version after it, and the saved events.
   * @throws {ConcurrencyError} If another writer changed the stream since it was loaded.
   * @throws {AggregateDiscardedError} If its earlier changes were rolled back or refused.
   */
  async save(aggregate: A, options: SaveOptions = {}): Promise<SaveResult<AggregateEvent<A>>> {
    const { metadata } = checkObject("options", options);
    return await this.#save(aggregate, { pinned: undefined, sent: false }, 0, metadata);
  }

  /** Returns where the aggregate with an id is stored and kept. */
  #target(id: string): Target<A> {
    return {
      store: this.#store,
      aggregate: this.#class.name,
      id,
      streamId: streamIdOf(this.#class.category, id),
      model: lifecycle.modelOf(this.#class, id, this.#keeping),
      cache: this.#cache,
    };
  }

  async #run<R>(
    { state: aggregate, version, createdAt, updatedAt }: Folding<A>,
    attempt: Attempt,
    number: number,
    fresh: 0 | "noStream",
    run: Run<A, E, R>,
    metadata?: Metadata,
  ): Promise<Ran<A, ExecuteResult<A, Awaited<R>>>> {
    checkFunction("run", run);
    const isNew = version === 0;
    const context = { isNew, version, createdAt, updatedAt, attempt: number, store: this.#store };
    try {
      const result = await run(aggregate, context);
      const saved = await this.#save(aggregate, attempt, fresh, metadata);
      return { result: { result, aggregate, ...saved }, state: aggregate, events: saved.events };
    } catch (error) {
      lifecycle.discard(aggregate);
      throw error;
    }
  }

  /** Saves an aggregate; `fresh` is the version to expect if it is new. */
  async #save(
    aggregate: A,
    attempt: Attempt,
    fresh: 0 | "noStream",
    metadata: Metadata | undefined,
  ): Promise<SaveResult<AggregateEvent<A>>> {
    lifecycle.check(aggregate);
    // The constructor takes only a store of the aggregate's events.
    const changes = aggregate.changes as readonly (AggregateEvent<A> & E)[];
    const { version } = aggregate;
    const store = metadata === undefined ? this.#store : this.#store.scope({ metadata });
    const append = this.#publish ? store.publish : store.append;
    const expected = version === 0 ? fresh : version;
    const streamId = streamIdOf(this.#class.category, aggregate.id);
    const saved = await send(append, streamId, changes, attempt, version, expected);
    if (changes.length > 0) {
      lifecycle.saved(aggregate, changes, saved.version);
      internalsOf(this.#store)?.transaction?.onRollback(() => lifecycle.discard(aggregate));
    }
    return saved;
  }
}

type Run<A, E extends Event, R> = (aggregate: A, context: CommandContext<E>) => R;
