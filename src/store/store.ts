import type { Driver } from "../driver/driver.ts";
import type { Event, Metadata, UnknownEvent } from "../event/event.ts";
import type { AnyEventType, EventOf } from "../event/type.ts";
import type { SubscriptionEntry, SubscriptionMap } from "./handler.ts";
import type { EventReader } from "./reader.ts";
import type { EventWriter } from "./writer.ts";
import { bellOf } from "./notifier.ts";
import { BoundStore } from "./scoped.ts";
import { Catalog } from "../codec/catalog.ts";
import { kind } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { noMetadata } from "../event/freeze.ts";
import { readSubscriptions } from "./handler.ts";
import { Preparer } from "./prepare.ts";

/**
 * Stores events and gives them back.
 *
 * A store of more event types is not a store of fewer, since reading would lie: an application takes its own
 * `EventStore<AppEvent>`, a module that only writes `EventWriter<OrderEvent>`, one that only reads
 * `EventReader<OrderEvent>`.
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
  using(tx: Db): UsingStore<E, Db>;

  /**
   * Gives a store that reads and writes only one tenant's streams, or stamps metadata on what it appends, or both.
   * An event's own metadata wins.
   *
   * @throws {TypeError} If the store is already scoped to another tenant.
   */
  scope(options: ScopeOptions): EventStore<E, Db>;

  /**
   * Removes a stream with all that belongs to it; where there is none, does nothing. A stream that is appended to
   * afterwards starts again at version 1.
   *
   * @throws {UnsupportedError} If this takes a transaction, as on Postgres, and the database handle has none.
   */
  delete(streamId: string): Promise<void>;
}

/** What work in a transaction is given. */
export interface TransactionContext<E extends Event = Event, Db = unknown> {
  /** The store, inside the transaction. */
  readonly store: EventStore<E, Db>;
  /** The transaction's database handle. */
  readonly db: Db;
}

/** A store bound to a transaction that the caller opened. */
export interface UsingStore<E extends Event = Event, Db = unknown> extends EventStore<E, Db> {
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
    | SubscriptionMap<E, Db, Stored>
    | { readonly [Index in keyof Listed]: SubscriptionEntry<E, Db, Listed[Index], Stored> }
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
   * Is told what an `afterCommit` handler threw: the append has succeeded by then. @default prints it with
   * `console.error`
   */
  readonly onError?: ((error: unknown) => void) | undefined;
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
  extends BoundStore<E, Db> {
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
    const subscriptions = readSubscriptions<E, Db>(
      options.subscriptions,
      (type) => catalog.has(type),
    );
    if (
      !driver.capabilities.transactions && subscriptions.some(({ afterCommit }) => !afterCommit)
    ) {
      throw new UnsupportedError(
        "subscribe inside the append",
        "this database handle has no interactive transactions",
      );
    }
    const onError = options.onError ?? ((error: unknown) => console.error(error));
    super(
      {
        driver,
        catalog,
        preparer: new Preparer(catalog, options),
        subscriptions,
        onError,
        bell: bellOf(driver),
      },
      { session: driver, unit: undefined, tenantId: undefined, metadata: noMetadata },
    );
  }
};
