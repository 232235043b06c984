import type { NewEvent } from "../driver/append.ts";
import type { Session } from "../driver/driver.ts";
import type { StoredEvent } from "../driver/read.ts";
import type { Event, Metadata, RecordedEvent } from "../event/event.ts";
import { masked as maskedData, type SensitivePart } from "../event/sensitive.ts";
import type { AnyEventType } from "../event/type.ts";
import { quote } from "../errors/base.ts";
import { checkInstant, checkList, checkObject, wrongType } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import {
  CorruptEventError,
  DuplicateEventTypeError,
  InvalidEventError,
  KeyUnavailableError,
  NewerEventError,
  UnknownEventTypeError,
} from "../errors/event.ts";
import { copyData } from "../event/copy.ts";
import { defaultsOf, type Definition, definitionOf } from "../event/define.ts";
import { freezeEvent, storable } from "../event/freeze.ts";
import { fromUnknown, isUnknown, toUnknown } from "../event/unknown.ts";
import { decode } from "./decode.ts";
import { encode, encodeInstant } from "./encode.ts";
import { isSealed, keysOf, noteKeys, type Sealer } from "./sealer.ts";

/** The event types of a store: encodes its events for the driver, and decodes stored ones. */
export class Catalog<E extends Event> {
  /** The event types of the store. */
  readonly types: readonly AnyEventType[];
  /** The names of types that are no longer defined. */
  readonly retired: readonly string[];
  readonly #definitions: ReadonlyMap<string, Definition>;
  readonly #keepUnknown: boolean;
  /** What seals and opens sensitive fields. */
  readonly sealer: Sealer | undefined;
  /** Whether sensitive fields stay sealed, and read as their masks. */
  readonly masks: boolean;

  /** @param keys "clear" where nothing is stored: sensitive fields are encoded as they are. */
  constructor(
    types: readonly AnyEventType[],
    retired: readonly string[],
    keepUnknown: boolean,
    keys?: Sealer | "mask" | "clear",
  ) {
    const definitions = new Map<string, Definition>();
    for (const type of new Set(types)) {
      const found = definitionOf(type);
      if (found === undefined) {
        throw new TypeError("events must be a list of event types");
      }
      for (const name of new Set([found.type, ...found.aliases])) {
        if (definitions.has(name)) throw new DuplicateEventTypeError(name);
        definitions.set(name, found);
      }
      if (found.sensitive && keys === undefined) {
        throw new TypeError(
          `keys must be given, since event "${found.type}" has sensitive fields: subjectKeys() or "mask"`,
        );
      }
    }
    checkList("retired", retired);
    this.retired = [...new Set(retired)];
    for (const name of this.retired) {
      if (definitions.has(name)) throw new DuplicateEventTypeError(name);
      if (isUnknown({ type: name })) {
        throw new TypeError('retired must hold names without "?"');
      }
    }
    this.types = [...types];
    this.#definitions = definitions;
    this.#keepUnknown = keepUnknown;
    this.masks = keys === "mask";
    this.sealer = typeof keys === "string" ? undefined : keys;
  }

