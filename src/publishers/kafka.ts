import type { RecordedEvent } from "../event/event.ts";
import type { AnyEventType, EventOf } from "../event/type.ts";
import { checkFunction } from "../errors/check.ts";
import { PermanentError } from "../errors/consumer.ts";
import { describe } from "../errors/describe.ts";
import { partitionKey } from "./key.ts";
import { Link } from "./link.ts";
import { type BrokerOptions, type BrokerPublisher, encoderOf } from "./publisher.ts";

/**
 * A message as a Kafka producer takes it.
 *
 * @category Publishers
 */
export interface KafkaMessage {
  /** The key, by which the producer chooses the partition. */
  key: string;
  /** The body. */
  value: string;
  /** The headers. */
  headers: Record<string, string>;
}

/**
 * The parts that a publisher uses of a Kafka producer: kafkajs's, or one of its shape, such as that of
 * `@confluentinc/kafka-javascript`.
 *
 * @category Publishers
 */
export interface KafkaProducer {
  /** Sends messages, and resolves when the brokers have acknowledged them. */
  sendBatch(
    batch: { topicMessages: { topic: string; messages: KafkaMessage[] }[] },
  ): Promise<unknown>;
  /** Closes its connections. */
  disconnect(): Promise<void>;
}

/**
 * Options of `kafka`.
 *
 * @category Publishers
 */
export interface KafkaOptions<Types extends readonly AnyEventType[]> extends BrokerOptions<Types> {
  /**
   * Makes a producer and connects it; the publisher disconnects it. It is called again after a failure. All in-sync
   * replicas must acknowledge, as is kafkajs's default; with `idempotent: true` its own retries double nothing.
   */
  readonly connect: () => Promise<KafkaProducer>;
  /** The topic, or what returns that of an event. */
  readonly topic: string | ((event: RecordedEvent<EventOf<Types[number]>>) => string);
}

/** The most characters in one request: half of what a broker takes by default. */
const most = 2 ** 19;

/** Codes of Kafka for a message that no attempt makes fit: it is too large, or not valid for the topic. */
const permanent = [10, 18, 87];

/**
 * Makes a publisher to Kafka, in batches. The tenant and the stream are the key: a stream stays in one partition, in order.
 *
 * What fails is tried again, on a new producer; a message that is too large parks its stream at once. The topics are yours
 * to make.
 *
 * @throws {TypeError} If an option is malformed.
 * @category Publishers
 *
 * @example An outbox that publishes to a topic
 * ```ts
 * import { defineEvent, EventStore, Outbox } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import { kafka } from "event-sourcery/publishers";
 * import { Kafka } from "kafkajs";
 *
 * const OrderPlaced = defineEvent<{ sku: string }>()("OrderPlaced");
 * const events = [OrderPlaced];
 * const store = new EventStore(memory(), { events });
 * const publisher = kafka({
 *   events,
 *   source: "/shop",
 *   async connect() {
 *     const client = new Kafka({ brokers: ["127.0.0.1:9092"] });
 *     const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
 *     await producer.connect();
 *     return producer;
 *   },
 *   topic: "shop",
 * });
 * const outbox = new Outbox(store, { publisher });
 * await outbox.runOnce(); // connects when there is something to publish
 * await publisher.close();
 * ```
 */
export function kafka<const Types extends readonly AnyEventType[]>(
  options: KafkaOptions<Types>,
): BrokerPublisher<EventOf<Types[number]>> {
  type Stored = RecordedEvent<EventOf<Types[number]>>;
  const encode = encoderOf(options, "ce_");
  const { connect, topic } = options;
  checkFunction("connect", connect);
  if (typeof topic !== "string") checkFunction("topic", topic);
  const topicOf = typeof topic === "string" ? () => topic : topic;
  const link = new Link(connect, (producer) => producer.disconnect());

  function messageOf(event: Stored): Addressed {
    const { contentType, headers, body: value } = encode(event);
    const message = { key: partitionKey(event), value };
    return {
      topic: topicOf(event),
      message: { ...message, headers: { "content-type": contentType, ...headers } },
    };
  }

  async function batch(
    events: readonly Stored[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    const parts = partsOf(events.map(messageOf));
    await link.use(signal, async (producer, drop) => {
      for (const part of parts) {
        signal.throwIfAborted();
        try {
          await producer.sendBatch({ topicMessages: byTopic(part) });
        } catch (error) {
          const refused = isPermanent(error);
          if (refused && part.length === 1) {
            throw new PermanentError(describe(error), { cause: error });
          }
          if (!refused) drop(); // it may be beyond repair: kafkajs gives up some failures for good
          throw error;
        }
      }
    });
  }

  return Object.assign(
    (event: Stored, context: { readonly signal: AbortSignal }) => batch([event], context),
    { batch, close: () => link.close() },
  );
}

/** A message and its topic. */
interface Addressed {
  readonly topic: string;
  readonly message: KafkaMessage;
}

/** Divides messages into requests that a broker takes; a message that is too large has one of its own. */
function partsOf(messages: readonly Addressed[]): readonly Addressed[][] {
  const parts: Addressed[][] = [];
  let size = Infinity;
  for (const found of messages) {
    const { value, headers } = found.message;
    const own = value.length + JSON.stringify(headers).length;
    if (size + own > most) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)!.push(found);
    size += own;
  }
  return parts;
}

function byTopic(part: readonly Addressed[]): { topic: string; messages: KafkaMessage[] }[] {
  const topics = new Map<string, KafkaMessage[]>();
  for (const { topic, message } of part) {
    topics.set(topic, [...(topics.get(topic) ?? []), message]);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/** kafkajs wraps what the broker has answered. */
function isPermanent(error: unknown): boolean {
  for (let found = error; found instanceof Error; found = found.cause) {
    if ("code" in found && permanent.some((code) => code === found.code)) return true;
  }
  return false;
}
