import type { Session } from "../driver/driver.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import { handling, type Scope, sessionOf, type Shared, transact } from "./scope.ts";
import { partsOf, ScopedStore } from "./scoped.ts";
import type { Transaction } from "./transaction.ts";

/** The parts of a store that repositories and consumers need, and users do not see. */
export interface Internals<E extends Event, Db> {
  /** The state that all scopes of the store share. */
  readonly shared: Shared<E, Db, ScopedStore<E, Db>>;
  /** The transaction that the store is bound to; undefined outside of transactions. */
  readonly transaction: Transaction | undefined;
  /** The tenant that it is scoped to; undefined if it reads the log of all tenants and writes for `""`. */
  readonly tenantId: string | undefined;
  /** Returns its session. @throws {TypeError} If its transaction has ended. */
  readonly session: () => Session<Db>;
  /** Runs work in a transaction, as `EventStore.transaction` does, and passes it the session. */
  readonly transact: <R>(
    work: (internals: Internals<E, Db>, session: Session<Db>) => Promise<R>,
  ) => Promise<R>;
  /** Returns the store for an event's handler: scoped to its tenant, with the event as the cause of its appends. */
  readonly storeFor: (event: RecordedEvent<E>) => ScopedStore<E, Db>;
}

/** Returns the internals of a store; undefined for an object that this copy of the package did not make. */
export function internalsOf<E extends Event, Db>(store: object): Internals<E, Db> | undefined {
  if (!(store instanceof ScopedStore)) return undefined;
  const { shared, scope } = partsOf<E, Db>(store);
  return internalsAt(shared, scope);
}

function internalsAt<E extends Event, Db>(
  shared: Shared<E, Db, ScopedStore<E, Db>>,
  scope: Scope<Db>,
): Internals<E, Db> {
  return {
    shared,
    transaction: scope.transaction,
    tenantId: scope.tenantId,
    session: () => sessionOf(scope),
    transact: (work) => transact(scope, (inner) => work(internalsAt(shared, inner), inner.session)),
    storeFor: (event) => shared.storeAt(handling(scope, event)),
  };
}
