import type { Event } from "../event/event.ts";
import type { Keeping, Model } from "./model.ts";
import { AggregateDiscardedError } from "../errors/store.ts";
import { isUnknown } from "../event/unknown.ts";

/**
 * The union of an aggregate's events.
 *
 * @category Aggregates
 */
export type AggregateEvent<A> = A extends Aggregate<infer E> ? E : never;

/** Operations on an aggregate that are reserved for repositories. */
interface Lifecycle {
  /** Returns how aggregates of a class are made, folded, kept and brought back. */
  readonly modelOf: <A extends Aggregate<Event>>(
    aggregateClass: AggregateClass<A>,
    id: string,
    keeping?: Keeping,
  ) => Model<A>;
  /** Marks changes as stored; events that were emitted meanwhile remain to be saved. */
  readonly saved: <E extends Event>(
    aggregate: Aggregate<E>,
    changes: readonly E[],
    version: number,
  ) => void;
  /** Makes it unusable: emitting and saving throw from now on. */
  readonly discard: <E extends Event>(aggregate: Aggregate<E>) => void;
  /** Throws an `AggregateDiscardedError` if it was discarded. */
  readonly check: <E extends Event>(aggregate: Aggregate<E>) => void;
}

/** Gives the repository access to private fields; assigned in the static block. */
export let lifecycle: Lifecycle;

/**
 * An entity that is rebuilt from its events, and protects its rules by refusing commands.
 *
 * A subclass has a constructor without arguments, changes its state in `apply`, and has command methods that check the
 * rules and `emit`. A `static category` becomes the part of the stream id before the colon.
 *
 * @typeParam E The union of its events; end `apply` with `default: event satisfies never` so that the compiler reports
 * a missing case.
 *
 * @category Aggregates
 *
 * @example A light switch
 * ```ts
 * import { Aggregate, defineEvent, type EventOf, EventStore, Repository } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";

 *
 * const TurnedOn = defineEvent("TurnedOn");
 *
 * class LightSwitch extends Aggregate<EventOf<typeof TurnedOn>> {
 *   static readonly category = "light";
 *   shines = false;
 *   protected apply(): void {
 *     this.shines = true;
 *   }
 *   turnOn(): void {
 *     if (this.shines) throw new Error("It is already turned on");
 *     this.emit(TurnedOn());
 *   }
 * }
 *
 * const lights = new Repository(new EventStore(memory(), { events: [TurnedOn] }), LightSwitch);
 * await lights.aggregate("hall", (light) => light.turnOn());
 * assert.equal((await lights.load("hall"))?.shines, true);
 * ```
 */
export abstract class Aggregate<E extends Event> {
  #id = "";
  #version = 0;
  #changes: E[] = [];
  #discarded = false;

  static {
    lifecycle = {
      modelOf<A extends Aggregate<Event>>(
        aggregateClass: AggregateClass<A>,
        id: string,
        keeping?: Keeping,
      ): Model<A> {
        const initial = () => {
          const aggregate = new aggregateClass();
          aggregate.#id = id;
          return aggregate;
        };
        return {
          keeping,
          initial,
          evolve(aggregate, event) {
            // An unknown event that the store keeps raises the version, but the aggregate cannot apply it.
            if (!isUnknown(event)) aggregate.apply(event);
            aggregate.#version = event.version;
            return aggregate;
          },
          capture: (aggregate) => aggregate.snapshot?.(),
          restore(data, version) {
            const aggregate = initial();
            aggregate.restore!(data);
            aggregate.#version = version;
            return aggregate;
          },
          // Somebody may have kept it, and gone on using it.
          isIntact: (aggregate, version) =>
            aggregate.#version === version && aggregate.#changes.length === 0,
        };
      },
      saved(aggregate, changes, version) {
        const stored = new Set(changes);
        aggregate.#version = version;
        aggregate.#changes = aggregate.#changes.filter((event) => !stored.has(event));
      },
      discard(aggregate) {
        aggregate.#discarded = true;
      },
      check(aggregate) {
        aggregate.#check();
      },
    };
  }

  /** Its id, without the category; empty until a repository sets it. */
  get id(): string {
    return this.#id;
  }

  /** The version of the last stored event that it was rebuilt from or saved; 0 for a new aggregate. */
  get version(): number {
    return this.#version;
  }

  /** The emitted events that are not saved yet, in order. */
  get changes(): readonly E[] {
    return [...this.#changes];
  }

  /**
   * Applies an event and adds it to `changes`; if `apply` throws, it is not added.
   *
   * @throws {AggregateDiscardedError} If the aggregate's earlier changes were rolled back or refused.
   */
  protected emit(event: E): void {
    this.#check();
    this.apply(event);
    this.#changes.push(event);
  }

  /**
   * Returns the state as plain data, of which a repository with `snapshots` keeps a copy; undefined for none now. What it
   * hands out may change afterwards.
   */
  protected snapshot?(): unknown;

  /**
   * Takes over the state that `snapshot` has given: a copy that is its own to change. A class whose state has another shape
   * than before raises its `stateVersion`, so that it never gets the old one.
   */
  protected restore?(state: unknown): void;

  /** Changes the state by an event; must accept every event, since it has already happened. */
  protected abstract apply(event: E): void;

  #check(): void {
    if (this.#discarded) throw new AggregateDiscardedError(this.#id);
  }
}

/**
 * The class of an aggregate, as a repository needs it.
 *
 * @category Aggregates
 */
export interface AggregateClass<A> {
  /** The part of its stream ids before the colon. @default none: the id alone is the stream id */
  readonly category?: string | undefined;
  /** The version of its state's shape, of which snapshots are used; a whole number from 1. @default 1 */
  readonly stateVersion?: number | undefined;
  /** Makes a new aggregate; takes no arguments. */
  new (): A;
}
