import {
  type Event,
  type EventStore,
  type RecordedEvent,
  type Session,
  type StoredEvent,
  UnsupportedError,
} from "../../mod.ts";
import { internalsOf, maskedStore } from "../store/internals.ts";

/** What an inspector reads from. */
export interface Source<out E extends Event = Event> {
  /** The store, of which only what reads is used. */
  readonly store: EventStore;
  /** Returns the session that is read from. */
  readonly session: () => Session<unknown>;
  /** Whether the driver reads the log backwards. */
  readonly backwards: boolean;
  /** The tenant whose events it shows; undefined for those of all. */
  readonly tenantId: string | undefined;
  /** How many positions of the log a search goes through. */
  readonly budget: number;
  /** Returns the names under which events of these types are stored. */
  readonly storedNames: (types: readonly string[] | undefined) => readonly string[] | undefined;
  /** Opens what is sealed in stored events, as far as the store has the keys. */
  readonly open: (
    session: Session<unknown>,
    events: readonly StoredEvent[],
  ) => readonly StoredEvent[] | Promise<readonly StoredEvent[]>;
  /** Decodes a stored event, whose JSON it changes. */
  readonly decode: (stored: StoredEvent) => RecordedEvent<E>;
}

/** Makes the source of a store. @throws {TypeError} If it is not one. */
export function sourceOf<E extends Event, Db>(
  store: EventStore<E, Db>,
  budget: number,
  masked: boolean,
): Source<E> {
  const given = internalsOf<E, Db>(store);
  if (given === undefined) throw new TypeError("store must be an event store");
  if (masked && !given.shared.catalog.masks) return sourceOf(maskedStore(given), budget, masked);
  const { tenantId, session, shared: { driver, catalog } } = given;
  return {
    store: store as unknown as EventStore, // it is only read, and events of any type are events
    session,
    backwards: driver.capabilities.backwards ?? false,
    tenantId,
    budget,
    storedNames: (types) => catalog.storedNames(types),
    open: (at, events) => catalog.open(at, events),
    decode: (stored) => catalog.decode(stored),
  };
}

/** Checks that the driver has an optional operation. @throws {UnsupportedError} If it has not. */
export function need(has: boolean, name: string, action: string): void {
  if (!has) throw new UnsupportedError(action, `its driver has no \`${name}\``);
}
