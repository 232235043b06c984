// Start without a broker, add RabbitMQ later: neither the part that publishes nor the one that handles is touched.
import amqp from "amqplib";
import {
  defineEvent,
  type EventOf,
  EventStore,
  type EventWriter,
  Outbox,
  type RecordedEvent,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { decodeEvent, rabbitmq } from "event-sourcery/publishers";
import assert from "node:assert/strict";
import process from "node:process";

const ParcelShipped = defineEvent<{ to: string }>()("ParcelShipped");
const events = [ParcelShipped];
type ParcelShipped = EventOf<typeof ParcelShipped>;

// The part that publishes.
async function ship(parcels: EventWriter<ParcelShipped>, number: number, to: string) {
  await parcels.publish(`parcel:${number}`, ParcelShipped({ to }));
}

// The part that handles: it recognises duplicates by the event's id, since any message may arrive twice.
const notified = new Map<string, string>();
function notify({ id, data }: Pick<RecordedEvent<ParcelShipped>, "id" | "data">): void {
  notified.set(id, data.to);
}

// Both in one process: the outbox calls the handler.
const store = new EventStore(memory(), { events });
await ship(store, 1, "Ada");
await new Outbox(store, { publisher: notify }).drain();
assert.deepEqual([...notified.values()], ["Ada"]);

// Later, with a broker between them. The outbox is the same, and resumes where it stopped.
const url = process.env["AMQP_URL"] || "amqp://guest:guest@127.0.0.1:5672";
const connection = await amqp.connect(url).catch(() => undefined);
if (connection === undefined) {
  console.log(`Shipped in one process; to see RabbitMQ between, start it at ${new URL(url).host}`);
} else {
  await viaBroker(connection);
  await connection.close();
  console.log("Shipped in one process, and by way of RabbitMQ");
}

async function viaBroker(connection: amqp.ChannelModel): Promise<void> {
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  let address = "amqp://127.0.0.1:1"; // nobody is there: the broker is down for a while
  const publisher = rabbitmq({
    ...{ events, source: "/parcels" },
    connect: () => amqp.connect(address), // called again after a failure
    exchange: "", // the default one: the routing key names the queue
    routingKey: () => queue,
  });
  const outbox = new Outbox(store, { publisher });

  // The publishing part does not notice.
  await ship(store, 2, "Grace");
  await ship(store, 3, "Alan");
  assert.equal((await outbox.runOnce()).handled, 0);
  assert.equal((await outbox.status()).retrying, 2);

  address = url;
  await outbox.redrive(); // retry immediately, instead of after a pause
  assert.equal((await outbox.drain()).handled, 2);
  await publisher.close();

  // On the other side of the broker, the handler is the same as above.
  await new Promise<void>((resolve) => {
    void channel.consume(queue, (message) => {
      notify(decodeEvent(events, { body: message!.content }));
      channel.ack(message!);
      if (notified.size === 3) resolve();
    });
  });
  assert.deepEqual(new Set(notified.values()), new Set(["Ada", "Grace", "Alan"]));
  await channel.close();
}
