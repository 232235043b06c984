import type { Forgetter, SubjectKeys } from "../codec/sealer.ts";
import type { Driver } from "../driver/driver.ts";
import type { Event, RecordedEvent, RetiredEvent, UnknownEvent } from "../event/event.ts";
import type { AnyEventType, EventOf } from "../event/type.ts";
import type { Observer } from "../observe/observer.ts";
import type { EventReader } from "./reader.ts";
import type { ScopeOptions, Shared } from "./scope.ts";
import type { EventWriter } from "./writer.ts";
import { Catalog } from "../codec/catalog.ts";
import { sealerOf } from "../codec/sealer.ts";
import { noMetadata } from "../event/freeze.ts";
import { type HandledEvent, readSubscriptions, type StoreErrorContext } from "./handler.ts";
import { wakeUpsOf } from "./notifier.ts";
import { checkOptions, Preparer, type RetiredOption } from "./prepare.ts";
import { ScopedStore } from "./scoped.ts";

/**
 * Stores events and reads them.
 *
 * A store of more event types is not assignable to a store of fewer, since it reads events that the other type does not
 * have: an application takes its own `EventStore<AppEvent>`, a module that only writes `EventWriter<OrderEvent>`, one
 * that only reads `EventReader<OrderEvent>`. So a function with a store as parameter names the events,
 * `(store: EventStore<OrderEvent>)`; `Db` may be left out there. A bare `EventStore` accepts no store with event types.
 *
 * An editor spells out the union of all events where it shows a store's type; `export type AppStore = typeof store`
 * gives it a name.
 *
 * @category Event store
 */
export interface EventStore<in out E extends Event = Event, Db = unknown>
  extends EventReader<E>, EventWriter<E>, Forgetter {
  /** The driver that it was made with, whatever its scope or transaction. */
  readonly driver: Driver<Db>;

  /**
   * Runs work in one transaction (READ COMMITTED on Postgres): appends, handlers' writes and the user's own writes
   * through `db` are committed or rolled back together. Inside another transaction, uses a savepoint.
   *
   * @param work Receives the store and the database handle of the transaction.
   * @returns The return value of the work.
   * @throws {TransactionAbortedError} If the work resolved although the database had aborted the transaction.
   * @throws {BusyError} If another transaction held the store for too long.
   */
  transaction<R>(work: (context: TransactionContext<E, Db>) => R): Promise<Awaited<R>>;

  /**
   * Returns the same store bound to a transaction that the caller opened with Drizzle and will end. Call `committed()` after
   * its commit. Do not use the store after the end: some clients run its statements on their own then.
   */
  using(tx: Db): JoinedStore<E, Db>;

  /**
   * Returns a store that reads and writes only one tenant's streams, adds metadata to the events it appends, or both.
   * An event's own metadata takes precedence.
   *
   * @throws {TypeError} If the store is already scoped to another tenant.
   */
  scope(options: ScopeOptions): EventStore<E, Db>;

  /**
   * Deletes a stream with its events, parked and scheduled ones; does nothing if it does not exist. A later append to it starts
   * again at version 1. On Postgres all appends wait until the transaction around the deletion ends, so inside a
   * transaction delete last.
   *
   * @throws {UnsupportedError} If deleting needs a transaction, as on Postgres, and the database handle supports none.
   */
  delete(streamId: string): Promise<void>;
}

/**
 * The argument of work in a transaction.
 *
 * @category Event store
 */
export interface TransactionContext<E extends Event = Event, Db = unknown> {
  /** The store, inside the transaction. */
  readonly store: EventStore<E, Db>;
  /** The transaction's database handle. */
  readonly db: Db;
}

/**
 * A store bound to a transaction that the caller opened.
 *
 * @category Event store
 */
export interface JoinedStore<E extends Event = Event, Db = unknown> extends EventStore<E, Db> {
  /** Runs the pending `afterCommit` subscriptions and wakes consumers; to be called after the caller's commit. */
  committed(): Promise<void>;
}

/**
 * Options of an event store; the type parameters are inferred from `events` and the driver.
 *
 * @category Event store
 */
export interface EventStoreOptions<
  E extends Event,
  Db,
  Types extends readonly AnyEventType[] = readonly AnyEventType[],
  Listed extends readonly unknown[] = readonly unknown[],
  Stored extends Event = E,
  Retired extends string = never,
> {
  /** The event types that it stores; no two may share a name. */
  readonly events: Types;
  /** Handlers that run inside the append: by event type, or as a list of entries with options. @default none */
  readonly subscriptions?:
    | HandlerMap<E, Db, Stored>
    | { readonly [Index in keyof Listed]: HandlerEntry<E, Db, Listed[Index], Stored> }
    | undefined;
  /** Whether `append` also publishes: all events, or those that the predicate selects. @default false */
  readonly publishes?: true | ((event: E) => boolean) | undefined;
  /**
   * Names of types whose definition was removed, as they are stored. Their events keep their versions and positions, and
   * are read with the type `"?Name"`, which aggregates, deciders and handlers by name pass over. @default none
   */
  readonly retired?: readonly Retired[] | undefined;
  /**
   * The keys under which sensitive fields are sealed, from `subjectKeys()` of `event-sourcery/privacy`; with `"mask"` the
   * store reads masks only, and appends no event with sensitive fields. @default none
   */
  readonly keys?: SubjectKeys | "mask" | undefined;
  /** Whether a stored event of a type not in `events` is an error, or is read as type `"?Name"`. @default "error" */
  readonly unknownEvents?: "error" | "keep" | undefined;
  /** Returns the time for events created without `createdAt`. @default the time of their creation */
  readonly clock?: (() => Date) | undefined;
  /** Returns the id for events created without `id`. @default a UUIDv7 made at their creation */
  readonly generateId?: (() => string) | undefined;
  /**
   * Receives the error of an `afterCommit` handler, whose append has already succeeded; what kept a snapshot from being
   * kept or used, once until another is kept; and what kept an inbox from forgetting old messages. @default prints it
   */
  readonly onError?: ((error: unknown, context: StoreErrorContext) => void) | undefined;
  /** Watches what the store does, and its repositories and consumers. @default none */
  readonly observer?: Observer | undefined;
}

