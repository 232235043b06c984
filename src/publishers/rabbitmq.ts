import type { RecordedEvent } from "../event/event.ts";
import type { AnyEventType, EventOf } from "../event/type.ts";
import { checkFunction } from "../errors/check.ts";
import { PermanentError } from "../errors/consumer.ts";
import { describe } from "../errors/describe.ts";
import { messageId } from "./key.ts";
import { Link } from "./link.ts";
import { type BrokerOptions, type BrokerPublisher, encoderOf, inStreams } from "./publisher.ts";

/**
 * The parts of an amqplib channel with confirms that a publisher uses.
 *
 * @category Publishers
 */
export interface RabbitmqChannel {
  /** Sends a message; the callback learns whether the broker has confirmed it. */
  publish(
    exchange: string,
    routingKey: string,
    content: Uint8Array,
    options: {
      readonly messageId: string;
      readonly type: string;
      readonly contentType: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly persistent: boolean;
      readonly mandatory: boolean;
    },
    confirmed: (error: unknown) => void,
  ): boolean;
  /** Listens to it. */
  on(event: string, listener: (value: unknown) => void): unknown;
}

/**
 * The parts of an amqplib connection that a publisher uses.
 *
 * @category Publishers
 */
export interface RabbitmqConnection {
  /** Opens a channel on which the broker confirms messages. */
  createConfirmChannel(): Promise<RabbitmqChannel>;
  /** Listens to it. */
  on(event: string, listener: (value: unknown) => void): unknown;
  /** Closes it. */
  close(): Promise<void>;
}

/**
 * Options of `rabbitmq`.
 *
 * @category Publishers
 */
export interface RabbitmqOptions<Types extends readonly AnyEventType[]>
  extends BrokerOptions<Types> {
  /** Opens a connection, which the publisher closes; it is called again after that was lost. */
  readonly connect: () => Promise<RabbitmqConnection>;
  /** The exchange; `""` is the default one, which routes to the queue that the routing key names. */
  readonly exchange: string;
  /** Returns the routing key of an event. @default its type */
  readonly routingKey?: ((event: RecordedEvent<EventOf<Types[number]>>) => string) | undefined;
  /**
   * Whether a message that no queue gets counts as failed. Otherwise RabbitMQ confirms it, and drops it.
   * @default true
   */
  readonly mandatory?: boolean | undefined;
}

/** An open channel. */
interface Opened {
  readonly connection: RabbitmqConnection;
  readonly channel: RabbitmqChannel;
  readonly state: State;
  /** Resolves when the connection is closed, or lost. */
  readonly ended: Promise<void>;
}

/** What was sent and heard on a channel. */
interface State {
  /** The ids of messages that no queue got, until they are confirmed. */
  readonly returned: Set<string>;
  /** How many messages are not confirmed yet. */
  pending: number;
  /** Why the channel was closed. */
  error: unknown;
  /** Whether it was closed while a single message was not confirmed. */
  alone: boolean;
}

/**
 * Makes a publisher to RabbitMQ: persistent messages, in batches, each confirmed by the broker. A message has the event's
 * id as its message id, after the tenant's if there is one.
 *
 * What an exchange, a queue or a policy refuses is tried again, except a message that the broker never accepts, such as one
 * that is too large: its stream is parked at once. The exchange and its queues are yours to declare.
 *
 * @throws {TypeError} If an option is malformed.
 * @category Publishers
 *
 * @example An outbox that publishes to an exchange
 * ```ts
 * import amqp from "amqplib";
 * import { defineEvent, EventStore, Outbox } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import { rabbitmq } from "event-sourcery/publishers";
 *
 * const OrderPlaced = defineEvent<{ sku: string }>()("OrderPlaced");
 * const events = [OrderPlaced];
 * const store = new EventStore(memory(), { events });
 * const publisher = rabbitmq({
 *   events,
 *   source: "/shop",
 *   connect: () => amqp.connect("amqp://127.0.0.1"),
 *   exchange: "shop",
 * });
 * const outbox = new Outbox(store, { publisher });
 * await outbox.runOnce(); // connects when there is something to publish
 * await publisher.close();
 * ```
 */
