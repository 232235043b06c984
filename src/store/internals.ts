import type { Session } from "../driver/driver.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import { handling, type Scope, type Shared, transact } from "./scope.ts";
import { partsOf, ScopedStore } from "./scoped.ts";
import type { Transaction } from "./transaction.ts";

/** What repositories and consumers need to know of a store that is not for users. */
export interface Internals<E extends Event, Db> {
  /** What all scopes of the store share; commands of one process on one stream queue up at its driver. */
  readonly shared: Shared<E, Db, ScopedStore<E, Db>>;
  /** The transaction that the store is bound to, if any. */
  readonly transaction: Transaction | undefined;
  /** The tenant that it is scoped to; undefined where it sees all, and writes for `""`. */
  readonly tenantId: string | undefined;
  /** Runs work in a transaction, as `EventStore.transaction` does, with its session. */
  readonly transact: <R>(
    work: (internals: Internals<E, Db>, session: Session<Db>) => Promise<R>,
  ) => Promise<R>;
  /** Returns the store for a handler of an event: of its tenant, and what is appended follows from it. */
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
    transact: (work) => transact(scope, (inner) => work(internalsAt(shared, inner), inner.session)),
    storeFor: (event) => shared.storeAt(handling(scope, event)),
  };
}
