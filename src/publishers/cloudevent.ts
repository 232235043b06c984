import { isBytes } from "../errors/kind.ts";

/**
 * A CloudEvent 1.0 as plain JSON: `JSON.stringify` makes its structured form.
 *
 * @category CloudEvents
 */
export interface CloudEvent {
  /** The version of the specification. */
  readonly specversion: "1.0";
  /** The event's id. */
  readonly id: string;
  /** Where it happened, a URI reference; with the id it is unique. */
  readonly source: string;
  /** The event's type. */
  readonly type: string;
  /** Of an event of ours, the id of its stream. */
  readonly subject?: string;
  /** When it was created, as RFC 3339 text. */
  readonly time?: string;
  /** The media type of the data. */
  readonly datacontenttype?: string;
  /** The data: JSON, or bytes or text where the media type is another. */
  readonly data?: unknown;
  /** Extensions; what `encodeEvent` adds is listed there. */
  readonly [attribute: string]: unknown;
}

/**
 * A message as a broker's client hands it over, or a request.
 *
 * @category CloudEvents
 */
export interface BrokerMessage {
  /** What it carries. */
  readonly body: string | Uint8Array | null | undefined;
  /** Its headers: an object, or pairs such as those of `Headers`; of a list of values the first counts. */
  readonly headers?:
    | Iterable<readonly [string, unknown]>
    | Readonly<Record<string, unknown>>
    | undefined;
  /** Its media type, where the broker keeps it apart, as RabbitMQ does. @default the header `content-type` */
  readonly contentType?: string | undefined;
}

/** A CloudEvent as a message: its media type, its headers, its body. */
export interface Encoded {
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const structuredType = "application/cloudevents+json";

/** The prefixes of attributes in headers: of HTTP and NATS, of Kafka, of AMQP. */
const prefixes = ["ce-", "ce_", "cloudevents:", "cloudevents_"];

/** Writes a CloudEvent in structured mode: all of it is in the body. */
export function structured(event: CloudEvent): Encoded {
  return {
    contentType: `${structuredType}; charset=utf-8`,
    headers: {},
    body: JSON.stringify(event),
  };
}

/**
 * Writes a CloudEvent in binary mode: the body is its data, its attributes are headers. Those of HTTP and NATS, which begin
 * with `ce-`, are percent-encoded.
 */
export function binary(event: CloudEvent, prefix: "ce-" | "ce_" | "cloudEvents:"): Encoded {
  const { data, datacontenttype = "application/json", ...attributes } = event;
  const headers = Object.entries(attributes).map(([name, value]) => {
    const text = String(value);
    return [prefix + name, prefix === "ce-" ? escape(text) : text];
  });
  return {
    contentType: datacontenttype,
    headers: Object.fromEntries(headers),
    body: data === undefined ? "" : JSON.stringify(data),
  };
}

/**
 * Reads a CloudEvent 1.0, of ours or of another system, from a message of RabbitMQ, Kafka or NATS, or from a request, in
 * structured or binary mode. In binary mode all attributes are strings.
 *
 * @throws {TypeError} If the message is no CloudEvent 1.0, or a batch of them.
 * @category CloudEvents
 *
 * @example The message of another system
 * ```ts
 * import { fromCloudEvent } from "event-sourcery/publishers";
 * import assert from "node:assert/strict";
 *
 * const event = fromCloudEvent({
 *   headers: {
 *     "content-type": "application/json",
 *     "ce-specversion": "1.0",
 *     "ce-id": "7",
 *     "ce-source": "/bank",
 *     "ce-type": "payment.received",
 *   },
 *   body: '{"cents":900}',
 * });
 * assert.equal(event.type, "payment.received");
 * assert.deepEqual(event.data, { cents: 900 });
 * ```
 */
export function fromCloudEvent(message: BrokerMessage): CloudEvent {
  const headers = readHeaders(message.headers);
  const contentType = (message.contentType ?? headers.get("content-type") ?? "").toLowerCase();
  if (contentType.startsWith("application/cloudevents-batch")) {
    throw new TypeError("Cannot read a batch of CloudEvents: read each of its events");
  }
  const prefix = prefixes.find((prefix) => headers.has(`${prefix}specversion`));
  if (prefix === undefined || contentType.startsWith(structuredType)) {
    return readStructured(message.body);
  }
  const attributes = [...headers].flatMap(([name, value]) =>
    name.startsWith(prefix)
      ? [[name.slice(prefix.length), prefix === "ce-" ? unescape(value) : value]]
      : []
  );
  const event: Record<string, unknown> = Object.fromEntries(attributes);
  if (contentType !== "") event["datacontenttype"] = contentType;
  const { body } = message;
  const data = isJson(contentType) ? parse(textOf(body)) : body?.length ? body : undefined;
  if (data !== undefined) event["data"] = data;
  return checked(event);
}

function readStructured(body: BrokerMessage["body"]): CloudEvent {
  const found = parse(textOf(body));
  if (typeof found !== "object" || found === null) throw notOne("its body is no JSON object");
  const { data_base64: base64, ...event } = found as Record<string, unknown>;
  if (typeof base64 !== "string") return checked(event);
  try {
    const data = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return checked({ ...event, data });
  } catch {
    throw notOne("its data_base64 is not base64");
  }
}

function checked(event: Record<string, unknown>): CloudEvent {
  if (event["specversion"] !== "1.0") throw notOne('its specversion is not "1.0"');
  for (const name of ["id", "source", "type"]) {
    if (typeof event[name] !== "string" || event[name] === "") throw notOne(`it has no ${name}`);
  }
  return event as unknown as CloudEvent; // as just checked
}

function notOne(reason: string): TypeError {
  return new TypeError(`Cannot read a message as a CloudEvent 1.0: ${reason}`);
}

function readHeaders(headers: BrokerMessage["headers"] = {}): Map<string, string> {
  const pairs = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return new Map(pairs.flatMap(([name, value]) => {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (first === undefined || first === null) return [];
    return [[name.toLowerCase(), isBytes(first) ? textOf(first) : String(first)]];
  }));
}

function textOf(body: BrokerMessage["body"]): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body ?? new Uint8Array());
}

function isJson(contentType: string): boolean {
  return contentType === "" || /^[^;]*[/+]json\s*(;|$)/.test(contentType);
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw notOne("its body is not JSON"); // the parser's own message would quote it
  }
}

/** Percent-encodes what must not stand in a header: all but printable ASCII, and space, quote and percent. */
function escape(value: string): string {
  return value.replace(/[^!#-$&-~]+/g, (text) => encodeURIComponent(text).replaceAll("'", "%27"));
}

function unescape(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
