import type { StoredEvent } from "../driver/read.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { AnyEventType, EventOf } from "../event/type.ts";
import { Catalog } from "../codec/catalog.ts";
import { checkList, checkNumber, kind } from "../errors/check.ts";
import { type BrokerMessage, type CloudEvent, fromCloudEvent } from "./cloudevent.ts";
import { cloudEventOf, own } from "./attributes.ts";

/**
 * Encodes a stored event as a CloudEvent. `decodeEvent` gives back an equal event: dates, bigints, maps, bytes and all else
 * that a store keeps are encoded as the store does, in JSON that people and other languages can read.
 *
 * The subject is the stream's id. Extensions are `sequence`, the version in the stream, padded so that it sorts as text;
 * `partitionkey`, of tenant and stream; `correlationid`, `causationid`, `traceparent` and `tracestate` from the metadata;
 * `position`, `schemaversion`, and where they are not empty `tenantid`, `tags`, `metadata` (the rest of it) and `codec` (the
 * types of what is not plain JSON). All but `schemaversion` are strings. Sensitive fields are encoded as the event has them: see
 * the outbox's option `sensitive`.
 *
 * @param events The event types of the store.
 * @param event An event as a store returned it.
 * @param source Where the event happened, such as `"/shop"` or `"https://shop.example"`, without a fragment; for an event
 * of a tenant, `#` and the tenant follow it, since ids are unique in a tenant only.
 * @throws {UnknownEventTypeError} If the event's type is not among `events`.
 * @throws {TypeError} If the source is empty, or has a space or a fragment.
 * @category CloudEvents
 *
 * @example There and back
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import { decodeEvent, encodeEvent } from "event-sourcery/publishers";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent<{ cents: bigint; at: Date }>()("OrderPlaced");
 * const events = [OrderPlaced];
 * const store = new EventStore(memory(), { events });
 * const { events: [event] } = await store.publish(
 *   "order:42",
 *   OrderPlaced({ cents: 900n, at: new Date() }),
 * );
 * const message = JSON.stringify(encodeEvent(events, event, "/shop"));
 * assert.deepEqual(decodeEvent(events, { body: message }), event);
 * ```
 */
export function encodeEvent(
  events: readonly AnyEventType[],
  event: RecordedEvent,
  source: string,
): CloudEvent {
  checkSource(source);
  const catalog = catalogOf(events);
  const { data, metadata, ...encoded } = catalog.encode(catalog.accept(event), true);
  return cloudEventOf({
    ...event,
    ...encoded,
    data: data === null ? undefined : JSON.parse(data),
    metadata: JSON.parse(metadata),
  }, source);
}

/**
 * Decodes what `encodeEvent` made, and upcasts it to the current versions of its types. As when a store reads, no schema
 * is run: take messages only from a broker that only your own programs write to, or check the data.
 *
 * @param events The event types, as given to the store; those that the message can be of are enough.
 * @param message A message as it arrived, in any mode, or its CloudEvent.
 * @throws {UnknownEventTypeError} If the event's type is not among `events`.
 * @throws {NewerEventError} If a newer release of the program has encoded it.
 * @throws {CorruptEventError} If its data does not decode, or an upcaster threw.
 * @throws {TypeError | RangeError} If it is no CloudEvent, or not one that `encodeEvent` made.
 * @category CloudEvents
 *
 * @example What a consumer does with a message
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import { decodeEvent, encodeEvent } from "event-sourcery/publishers";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent<{ sku: string }>()("OrderPlaced");
 * const store = new EventStore(memory(), { events: [OrderPlaced] });
 * const { events: [sent] } = await store.publish("order:42", OrderPlaced({ sku: "tea" }));
 *
 * const event = decodeEvent([OrderPlaced], encodeEvent([OrderPlaced], sent, "/shop"));
 * assert.equal(event.data.sku, "tea");
 * assert.equal(event.streamId, "order:42");
 * ```
 */
export function decodeEvent<const Types extends readonly AnyEventType[]>(
  events: Types,
  message: BrokerMessage | CloudEvent,
): RecordedEvent<EventOf<Types[number]>> {
  const event = isCloudEvent(message) ? message : fromCloudEvent(message);
  const stored: StoredEvent = {
    id: event.id,
    type: event.type,
    createdAt: textOf(event, "time"),
    streamId: textOf(event, "subject"),
    version: numberOf(event, "sequence"),
    position: numberOf(event, "position"),
    schemaVersion: numberOf(event, "schemaversion"),
    tenantId: event["tenantid"] === undefined ? "" : textOf(event, "tenantid"),
    data: structuredClone(event.data), // decoding changes what it is given
    metadata: metadataOf(event),
    codec: event["codec"] === undefined ? null : recordOf(event, "codec"),
    tags: tagsOf(event),
    published: true,
  };
  // The catalogue is kept by the list, whose types it decodes to.
  return catalogOf(events).decode(stored) as RecordedEvent<EventOf<Types[number]>>;
}

/** Checks a source. @throws {TypeError} If it is empty, or has a space or a fragment. */
export function checkSource(source: unknown): asserts source is string {
  if (typeof source === "string" && /^[^\s#]+$/.test(source)) return;
  throw new TypeError(
    'source must be a URI reference without a fragment, such as "/shop"',
  );
}

/** One catalogue a list of event types. */
const catalogs: WeakMap<readonly AnyEventType[], Catalog<Event>> = new WeakMap();

/** Returns the catalogue of event types. @throws {TypeError} If it is no list of event types. */
export function catalogOf(events: readonly AnyEventType[]): Catalog<Event> {
  if (!Array.isArray(events)) {
    throw new TypeError(`events must be a list of event types, got ${kind(events)}`);
  }
  const catalog = catalogs.get(events) ?? new Catalog<Event>(events, [], false, "clear");
  catalogs.set(events, catalog);
  return catalog;
}

function isCloudEvent(message: BrokerMessage | CloudEvent): message is CloudEvent {
  return "specversion" in message;
}

function textOf(event: CloudEvent, attribute: string): string {
  const value = event[attribute];
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(`Cannot decode a message: its attribute "${attribute}" is ${kind(value)}`);
}

function numberOf(event: CloudEvent, attribute: string): number {
  const value = Number(event[attribute] ?? NaN);
  checkNumber(`Cannot decode a message: its attribute "${attribute}"`, value, 1);
  return value;
}

function metadataOf(event: CloudEvent): Record<string, unknown> {
  const found = Object.entries(own).flatMap(([field, attribute]) =>
    event[attribute] === undefined ? [] : [[field, textOf(event, attribute)]]
  );
  const rest = event["metadata"] === undefined ? {} : recordOf(event, "metadata");
  return { ...Object.fromEntries(found), ...rest };
}

function tagsOf(event: CloudEvent): readonly string[] {
  if (event["tags"] === undefined) return [];
  const tags = jsonOf(event, "tags");
  checkList('Cannot decode a message: its attribute "tags"', tags);
  return tags as readonly string[]; // as just checked
}

function recordOf(event: CloudEvent, attribute: string): Record<string, string> {
  const value = jsonOf(event, attribute);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, string>; // the decoder looks at each value
  }
  throw new TypeError(`Cannot decode a message: its attribute "${attribute}" holds no object`);
}

function jsonOf(event: CloudEvent, attribute: string): unknown {
  try {
    return JSON.parse(textOf(event, attribute));
  } catch {
    // The parser's own message would quote the text.
    throw new TypeError(`Cannot decode a message: its attribute "${attribute}" is not JSON`);
  }
}
