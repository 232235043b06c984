import type { Catalog } from "../codec/catalog.ts";
import type { Driver, Session } from "../driver/driver.ts";
import type { Event, Metadata, RecordedEvent } from "../event/event.ts";
import type { MatchedHandler } from "./handler.ts";
import type { WakeUps } from "./notifier.ts";
import type { Preparer } from "./prepare.ts";
import { Transaction } from "./transaction.ts";

/** What all scopes and transactions of one store share. */
export interface Shared<E extends Event, Db, Store> {
  readonly driver: Driver<Db>;
  readonly catalog: Catalog<E>;
  readonly preparer: Preparer<E>;
  /** The handlers that the store was made with, and those of inline projections. */
  readonly handlers: MatchedHandler<E, Db, Store>[];
  readonly wakeUps: WakeUps;
  readonly onError: (
    error: unknown,
    context: { readonly phase: "afterCommit"; readonly event: RecordedEvent<E> },
  ) => unknown;
  /** Makes the store at a scope. */
  readonly storeAt: (scope: Scope<Db>) => Store;
}

/** Where a store works: in which transaction, for which tenant, with which metadata. */
export interface Scope<Db> {
  readonly session: Session<Db>;
  /** The transaction that the session belongs to; undefined outside of transactions. */
  readonly transaction: Transaction | undefined;
  /** The tenant; undefined where the store reads the log of all, and writes for `""`. */
  readonly tenantId: string | undefined;
  /** What every appended event gets that it does not bring itself. */
  readonly metadata: Metadata;
  /** The ids that appended events follow from; no inner scope changes them. */
  readonly cause?: Metadata | undefined;
}

/** Returns the scope for a handler of an event: its tenant's, and what is appended there follows from the event. */
export function handling<E extends Event, Db>(
  scope: Scope<Db>,
  { id, tenantId, metadata }: RecordedEvent<E>,
): Scope<Db> {
  const { correlationId } = metadata as Metadata;
  const cause = { correlationId, causationId: id };
  return { ...scope, tenantId, metadata: { ...scope.metadata, ...cause }, cause };
}

/** Returns a scope's session. @throws {TypeError} If its transaction has ended. */
export function sessionOf<Db>({ session, transaction }: Scope<Db>): Session<Db> {
  transaction?.ensureOpen();
  return session;
}

/** Runs work in a transaction of its own, or inside another one in a savepoint. */
export function transact<Db, R>(
  scope: Scope<Db>,
  work: (scope: Scope<Db>) => Promise<R>,
): Promise<R> {
  const transaction = new Transaction(scope.transaction);
  return transaction.run(() =>
    sessionOf(scope).transaction((session) => work({ ...scope, session, transaction }))
  );
}
