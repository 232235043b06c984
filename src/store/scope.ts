import type { Catalog } from "../codec/catalog.ts";
import type { Driver, Session } from "../driver/driver.ts";
import type { Event, Metadata, RecordedEvent } from "../event/event.ts";
import type { MatchedHandler, StoreErrorContext } from "./handler.ts";
import type { Observer } from "../observe/observer.ts";
import type { WakeUps } from "./notifier.ts";
import type { Preparer } from "./prepare.ts";
import { Transaction } from "./transaction.ts";

/** The state that all scopes and transactions of one store share. */
export interface Shared<E extends Event, Db, Store> {
  readonly driver: Driver<Db>;
  readonly catalog: Catalog<E>;
  readonly preparer: Preparer<E>;
  /** The handlers that the store was made with, and those of inline projections. */
  readonly handlers: MatchedHandler<E, Db, Store>[];
  readonly wakeUps: WakeUps;
  /**
   * Those who keep something of streams in memory, and drop it when one is deleted; without a stream, what they keep of
   * people, in all streams of a tenant.
   */
  readonly forgetters: ((tenantId: string, streamId?: string) => void)[];
  readonly onError: (error: unknown, context: StoreErrorContext) => unknown;
  readonly observer: Observer | undefined;
  /** Makes the store at a scope. */
  readonly storeAt: (scope: Scope<Db>) => Store;
}

/** The transaction, tenant and metadata that a store works with. */
export interface Scope<Db> {
  readonly session: Session<Db>;
  /** The transaction that the session belongs to; undefined outside of transactions. */
  readonly transaction: Transaction | undefined;
  /** The tenant; undefined if the store reads the log of all tenants and writes for `""`. */
  readonly tenantId: string | undefined;
  /** Defaults for the metadata of every appended event. */
  readonly metadata: Metadata;
  /** The correlation and causation ids for appended events; inner scopes cannot change them. */
  readonly cause?: Metadata | undefined;
}

/** Returns the scope for an event's handler: its tenant, and the event as the cause of what is appended. */
export function handling<E extends Event, Db>(
  scope: Scope<Db>,
  { id, tenantId, metadata }: RecordedEvent<E>,
): Scope<Db> {
  const { correlationId } = metadata as Metadata;
  const cause = { correlationId, causationId: id };
  return { ...scope, tenantId, metadata: { ...scope.metadata, ...cause }, cause };
}

/**
 * Returns a scope's session.
 *
 * @throws {TypeError} If its transaction has ended.
 */
export function sessionOf<Db>({ session, transaction }: Scope<Db>): Session<Db> {
  transaction?.ensureOpen();
  return session;
}

/** Runs work in a transaction; inside another one, in a savepoint. */
export function transact<Db, R>(
  scope: Scope<Db>,
  work: (scope: Scope<Db>) => Promise<R>,
): Promise<R> {
  const transaction = new Transaction(scope.transaction);
  return transaction.run(() =>
    sessionOf(scope).transaction((session) => work({ ...scope, session, transaction }))
  );
}

/** Tells a store's owner of an error that came after the work has succeeded; never rejects. */
export async function tell<E extends Event, Db, Store>(
  { onError }: Shared<E, Db, Store>,
  error: unknown,
  context: StoreErrorContext,
): Promise<void> {
  try {
    await onError(error, context);
  } catch (second) {
    console.error(second);
  }
}

/**
 * Options of `EventStore.scope`.
 *
 * @category Event store
 */
export interface ScopeOptions {
  /** The tenant, a string of at most 512 bytes; an unscoped store writes to `""`. @default the store's own */
  readonly tenantId?: string | undefined;
  /** Metadata for every event that is appended. @default none */
  readonly metadata?: Metadata | undefined;
}
