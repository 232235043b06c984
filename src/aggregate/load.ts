import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import { checkInstant } from "../errors/check.ts";
import { type Aggregate, type AggregateClass, lifecycle } from "./aggregate.ts";
import {
  loadState,
  type Model,
  needSnapshots,
  readSnapshotOptions,
  type SnapshotOptions,
} from "./snapshot.ts";

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

/** An aggregate, and when its first and last events were created. */
export interface LoadedAggregate<A> {
  readonly aggregate: A;
  readonly createdAt: Date | undefined;
  readonly updatedAt: Date | undefined;
  /** Settles when the snapshot that this load leaves is kept; never rejects. */
  readonly saving?: Promise<void> | undefined;
}

/** The classes whose snapshots a store keeps, by kind and category. */
const named: WeakMap<object, Map<string, object & { readonly name: string }>> = new WeakMap();

/** Loads the aggregates of one class. */
export class Loader<A extends Aggregate<Event>, E extends Event> {
  readonly #store: EventStore<E>;
  readonly #class: AggregateClass<A>;
  readonly #options: ReturnType<typeof readSnapshotOptions> | undefined;

  /**
   * @throws {TypeError} If snapshots are wanted of a class without `snapshot` and `restore`, or another class of the
   * store has the same kind and category.
   * @throws {UnsupportedError} If the store's driver keeps no snapshots.
   */
  constructor(
    store: EventStore<E>,
    aggregateClass: AggregateClass<A>,
    snapshots: SnapshotOptions | undefined,
  ) {
    this.#store = store;
    this.#class = aggregateClass;
    if (snapshots === undefined) return;
    this.#options = readSnapshotOptions(snapshots, "aggregate", aggregateClass.stateVersion);
    for (const method of ["snapshot", "restore"]) {
      if (typeof Reflect.get(aggregateClass.prototype, method) === "function") continue;
      throw new TypeError(
        `snapshots need a class with snapshot() and restore(): ${method} is missing`,
      );
    }
    const { shared } = needSnapshots(store);
    const classes = named.get(shared) ?? new Map();
    named.set(shared, classes);
    const key = `${this.#options.kind}\0${aggregateClass.category ?? ""}`;
    // A development server loads a class again under its name.
    const other = classes.get(key) ?? aggregateClass;
    if (other !== aggregateClass && other.name !== aggregateClass.name) {
      throw new TypeError(
        "two classes of one category would share snapshots: give one of them a snapshots.kind of its own",
      );
    }
    classes.set(key, aggregateClass);
  }

  async load(id: string, streamId: string, { version: to, at }: AsOf): Promise<LoadedAggregate<A>> {
    if (at !== undefined) checkInstant("at", at);
    if (this.#options !== undefined) {
      const { state, ...rest } = await loadState(this.#store, streamId, this.#model(id), {
        to,
        at,
      });
      return { aggregate: state, ...rest };
    }
    const aggregate = this.make(id);
    const start: { first?: RecordedEvent<E>; last?: RecordedEvent<E> } = {};
    const { first, last } = await this.#store.fold(streamId, start, (ends, event) => {
      lifecycle.replay(aggregate, event);
      return { first: ends.first ?? event, last: event };
    }, { to, at });
    return { aggregate, createdAt: first?.createdAt, updatedAt: last?.createdAt };
  }

  /** Makes a new aggregate. */
  make(id: string): A {
    const aggregate = new this.#class();
    lifecycle.setId(aggregate, id);
    return aggregate;
  }

  #model(id: string): Model<A> {
    return {
      ...this.#options!,
      initial: () => this.make(id),
      evolve(aggregate, event) {
        lifecycle.replay(aggregate, event);
        return aggregate;
      },
      capture: (aggregate) => lifecycle.capture(aggregate),
      restore: (data, version) => {
        const aggregate = this.make(id);
        lifecycle.restore(aggregate, data, version);
        return aggregate;
      },
    };
  }
}
