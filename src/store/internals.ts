import type { Bell } from "./notifier.ts";
import type { Catalog } from "../codec/catalog.ts";
import type { Driver, Session } from "../driver/driver.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { Subscription } from "./handler.ts";
import type { Preparer } from "./prepare.ts";
import type { EventStore } from "./store.ts";
import type { Unit } from "./transaction.ts";

/** What all scopes and transactions of one store share. */
export interface Shared<E extends Event, Db> {
  readonly driver: Driver<Db>;
  readonly catalog: Catalog<E>;
  readonly preparer: Preparer<E>;
  /** Those that the store was made with, and those of inline projections. */
  readonly subscriptions: Subscription<E, Db>[];
  readonly bell: Bell;
  readonly onError: (error: unknown) => unknown;
}

/** What repositories and consumers need to know of a store that is not for users. */
export interface Inside<E extends Event, Db> {
  /** What all scopes of the store share; commands of one process on one stream queue up at its driver. */
  readonly shared: Shared<E, Db>;
  /** The transaction that the store is bound to, if any. */
  readonly unit: Unit | undefined;
  /** The tenant that it is scoped to; undefined where it sees all, and writes for `""`. */
  readonly tenantId: string | undefined;
  /** Runs work in a transaction, as `EventStore.transaction` does, with its session. */
  readonly transaction: <R>(
    work: (inside: Inside<E, Db>, session: Session<Db>) => Promise<R>,
  ) => Promise<R>;
  /** The store for whoever handles an event: of its tenant, and what is appended follows from it. */
  readonly reacting: (event: RecordedEvent<E>) => EventStore<E, Db>;
}

const insides: WeakMap<object, () => unknown> = new WeakMap();

/** Says what is inside of a store. */
export function reveal<E extends Event, Db>(store: object, inside: () => Inside<E, Db>): void {
  insides.set(store, inside);
}

/** Tells what is not for users to know of a store; undefined for one of another making. */
export function insideOf<E extends Event, Db>(store: object): Inside<E, Db> | undefined {
  // What stands under a store was put there by its own constructor, with its own types.
  return insides.get(store)?.() as Inside<E, Db> | undefined;
}