/**
 * The constructor of `EventStore`; all types are inferred from `events` and the driver.
 *
 * @category Event store
 */
export interface EventStoreConstructor {
  /** Makes a store that also reads events of types that are not in `events`. */
  new <
    const Types extends readonly AnyEventType[],
    Db,
    const Listed extends readonly unknown[],
    const Retired extends string = never,
  >(
    driver: Driver<Db>,
    options:
      & EventStoreOptions<
        EventOf<Types[number]>,
        Db,
        Types,
        Listed,
        EventOf<Types[number]> | UnknownEvent,
        Retired
      >
      & { readonly unknownEvents: "keep" },
  ): EventStore<EventOf<Types[number]> | UnknownEvent, Db>;
  /**
   * Makes a store.
   *
   * @throws {DuplicateEventTypeError} If two event types share a name, or a retired name is in use.
   * @throws {UnsupportedError} If subscriptions need transactions and the driver does not support them.
   */
  new <
    const Types extends readonly AnyEventType[],
    Db,
    const Listed extends readonly unknown[],
    const Retired extends string = never,
  >(
    driver: Driver<Db>,
    options: EventStoreOptions<
      EventOf<Types[number]>,
      Db,
      Types,
      Listed,
      EventOf<Types[number]> | RetiredEvent<Retired>,
      Retired
    >,
  ): EventStore<EventOf<Types[number]> | RetiredEvent<Retired>, Db>;
}

/**
 * Makes event stores.
 *
 * @category Event store
 *
 * @example Append and load
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const TurnedOn = defineEvent("TurnedOn");
 * const store = new EventStore(memory(), { events: [TurnedOn] });
 *
 * await store.append("light:hall", TurnedOn(), { expectedVersion: 0 });
 * const [event] = await store.load("light:hall");
 * assert.equal(event?.version, 1);
 * ```
 */
export const EventStore: EventStoreConstructor = class EventStore<E extends Event, Db>
  extends ScopedStore<E, Db> {
  /** Makes a store; `EventStoreConstructor` documents the errors. */
  constructor(
    driver: Driver<Db>,
    options: Omit<EventStoreOptions<E, Db>, "retired"> & RetiredOption,
  ) {
    checkOptions(driver, options);
    const { retired = [], unknownEvents, keys } = options;
    const sealer = keys === undefined || keys === "mask" ? keys : sealerOf(keys, driver);
    const catalog = new Catalog<E>(options.events, retired, unknownEvents === "keep", sealer);
    const handlers = readSubscriptions<E, Db, ScopedStore<E, Db>>(
      options.subscriptions,
      (type) => catalog.has(type),
      driver.capabilities.transactions,
    );
    const shared: Shared<E, Db, ScopedStore<E, Db>> = {
      driver,
      catalog,
      preparer: new Preparer(catalog, options),
      handlers,
      forgetters: [],
      wakeUps: wakeUpsOf(driver),
      onError: options.onError ?? ((error: unknown) => console.error(error)),
      observer: options.observer,
      storeAt: (scope) => new ScopedStore(shared, scope),
    };
    super(shared, {
      session: driver,
      transaction: undefined,
      tenantId: undefined,
      metadata: noMetadata,
    });
  }
};

/**
 * The second argument of a handler.
 *
 * @category Event store
 */
export interface HandlerContext<E extends Event = Event, Db = unknown> {
  /**
   * The store, scoped to the event's tenant and inside the same transaction: what is appended through it is committed
   * or rolled back with the event, and gets its correlation id, and its id as causation id.
   */
  readonly store: EventStore<E, Db>;
  /** The database handle of the same transaction, for the handler's own statements. */
  readonly db: Db;
}

/**
 * Handles an event; if it rejects inside the append's transaction, nothing of the append is stored.
 *
 * @category Event store
 */
export type Handler<Handled extends Event, E extends Event = Handled, Db = unknown> = (
  event: RecordedEvent<Handled>,
  context: HandlerContext<E, Db>,
) => unknown;

/**
 * Handlers by event type, in the order they are called; those under `"*"` are called for every type. `Stored` is the
 * union of events that the handlers' store reads: more than `E` if it keeps unknown events.
 *
 * @category Event store
 */
export type HandlerMap<E extends Event, Db, Stored extends Event = E> =
  & {
    readonly [Type in E["type"]]?:
      | readonly Handler<Extract<E, { readonly type: Type }>, Stored, Db>[]
      | undefined;
  }
  & { readonly "*"?: readonly Handler<E, Stored, Db>[] | undefined };

/**
 * A handler and the events it is called for. `Type` is inferred from `types`, which narrow the event.
 *
 * @category Event store
 */
export interface HandlerEntry<E extends Event, Db, Type = unknown, Stored extends Event = E> {
  /** Only events of these types. @default all */
  readonly types?: readonly (Type & E["type"])[] | undefined;
  /** Only events of streams of these categories. @default all */
  readonly categories?: readonly string[] | undefined;
  /**
   * Whether it is called after the commit, never after a rollback, instead of inside the transaction. Best effort: a
   * crash in between loses the call; use a consumer for what must not be lost. @default false
   */
  readonly afterCommit?: boolean | undefined;
  /** The function to call, with the entry as `this`. */
  readonly handler: Handler<HandledEvent<E, NoInfer<Type>>, Stored, Db>;
}
