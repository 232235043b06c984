import {
  type AnyEventType,
  type Event,
  type EventStore,
  type RecordedEvent,
  type Session,
  type StoredEvent,
  UnsupportedError,
} from "../../mod.ts";
import { redact } from "../codec/redact.ts";
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
  /** Whether types and lengths are shown in the place of data. */
  readonly shape: boolean;
  /** Whether sensitive fields are shown as their masks only. */
  readonly masks: boolean;
  /** Returns a stored event without its sensitive fields; `event` is what it was decoded to. */
  readonly redact: (stored: StoredEvent, event: RecordedEvent | undefined) => StoredEvent;
  /** Whether events that are stored under a name may have sensitive fields. */
  readonly isSensitive: (stored: string) => boolean;
  /** Returns the same source with masks. */
  readonly masked: () => Source<E>;
  /** The event types of the store. */
  readonly types: readonly AnyEventType[];
  /** The names of types whose definition was removed. */
  readonly retired: readonly string[];
}

/**
 * Makes the source of a store.
 *
 * @param shape Whether types and lengths are shown in the place of data.
 * @param masked Whether sensitive fields are shown as their masks only, which they are if the store's `keys` are "mask".
 * @throws {TypeError} If it is not a store.
 */
export function sourceOf<E extends Event, Db>(
  store: EventStore<E, Db>,
  budget: number,
  masked: boolean,
  shape: boolean,
): Source<E> {
  const given = internalsOf<E, Db>(store);
  if (given === undefined) throw new TypeError("store must be an event store");
  if (masked && !given.shared.catalog.masks) {
    return sourceOf(maskedStore(given), budget, masked, shape);
  }
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
    shape,
    masks: catalog.masks,
    redact: (stored, event) =>
      catalog.masks && catalog.isSensitive(stored.type) ? redact(stored, event) : stored,
    isSensitive: (stored) => catalog.isSensitive(stored),
    masked: () => sourceOf(store, budget, true, shape),
    types: catalog.types,
    retired: catalog.retired,
  };
}

/** Checks that the driver has an optional operation. @throws {UnsupportedError} If it has not. */
export function need(has: boolean, name: string, action: string): void {
  if (!has) throw new UnsupportedError(action, `its driver has no \`${name}\``);
}
