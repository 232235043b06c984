import type { Recorded, RecordedEvent } from "../event/event.ts";
import type { AnyEventType, EventOf } from "../event/type.ts";
import { checkFunction } from "../errors/check.ts";
import { PermanentError } from "../errors/consumer.ts";
import { describe } from "../errors/describe.ts";
import { fromCloudEvent } from "./cloudevent.ts";
import { messageId, sourceOf, token } from "./key.ts";
import { Link } from "./link.ts";
import { type BrokerOptions, type BrokerPublisher, encoderOf, inStreams } from "./publisher.ts";

/**
 * The parts of a NATS connection that a publisher uses.
 *
 * @category Publishers
 */
export interface NatsConnection {
  /** Resolves when it is closed, and no longer tries to reconnect. */
  closed(): Promise<unknown>;
  /** Closes it. */
  close(): Promise<void>;
}

/**
 * The parts of NATS headers that a publisher uses.
 *
 * @category Publishers
 */
export interface NatsHeaders extends Iterable<readonly [string, readonly string[]]> {
  /** Sets a header. */
  set(name: string, value: string): void;
}

/**
 * The parts of a JetStream client that a publisher uses.
 *
 * @category Publishers
 */
export interface NatsJetStream {
  /** Publishes a message, and resolves when a stream has stored it. */
  publish(
    subject: string,
    payload: string,
    options?: {
      readonly msgID?: string;
      readonly headers?: NatsHeaders;
      readonly expect?: { readonly lastSubjectSequence?: number };
    },
  ): Promise<{ readonly seq: number }>;
  /** Returns what reads the messages of streams. */
  jetstreamManager(checkAPI: boolean): Promise<{
    readonly streams: {
      find(subject: string): Promise<string>;
      getMessage(
        stream: string,
        query: { readonly last_by_subj: string },
      ): Promise<
        {
          readonly seq: number;
          readonly header: NatsHeaders | undefined;
          readonly data: Uint8Array;
        } | null
      >;
    };
  }>;
}

/**
 * Options of `nats`.
 *
 * @category Publishers
 */
export interface NatsOptions<
  Types extends readonly AnyEventType[],
  Connection extends NatsConnection,
> extends BrokerOptions<Types> {
  /** Opens a connection, which the publisher closes; it is called again after that was closed. */
  readonly connect: () => Promise<Connection>;
  /** The client's function of that name. */
  readonly jetstream: (connection: Connection) => NatsJetStream;
  /**
   * What all subjects begin with: with `"shop"` the events of stream `order:42` have the subject `shop.order.42`, those of
   * a tenant's `shop.@acme.order.42`. Other characters than letters, digits, `_`, `-` and `:` are percent-encoded.
   */
  readonly prefix: string;
  /** The client's function of that name; needed for binary mode. @default messages have no `content-type` */
  readonly headers?: (() => NatsHeaders) | undefined;
}

/** The last message of a subject: its sequence, and the position of its event. */
interface Last {
  readonly seq: number;
  readonly position: number;
}

/** An open connection, and the last messages, by subject. */
interface Opened {
  readonly connection: NatsConnection;
  readonly client: NatsJetStream;
  readonly last: Map<string, Last>;
}

/** The most subjects whose last message is kept; that of others is asked for. */
const most = 10_000;

/** Codes of JetStream: another last sequence was expected; a message or its headers are too large for the stream. */
const [wrongLast, tooLarge] = [[10071, 10164], [10054, 10097]] as const;

/**
 * Makes a publisher to NATS JetStream. Every stream of the store has a subject of its own, and each message names the
 * sequence of the last one of its subject: the server itself refuses what a worker sends that others have overtaken. Then
 * the last message of the subject tells whether the event was published, by this worker or another.
 *
 * The event's id is the message's id, after the tenant's if there is one. What no stream takes is tried again; a message that
 * is too large parks its stream at once. The streams are yours to make.
 *
 * @throws {TypeError} If an option is malformed.
 * @category Publishers
 *
 * @example An outbox that publishes to JetStream
 * ```ts
 * import { jetstream } from "@nats-io/jetstream";
 * import { connect } from "@nats-io/transport-node";
 * import { defineEvent, EventStore, Outbox } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import { nats } from "event-sourcery/publishers";
 *
 * const OrderPlaced = defineEvent<{ sku: string }>()("OrderPlaced");
 * const events = [OrderPlaced];
 * const store = new EventStore(memory(), { events });
 * const publisher = nats({
 *   events,
 *   source: "/shop",
 *   connect: () => connect({ servers: "127.0.0.1" }),
 *   jetstream,
 *   prefix: "shop", // a stream with the subject "shop.>" keeps the messages
 * });
 * const outbox = new Outbox(store, { publisher });
 * await outbox.runOnce(); // connects when there is something to publish
 * await publisher.close();
 * ```
 */