  /** Returns a catalogue of the same types that leaves sensitive fields sealed, and reads them as their masks. */
  masked(): Catalog<E> {
    return new Catalog(this.types, this.retired, this.#keepUnknown, "mask");
  }

  /**
   * Returns an event that is safe to store: of a known type, and frozen. A factory's event is returned unchanged;
   * one made by hand, or read from a store, is copied.
   *
   * @throws {UnknownEventTypeError} If the store was not made with its type.
   * @throws {InvalidEventError} If its data cannot be stored.
   */
  accept(event: Event): Event {
    if (typeof event !== "object" || event === null) {
      throw wrongType("events", "events made by an event type", event);
    }
    const made = defaultsOf(event) !== undefined;
    const given = made ? event : readable(event);
    const { type } = given;
    if (typeof type !== "string") throw wrongType("type", "a string", type);
    if (!this.has(type)) throw new UnknownEventTypeError(type);
    if (made) return event;
    return freezeEvent({ ...given, data: storable(type, () => copyData(given.data)) });
  }

  /**
   * Encodes an accepted event.
   *
   * @throws {InvalidEventError} If a Map, a Set or a Date in it was changed since and can no longer be stored.
   */
  encode(event: Event, published: boolean): NewEvent {
    const { id, type, createdAt, data, metadata, tags } = event;
    checkInstant("createdAt", createdAt);
    const encoded = storable(type, () => encode(data, metadata));
    if (this.masks && this.sensitive(event)) {
      throw new UnsupportedError("append sensitive fields", 'the store has keys "mask"');
    }
    return {
      id,
      type,
      schemaVersion: this.#definitions.get(type)!.upcast.length + 1,
      createdAt: encodeInstant(createdAt),
      data: encoded.data,
      metadata: encoded.metadata,
      codec: encoded.codec,
      tags,
      published,
    };
  }

  /** Whether events that are stored under a name may have sensitive fields. */
  isSensitive(stored: string): boolean {
    return this.#definitions.get(stored)?.sensitive !== undefined;
  }

  /** Returns the sensitive fields of an accepted event; undefined if it has none. */
  sensitive({ type }: Event): readonly SensitivePart[] | undefined {
    return this.#definitions.get(type)!.sensitive;
  }

  /** Whether a type of the store has sensitive fields. */
  get protects(): boolean {
    return [...this.#definitions.values()].some(({ sensitive }) => sensitive);
  }

  /** Opens what is sealed in stored events, before they are decoded; what cannot be opened fails there. */
  open(
    session: Session<unknown>,
    events: readonly StoredEvent[],
  ): readonly StoredEvent[] | Promise<readonly StoredEvent[]> {
    return this.sealer?.open(session, events) ?? events;
  }

  /** Opens and decodes stored events. */
  async decodeAll(
    session: Session<unknown>,
    events: readonly StoredEvent[],
  ): Promise<readonly RecordedEvent<E>[]> {
    return (await this.open(session, events)).map((event) => this.decode(event));
  }

  /** Whether this very type is among those of the store. */
  holds(type: AnyEventType): boolean {
    return this.#definitions.get(type.type) === definitionOf(type);
  }

  /**
   * Decodes a stored event, upcasts its data to the current version and freezes it.
   *
   * @param masked Whether sensitive fields are to be read as their masks, those that are stored in the clear, too: they
   * were not sensitive when they were stored.
   * @throws {KeyUnavailableError} If it is still sealed, and the store has no keys, or does not know its key.
   * @throws {UnknownEventTypeError} If the store does not know its type, nor as a retired one, and does not keep
   * unknown events.
   * @throws {NewerEventError} If it has a later schema version than the store's definition of its type.
   * @throws {CorruptEventError} If it does not decode, or an upcaster threw.
   */
  decode(stored: StoredEvent, masked: boolean = this.masks): RecordedEvent<E> {
    const { id, streamId, version, position, tenantId, codec } = stored;
    const found = this.#definitionOf(stored);
    if (!masked && isSealed(stored)) throw this.#failure(stored);
    let reason = "its time cannot be read";
    try {
      const createdAt = new Date(stored.createdAt);
      checkInstant("createdAt", createdAt);
      reason = "its metadata does not decode";
      if (codec !== null) checkObject("codec", codec);
      checkObject("metadata", stored.metadata);
      const metadata = decode(stored.metadata, "/metadata", codec);
      reason = "its data does not decode";
      let data = decode(stored.data ?? undefined, "/data", codec);
      if (found !== undefined && stored.schemaVersion <= found.upcast.length) {
        reason = "an upcaster threw, or returned what cannot be stored";
        for (const step of found.upcast.slice(stored.schemaVersion - 1)) data = step(data);
        data = copyData(data);
      }
      if (masked && found?.sensitive !== undefined) {
        reason = "its sensitive fields cannot be masked";
        data = copyData(maskedData(data, found.sensitive));
      }
      const type = found?.type ?? toUnknown(stored.type);
      const tags = Object.freeze(stored.tags);
      const event = { type, id, createdAt, data, metadata: metadata as Metadata, tags };
      const keys = keysOf(stored);
      if (keys !== undefined) noteKeys(event, keys);
      // The one place where stored text becomes typed events: that the types are right rests on the definitions.
      return record(event, streamId, version, position, tenantId) as unknown as RecordedEvent<E>;
    } catch (cause) {
      throw new CorruptEventError(streamId, version, reason, { cause });
    }
  }

  /**
   * Checks that the store's definitions are not older than a stored event, without decoding it.
   *
   * @throws {UnknownEventTypeError | NewerEventError} As `decode` does.
   */
  check(stored: StoredEvent): void {
    this.#definitionOf(stored);
  }

  /** Reports whether a type was defined under this name. */
  has(type: string): boolean {
    return this.#definitions.get(type)?.type === type;
  }

  /** Returns the names under which events of these types may be stored: their own and their aliases. */
  storedNames(types: readonly string[] | undefined): readonly string[] | undefined {
    return types?.flatMap((type) => {
      const found = this.#definitions.get(type);
      if (found !== undefined) return [found.type, ...found.aliases];
      // An unknown type is read as "?Name"; a known one never is.
      const name = fromUnknown(type);
      return this.#definitions.has(name) ? [] : [name];
    });
  }

  #failure(stored: StoredEvent): unknown {
    const action = `read event ${stored.version} of stream ${quote(stored.streamId)}`;
    return this.sealer?.failure(stored) ??
      new KeyUnavailableError(action, "it is sealed, and the store has no keys");
  }

  #definitionOf({ type, schemaVersion }: StoredEvent): Definition | undefined {
    const found = this.#definitions.get(type);
    if (found === undefined) {
      if (this.#keepUnknown || this.retired.includes(type)) return undefined;
      throw new UnknownEventTypeError(type);
    }
    // Read as of today's version, new fields would be missing, and renamed ones undefined.
    const latest = found.upcast.length + 1;
    if (schemaVersion > latest) throw new NewerEventError(type, schemaVersion, latest);
    return found;
  }
}

/** Returns an accepted event with its stream, version, position and tenant. */
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
  const keys = keysOf(event);
  if (keys !== undefined) noteKeys(recorded, keys);
  return Object.freeze(recorded) as unknown as RecordedEvent<E>;
}

/** Returns the fields of an event that was made by hand, whose getters and traps may throw. */
function readable(event: Event): Event {
  try {
    const { type, id, createdAt, data, metadata, tags } = event;
    return { type, id, createdAt, data, metadata, tags };
  } catch (cause) {
    const reason = "reading its fields threw";
    throw new InvalidEventError("unknown", [{ message: reason, path: [] }], { reason, cause });
  }
}
