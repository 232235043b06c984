import type { Event } from "../event/event.ts";
import type { Aggregate, AggregateClass } from "./aggregate.ts";
import type { Keeping } from "./model.ts";
import { needSnapshots, readSnapshotOptions, type SnapshotOptions } from "./snapshot.ts";

/**
 * The past state in which an aggregate is loaded.
 *
 * @category Aggregates
 */
export interface AsOf {
  /** Load it as of this version, a whole number from 1. @default the last */
  readonly version?: number | undefined;
  /** Load it as of this UTC instant: all events before the first one that was created later. @default now */
  readonly at?: Date | undefined;
}

/** The classes whose snapshots a store keeps, by kind and category. */
const named: WeakMap<object, Map<string, object & { readonly name: string }>> = new WeakMap();

/**
 * Checks that a class can have snapshots in a store, and completes their options.
 *
 * @throws {TypeError} If it has no `snapshot` and `restore`, or another class of the store has the same kind and
 * category.
 * @throws {UnsupportedError} If the store's driver keeps no snapshots.
 */
export function keepingOf(
  store: object,
  aggregateClass: AggregateClass<Aggregate<Event>>,
  options: SnapshotOptions,
): Keeping {
  const keeping = readSnapshotOptions(options, "aggregate", aggregateClass.stateVersion);
  for (const method of ["snapshot", "restore"]) {
    if (typeof Reflect.get(aggregateClass.prototype, method) === "function") continue;
    throw new TypeError(
      `snapshots need a class with snapshot() and restore(): ${method} is missing`,
    );
  }
  const { shared } = needSnapshots(store);
  const classes = named.get(shared) ?? new Map();
  named.set(shared, classes);
  const key = `${keeping.kind}\0${aggregateClass.category ?? ""}`;
  // A development server loads a class again under its name.
  const other = classes.get(key) ?? aggregateClass;
  if (other !== aggregateClass && other.name !== aggregateClass.name) {
    throw new TypeError(
      "another class of this category needs a snapshots.kind of its own",
    );
  }
  classes.set(key, aggregateClass);
  return keeping;
}