export function nats<
  const Types extends readonly AnyEventType[],
  Connection extends NatsConnection,
>(options: NatsOptions<Types, Connection>): BrokerPublisher<EventOf<Types[number]>> {
  type Stored = RecordedEvent<EventOf<Types[number]>>;
  const encode = encoderOf(options, "ce-");
  const { connect, jetstream, prefix, headers, source, mode } = options;
  checkFunction("connect", connect);
  checkFunction("jetstream", jetstream);
  if (typeof prefix !== "string" || !/^[^\s.*>]+(\.[^\s.*>]+)*$/.test(prefix)) {
    throw new TypeError('prefix must be the beginning of a subject, such as "shop"');
  }
  if (headers !== undefined || mode === "binary") checkFunction("headers", headers);

  const link = new Link<Opened>(async (lost) => {
    const connection = await connect();
    connection.closed().then(lost, lost);
    return { connection, client: jetstream(connection), last: new Map() };
  }, ({ connection }) => connection.close());

  async function send({ client, last }: Opened, event: Stored): Promise<void> {
    const subject = `${prefix}.${subjectOf(event)}`;
    const { contentType, headers: attributes, body } = encode(event);
    const options: { msgID: string; headers?: NatsHeaders } = { msgID: messageId(event) };
    if (headers !== undefined) {
      options.headers = headers();
      options.headers.set("content-type", contentType);
      for (const [name, value] of Object.entries(attributes)) options.headers.set(name, value);
    }
    // A new stream has no message yet; of others the first try tells that it has.
    let known = last.get(subject);
    for (let tries = 0; tries < 3; tries++) {
      // Positions, not versions: a stream that was deleted begins again at version 1.
      if (known !== undefined && known.position >= event.position) return;
      try {
        const expect = { lastSubjectSequence: known?.seq ?? 0 };
        const { seq } = await client.publish(subject, body, { ...options, expect });
        return keep(last, subject, { seq, position: event.position });
      } catch (error) {
        if (!hasCode(error, wrongLast)) throw failureOf(error, subject);
      }
      known = await lastOf(client, subject, sourceOf(source, event));
      if (known !== undefined) keep(last, subject, known);
    }
    throw new Error(`another publisher is sending to subject "${subject}"`);
  }

  return Object.assign(
    (event: Stored, { signal }: { readonly signal: AbortSignal }) =>
      link.use(signal, (opened) => send(opened, event)),
    {
      batch: (events: readonly Stored[], { signal }: { readonly signal: AbortSignal }) =>
        link.use(signal, (opened) => inStreams(events, (event) => send(opened, event))),
      close: () => link.close(),
    },
  );
}

/** Returns the subject of a stream after the prefix: its tenant, its category, its id in that; unique for each stream. */
function subjectOf({ tenantId, streamId }: Pick<Recorded, "tenantId" | "streamId">): string {
  const [, category, id] = /^([^:]+):(.+)$/s.exec(streamId) ?? [];
  const tokens = category === undefined ? [streamId] : [category, id!];
  return [...(tenantId === "" ? [] : [`@${token(tenantId)}`]), ...tokens.map(token)].join(".");
}

/** Keeps the last message of a subject, and forgets the one that was not needed for longest. */
function keep(last: Map<string, Last>, subject: string, message: Last): void {
  last.delete(subject);
  last.set(subject, message);
  if (last.size > most) last.delete(last.keys().next().value!);
}

/** Reads the last message of a subject. */
async function lastOf(
  client: NatsJetStream,
  subject: string,
  source: string,
): Promise<Last | undefined> {
  const { streams } = await client.jetstreamManager(false);
  const stream = await streams.find(subject);
  const message = await streams.getMessage(stream, { last_by_subj: subject });
  if (message === null) return undefined;
  const { seq, header, data } = message;
  const event = fromCloudEvent({ headers: header, body: data });
  if (event.source === source) return { seq, position: Number(event["position"]) };
  throw new Error(`the messages of subject "${subject}" are of another source`);
}

function failureOf(error: unknown, subject: string): unknown {
  if (!(error instanceof Error)) return error;
  const unsent = error.name === "InvalidArgumentError" && error.message.includes("max_payload");
  if (unsent || hasCode(error, tooLarge)) {
    return new PermanentError(describe(error), { cause: error });
  }
  // The client says so where no stream has the subject, too.
  if (error.name !== "JetStreamNotEnabled") return error;
  return new Error(`no stream of NATS takes subject "${subject}"`, { cause: error });
}

function hasCode(error: unknown, codes: readonly number[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}