export function rabbitmq<const Types extends readonly AnyEventType[]>(
  options: RabbitmqOptions<Types>,
): BrokerPublisher<EventOf<Types[number]>> {
  type Recorded = RecordedEvent<EventOf<Types[number]>>;
  const encode = encoderOf(options, "cloudEvents:");
  const { connect, exchange, mandatory = true } = options;
  const routingKey = options.routingKey ?? (({ type }: Recorded) => type);
  checkFunction("connect", connect);
  checkFunction("routingKey", routingKey);
  if (typeof exchange !== "string") throw new TypeError("exchange must be a string");
  const link = new Link((lost) => open(connect, lost), shut);

  async function send({ channel, state }: Opened, event: Recorded): Promise<void> {
    const { contentType, headers, body } = encode(event);
    const id = messageId(event);
    const key = routingKey(event);
    const properties = { messageId: id, type: event.type, contentType, headers };
    await new Promise<void>((resolve, reject) => {
      const confirmed = (error: unknown) => {
        state.pending--;
        const unrouted = state.returned.delete(id);
        if (error) reject(failureOf(state, error));
        else if (unrouted) reject(new Error(`no queue of exchange "${exchange}" gets "${key}"`));
        else resolve();
      };
      try {
        const settings = { ...properties, persistent: true, mandatory };
        channel.publish(exchange, key, bufferOf(body), settings, confirmed);
        state.pending++;
      } catch (error) {
        reject(isClosed(error) ? error : new PermanentError(describe(error), { cause: error }));
      }
    });
  }

  return Object.assign(
    (event: Recorded, { signal }: { readonly signal: AbortSignal }) =>
      link.use(signal, (opened) => send(opened, event)),
    {
      batch: (events: readonly Recorded[], { signal }: { readonly signal: AbortSignal }) =>
        link.use(signal, (opened) => inStreams(events, (event) => send(opened, event))),
      close: () => link.close(),
    },
  );
}

async function open(
  connect: () => Promise<RabbitmqConnection>,
  lost: () => void,
): Promise<Opened> {
  const connection = await connect();
  const state: State = { returned: new Set(), pending: 0, error: undefined, alone: false };
  const failed = (error: unknown) => {
    state.error ??= error;
    state.alone = state.pending === 1;
  };
  // Without a listener, an error would end the process.
  connection.on("error", failed);
  const ended = new Promise<void>((resolve) => {
    connection.on("close", () => {
      resolve();
      lost();
    });
  });
  try {
    const channel = await connection.createConfirmChannel();
    channel.on("error", failed);
    channel.on("close", lost);
    channel.on("return", (message) => {
      const { properties } = message as { readonly properties: { readonly messageId: string } };
      state.returned.add(properties.messageId);
    });
    return { connection, channel, state, ended };
  } catch (error) {
    await connection.close().catch(() => {});
    throw error;
  }
}

/** Closes a connection; amqplib waits for ever for the answer to that, where the connection is lost meanwhile. */
function shut({ connection, ended }: Opened): Promise<void> {
  return Promise.race([connection.close(), ended]);
}

/** The code by which RabbitMQ closes a channel over a message that breaks a rule, such as its size. */
const preconditionFailed = 406;

/** What a message's failure means: a channel that was closed over a single message is that one's fault. */
function failureOf({ error, alone }: State, failure: unknown): unknown {
  if (typeof error !== "object" || error === null) return failure;
  const refused = "code" in error && error.code === preconditionFailed;
  return refused && alone ? new PermanentError(describe(error), { cause: error }) : error;
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && error.name === "IllegalOperationError";
}

/** amqplib takes nothing but a Buffer, a global of every runtime that it works on. */
function bufferOf(text: string): Uint8Array {
  const { Buffer } = globalThis as unknown as { Buffer: { from(text: string): Uint8Array } };
  return Buffer.from(text);
}
