import type { Session } from "../driver/driver.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import { appendPrepared } from "./append.ts";
import type { Prepared } from "./prepare.ts";
import { handling, sessionOf, transact } from "./scope.ts";
import { type Parts, partsOf, ScopedStore } from "./scoped.ts";
import type { Transaction } from "./transaction.ts";

/** The parts of a store that repositories and consumers need, and users do not see. */
export interface Internals<E extends Event, Db> extends Parts<E, Db> {
  /** The transaction that the store is bound to; undefined outside of transactions. */
  readonly transaction: Transaction | undefined;
  /** The tenant that it is scoped to; undefined if it reads the log of all tenants and writes for `""`. */
  readonly tenantId: string | undefined;
  /** Returns its session. @throws {TypeError} If its transaction has ended. */
  readonly session: () => Session<Db>;
}

/** Returns the internals of a store; undefined for an object that this copy of the package did not make. */
export function internalsOf<E extends Event, Db>(store: object): Internals<E, Db> | undefined {
  const parts = partsOf<E, Db>(store);
  return parts && internalsAt(parts);
}

/** Runs work in a transaction, as `EventStore.transaction` does, and passes it the session. */
export async function transactOn<E extends Event, Db, R>(
  { shared, scope }: Parts<E, Db>,
  work: (internals: Internals<E, Db>, session: Session<Db>) => Promise<R>,
): Promise<R> {
  return await transact(scope, (scope) => work(internalsAt({ shared, scope }), scope.session));
}

/** Appends what is encoded already, to streams of its request's tenant, as `EventStore.append` does. */
export async function appendOn<E extends Event, Db>(
  { shared, scope }: Parts<E, Db>,
  prepared: Prepared,
): Promise<void> {
  await appendPrepared(shared, { ...scope, tenantId: prepared.request.tenantId }, prepared);
}

/** Returns the store for an event's handler: scoped to its tenant, with the event as the cause of its appends. */
export function storeFor<E extends Event, Db>(
  { shared, scope }: Parts<E, Db>,
  event: RecordedEvent<E>,
): ScopedStore<E, Db> {
  return shared.storeAt(handling(scope, event));
}

/** Returns a store that reads what this one does, but sensitive fields as their masks. It is for reading only. */
export function maskedStore<E extends Event, Db>(
  { shared, scope }: Parts<E, Db>,
): ScopedStore<E, Db> {
  const masked: typeof shared = {
    ...shared,
    catalog: shared.catalog.masked(),
    storeAt: (scope) => new ScopedStore(masked, scope),
  };
  return masked.storeAt(scope);
}

function internalsAt<E extends Event, Db>({ shared, scope }: Parts<E, Db>): Internals<E, Db> {
  const { transaction, tenantId } = scope;
  return { shared, scope, transaction, tenantId, session: () => sessionOf(scope) };
}
