import type { Definition } from "./define.ts";
import type { NewEvent, StoredEvent } from "./driver.ts";
import type { Event, RecordedEvent } from "./event.ts";
import type { AnyEventType } from "./eventtype.ts";
import { type Annotations, decode, encode } from "./codec.ts";
import { copyData } from "./data.ts";
import { defaultsOf, definitionOf } from "./define.ts";
import { CorruptEventError, DuplicateEventTypeError, UnknownEventTypeError } from "./errors.ts";
import { freezeEvent, storable } from "./freeze.ts";

/** The event types of a store: turns its events into what a driver stores, and back. */
export class Catalog<E extends Event> {
  readonly #definitions: ReadonlyMap<string, Definition>;
  readonly #keepUnknown: boolean;

  constructor(types: readonly AnyEventType[], keepUnknown: boolean) {
    const definitions = new Map<string, Definition>();
    for (const type of new Set(types)) {
      const found = definitionOf(type);
      if (found === undefined) {
        throw new TypeError("events must be a list of event types made by defineEvent");
      }
      for (const name of new Set([found.type, ...found.aliases])) {
        if (definitions.has(name)) throw new DuplicateEventTypeError(name);
        definitions.set(name, found);
      }
    }
    this.#definitions = definitions;
    this.#keepUnknown = keepUnknown;
  }

  /**
   * Gives an event that is safe to store: of a known type, and frozen. A factory's event is given back as it is;
   * one made by hand, or read from a store, is copied.
   *
   * @throws {UnknownEventTypeError} If the store was not made with its type.
   * @throws {InvalidEventError} If its data cannot be stored.
   */
  accept(event: Event): Event {
    if (typeof event !== "object" || event === null) {
      throw new TypeError("events must be events made by an event type");
    }
    if (!this.has(event.type)) throw new UnknownEventTypeError(String(event.type));
    if (defaultsOf(event) !== undefined) return event;
    return freezeEvent({ ...event, data: storable(event.type, () => copyData(event.data)) });
  }

  /** Encodes an accepted event. */
  encode(event: Event, published: boolean): NewEvent {
    const notes: Annotations = {};
    const data = event.data === undefined
      ? null
      : JSON.stringify(encode(event.data, "/data", notes));
    const metadata = JSON.stringify(encode(event.metadata, "/metadata", notes));
    return {
      id: event.id,
      type: event.type,
      schemaVersion: this.#definitions.get(event.type)!.upcast.length + 1,
      createdAt: event.createdAt.toISOString(),
      data,
      metadata,
      codec: isEmpty(notes) ? null : JSON.stringify(notes),
      tags: event.tags,
      published,
    };
  }

  /**
   * Reads a stored event: decodes it, brings its data up to date and freezes it.
   *
   * @throws {UnknownEventTypeError} If nobody defined its type and unknown events are not kept.
   * @throws {CorruptEventError} If its data does not decode, or an upcaster threw.
   */
  decode(stored: StoredEvent): RecordedEvent<E> {
    const { streamId, version } = stored;
    const found = this.#definitions.get(stored.type);
    if (found === undefined && !this.#keepUnknown) throw new UnknownEventTypeError(stored.type);
    const recorded = {
      type: found?.type ?? `?${stored.type}`,
      id: stored.id,
      createdAt: new Date(stored.createdAt),
      data: readable(
        streamId,
        version,
        "its data does not decode",
        () => decode(stored.data, "/data", stored.codec),
      ),
      metadata: readable(
        streamId,
        version,
        "its metadata does not decode",
        () => decode(stored.metadata, "/metadata", stored.codec),
      ),
      tags: Object.freeze(stored.tags),
      streamId,
      version,
      position: stored.position,
      tenantId: stored.tenantId,
    };
    if (found !== undefined && stored.schemaVersion <= found.upcast.length) {
      const steps = found.upcast.slice(stored.schemaVersion - 1);
      recorded.data = readable(
        streamId,
        version,
        "an upcaster threw",
        () => copyData(steps.reduce((data, step) => step(data), recorded.data)),
      );
    }
    // The one place where stored text becomes typed events: the definitions stand for it.
    return Object.freeze(recorded) as unknown as RecordedEvent<E>;
  }

  /** Tells whether a type was defined under this name. */
  has(type: string): boolean {
    return this.#definitions.get(type)?.type === type;
  }

  /** The names under which events of these types may be stored: their own and their aliases. */
  storedNames(types: readonly string[] | undefined): readonly string[] | undefined {
    return types?.flatMap((type) => {
      const found = this.#definitions.get(type);
      return found === undefined ? [type.replace(/^\?/, "")] : [found.type, ...found.aliases];
    });
  }
}

/** Adds to an accepted event where it was stored. */
export function record<E extends Event>(
  event: E,
  streamId: string,
  version: number,
  position: number,
  tenantId: string,
): RecordedEvent<E> {
  const { type, id, createdAt, data, metadata, tags } = event;
  const recorded = {
    type,
    id,
    createdAt,
    data,
    metadata,
    tags,
    streamId,
    version,
    position,
    tenantId,
  };
  return Object.freeze(recorded) as unknown as RecordedEvent<E>;
}

function isEmpty(object: object): boolean {
  for (const _key in object) return false;
  return true;
}

function readable<T>(streamId: string, version: number, reason: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new CorruptEventError(streamId, version, reason, { cause });
  }
}
