import type { Driver } from "../driver/driver.ts";
import type { Event, Metadata, RecordedEvent, UnknownEvent } from "../event/event.ts";
import type { AnyEventType, EventOf } from "../event/type.ts";
import type { EventReader } from "./reader.ts";
import type { EventWriter } from "./writer.ts";
import { Catalog } from "../codec/catalog.ts";
import { kind } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { noMetadata } from "../event/freeze.ts";
import { readSubscriptions } from "./handler.ts";
import { wakeUpsOf } from "./notifier.ts";
import { Preparer } from "./prepare.ts";
import type { Shared } from "./scope.ts";
import { ScopedStore } from "./scoped.ts";

/**
 * Stores events and gives them back.
 *
 * A store of more event types is not a store of fewer, since reading would lie: an application takes its own
 * `EventStore<AppEvent>`, a module that only writes `EventWriter<OrderEvent>`, one that only reads
 * `EventReader<OrderEvent>`. So a function that is given a store names the events, `(store: EventStore<OrderEvent>)`;
 * `Db` may be left out there. A bare `EventStore` accepts no store with event types.
 *
 * An editor spells out the union of all events where it shows a store's type; `export type AppStore = typeof store` gives
 * the whole a name.
 */
export interface EventStore<in out E extends Event = Event, Db = unknown>
  extends EventReader<E>, EventWriter<E> {
  /**
   * Runs work in one transaction (READ COMMITTED on Postgres): appends, handlers' writes and the user's own writes
   * through `db` commit or vanish together. Inside another transaction, a savepoint.
   *
   * @param work Is given the store and the database handle of the transaction; what it returns is returned.
   * @throws {TransactionAbortedError} If the work resolved although the database had aborted the transaction.
   * @throws {BusyError} If another transaction held the store for too long.
   */
  transaction<R>(work: (context: TransactionContext<E, Db>) => R): Promise<Awaited<R>>;

  /**
   * Gives the same store bound to a transaction that the caller opened with Drizzle and will end.
   *
   * The library cannot see how the transaction ends: call `committed()` after a commit, for the `afterCommit` subscriptions
   * and to wake consumers, and use the store no more; what some clients get later, they run outside of any transaction.
   *
   * @param tx The transaction's handle.
   */
  using(tx: Db): JoinedStore<E, Db>;

  /**
   * Gives a store that reads and writes only one tenant's streams, or stamps metadata on what it appends, or both.
   * An event's own metadata wins.
   *
   * @throws {TypeError} If the store is already scoped to another tenant.
   */
  scope(options: ScopeOptions): EventStore<E, Db>;

  /**
   * Removes a stream with all that belongs to it; where there is none, does nothing. A stream that is appended to
   * afterwards starts again at version 1. On Postgres it keeps all appends waiting until the transaction around it ends:
   * inside one, delete last.
   *
   * @throws {UnsupportedError} If this takes a transaction, as on Postgres, and the database handle has none.
   */
  delete(streamId: string): Promise<void>;
}

/**
 * The type of the `db` that a store's handlers and transactions are given, for handlers in a module of their own:
 * `ProjectionHandlers<OrderEvent, DbOf<typeof store>>`. For a Drizzle database that is the transaction's type, not the
 * handle's.
 */
export type DbOf<Store> = Store extends EventStore<infer _E extends Event, infer Db> ? Db : never;

/** What work in a transaction is given. */
export interface TransactionContext<E extends Event = Event, Db = unknown> {
  /** The store, inside the transaction. */
  readonly store: EventStore<E, Db>;
  /** The transaction's database handle. */
  readonly db: Db;
}

/** A store bound to a transaction that the caller opened. */
export interface JoinedStore<E extends Event = Event, Db = unknown> extends EventStore<E, Db> {
  /** Says that the caller's transaction has been committed: runs the `afterCommit` subscriptions that wait for it. */
  committed(): Promise<void>;
}

/** What a scoped store is bound to. */
export interface ScopeOptions {
  /** The tenant, a string of at most 512 bytes; `""` is what an unscoped store writes. @default the store's own */
  readonly tenantId?: string | undefined;
  /** Metadata for every event that is appended. @default none */
  readonly metadata?: Metadata | undefined;
}

/** How to make an event store. All but its events and its database handle is inferred. */
export interface EventStoreOptions<
  E extends Event,
  Db,
  Types extends readonly AnyEventType[] = readonly AnyEventType[],
  Listed extends readonly unknown[] = readonly unknown[],
  Stored extends Event = E,
> {
  /** The event types that it stores; two of one name are an error. */
  readonly events: Types;
  /** Handlers that run inside the append, by event type, or as a list that says more. @default none */
  readonly subscriptions?:
    | HandlerMap<E, Db, Stored>
    | { readonly [Index in keyof Listed]: HandlerEntry<E, Db, Listed[Index], Stored> }
    | undefined;
  /** Whether `append` does what `publish` does, for all events or those it says. @default false */
  readonly publishes?: true | ((event: E) => boolean) | undefined;
  /** Whether a stored event that nobody defined is an error, or read as type `"?Name"`. @default "error" */
  readonly unknownEvents?: "error" | "keep" | undefined;
  /** The time of events that were created without one of their own. @default their creation */
  readonly clock?: (() => Date) | undefined;
  /** The id of events that were created without one of their own. @default a UUIDv7 made at their creation */
  readonly generateId?: (() => string) | undefined;
  /**
   * Receives what an `afterCommit` handler threw: the append has succeeded by then. @default prints it with
   * `console.error`
   */
  readonly onError?: ((error: unknown, context: StoreErrorContext) => void) | undefined;
}

