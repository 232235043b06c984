/**
 * Publishers of an outbox, to RabbitMQ, Kafka, NATS and webhooks, by the client that you have; and the CloudEvents that they
 * send, from and to events.
 *
 * @module
 */
export { type BrokerMessage, type CloudEvent, fromCloudEvent } from "./cloudevent.ts";
export { decodeEvent, encodeEvent } from "./encoding.ts";
export { kafka, type KafkaMessage, type KafkaOptions, type KafkaProducer } from "./kafka.ts";
export {
  nats,
  type NatsConnection,
  type NatsHeaders,
  type NatsJetStream,
  type NatsOptions,
} from "./nats.ts";
export type { BrokerOptions, BrokerPublisher, PublisherOptions } from "./publisher.ts";
export {
  rabbitmq,
  type RabbitmqChannel,
  type RabbitmqConnection,
  type RabbitmqOptions,
} from "./rabbitmq.ts";
export { webhook, type WebhookFetch, type WebhookOptions } from "./webhook.ts";