/** Where an error comes from that a store reports. */
export interface StoreErrorContext {
  /** What failed: a handler after the commit. */
  readonly phase: "afterCommit";
  /** The event that it was called for. */
  readonly event: RecordedEvent;
}

/** The constructor of `EventStore`; everything is inferred from `events`. */
export interface EventStoreConstructor {
  /** Makes a store that also reads events nobody defined. */
  new <const Types extends readonly AnyEventType[], Db, const Listed extends readonly unknown[]>(
    driver: Driver<Db>,
    options:
      & EventStoreOptions<
        EventOf<Types[number]>,
        Db,
        Types,
        Listed,
        EventOf<Types[number]> | UnknownEvent
      >
      & { readonly unknownEvents: "keep" },
  ): EventStore<EventOf<Types[number]> | UnknownEvent, Db>;
  /**
   * Makes a store.
   *
   * @throws {DuplicateEventTypeError} If two event types share a name.
   * @throws {UnsupportedError} If subscriptions need transactions and the driver has none.
   */
  new <const Types extends readonly AnyEventType[], Db, const Listed extends readonly unknown[]>(
    driver: Driver<Db>,
    options: EventStoreOptions<EventOf<Types[number]>, Db, Types, Listed>,
  ): EventStore<EventOf<Types[number]>, Db>;
}

/**
 * Makes event stores.
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
  /** Makes a store, as `EventStoreConstructor` says. */
  constructor(driver: Driver<Db>, options: EventStoreOptions<E, Db>) {
    if (typeof driver?.append !== "function") {
      throw new TypeError("driver must be a driver, such as memory()");
    }
    if (!Array.isArray(options?.events)) {
      throw new TypeError(`events must be a list of event types, got ${kind(options?.events)}`);
    }
    const { unknownEvents = "error" } = options;
    if (!["error", "keep"].includes(unknownEvents)) {
      throw new TypeError('unknownEvents must be "error" or "keep"');
    }
    const catalog = new Catalog<E>(options.events, unknownEvents === "keep");
    const handlers = readSubscriptions<E, Db, ScopedStore<E, Db>>(
      options.subscriptions,
      (type) => catalog.has(type),
    );
    if (!driver.capabilities.transactions && handlers.some(({ afterCommit }) => !afterCommit)) {
      throw new UnsupportedError(
        "subscribe inside the append",
        "this database handle has no interactive transactions",
      );
    }
    const shared: Shared<E, Db, ScopedStore<E, Db>> = {
      driver,
      catalog,
      preparer: new Preparer(catalog, options),
      handlers,
      wakeUps: wakeUpsOf(driver),
      onError: options.onError ?? ((error: unknown) => console.error(error)),
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

/** What a handler is given besides the event. */
export interface HandlerContext<E extends Event = Event, Db = unknown> {
  /**
   * The store, of the event's tenant and inside the same transaction: what is appended through it commits or vanishes
   * with the event, and carries the event's correlation id and the event's id as causation id.
   */
  readonly store: EventStore<E, Db>;
  /** The database handle of the same transaction, for the handler's own statements. */
  readonly db: Db;
}

/** Is called for an event; when it rejects inside a transaction, nothing of the append is stored. */
export type Handler<Handled extends Event, E extends Event = Handled, Db = unknown> = (
  event: RecordedEvent<Handled>,
  context: HandlerContext<E, Db>,
) => unknown;

/**
 * Handlers by event type, in the order they are called; `"*"` stands for every type. `Stored` is what the handlers'
 * store reads: more than `E` where it keeps unknown events.
 */
export type HandlerMap<E extends Event, Db, Stored extends Event = E> =
  & {
    readonly [Type in E["type"]]?:
      | readonly Handler<Extract<E, { readonly type: Type }>, Stored, Db>[]
      | undefined;
  }
  & { readonly "*"?: readonly Handler<E, Stored, Db>[] | undefined };

/** One handler with what it wants to be called for. `Type` is inferred from `types`, which narrow the event. */
export interface HandlerEntry<E extends Event, Db, Type = unknown, Stored extends Event = E> {
  /** Only events of these types. @default all */
  readonly types?: readonly (Type & E["type"])[] | undefined;
  /** Only events of streams of these categories. @default all */
  readonly categories?: readonly string[] | undefined;
  /**
   * Whether it is called after the commit, never after a rollback, instead of inside the transaction. Best effort: a
   * crash in between loses the call; what must not be lost belongs into a consumer. @default false
   */
  readonly afterCommit?: boolean | undefined;
  /** What is called. */
  readonly handler: Handler<HandledEvent<E, NoInfer<Type>>, Stored, Db>;
}

/** The events that an entry is called for: all where it names no types. */
export type HandledEvent<E extends Event, Type> = unknown extends Type ? E
  : Extract<E, { readonly type: Type }>;
