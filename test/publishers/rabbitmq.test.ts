import amqp from "amqplib";
import { Outbox } from "event-sourcery";
import { decodeEvent, rabbitmq } from "event-sourcery/publishers";
import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { brokerAnswers } from "../support/broker.ts";
import { type Cable, lay } from "../support/cable.ts";
import {
  context,
  events,
  mixed,
  newStore,
  outage,
  Placed,
  type Sent,
  Shipped,
  stored,
  until,
} from "../support/publishing.ts";

const url = process.env["AMQP_URL"] || "amqp://guest:guest@127.0.0.1:5672";
const skip = await brokerAnswers() ? false : "there is no RabbitMQ";
const settings = { skip, timeout: 30_000 };
const broker = skip ? undefined : await amqp.connect(url);
after(() => broker?.close());

/** An exchange whose messages end up in a list. */
async function exchanged(bound = true, queueOptions: amqp.Options.AssertQueue = {}) {
  const channel = await broker!.createChannel();
  const exchange = `test-${crypto.randomUUID()}`;
  await channel.assertExchange(exchange, "topic", { autoDelete: true });
  const { queue } = await channel.assertQueue("", { exclusive: true, ...queueOptions });
  const bind = () => channel.bindQueue(queue, exchange, "#");
  if (bound) await bind();
  const received: Sent[] = [];
  const take = async () => {
    await channel.consume(queue, (message) => {
      const { content, properties: { contentType, headers } } = message!;
      received.push(decodeEvent(events, { body: content, headers, contentType }));
    }, { noAck: true });
  };
  return { channel, exchange, queue, bind, received, take };
}

function publisherTo(exchange: string, cable: Pick<Cable, "url"> = { url }, more = {}) {
  const connect = () => (opened.push(0), amqp.connect(cable.url));
  const opened: number[] = [];
  return { opened, ...rabbitmqOf({ connect, exchange, ...more }) };
}

function rabbitmqOf(options: Pick<Parameters<typeof rabbitmq>[0], "connect" | "exchange">) {
  return { publisher: rabbitmq({ events, source: "/shop", ...options }) };
}

test("rabbitmq() keeps everything and its order while the broker is away", settings, async () => {
  const { exchange, received, take } = await exchanged();
  await take();
  const cable = await lay(url);
  const { publisher, opened } = publisherTo(exchange, cable);
  await outage(publisher, cable, received);
  assert(opened.length > 1);
  await cable.close();
});

for (const mode of ["structured", "binary"] as const) {
  test(`rabbitmq() sends ${mode} CloudEvents that decode to equal events`, settings, async () => {
    const { channel, exchange, queue } = await exchanged();
    const { publisher } = publisherTo(exchange, { url }, { mode });
    const sent = await stored();
    await publisher.batch(sent, context());
    for (const event of sent) {
      const message = await channel.get(queue, { noAck: true });
      assert(message !== false);
      const { content, fields, properties } = message;
      const { contentType, headers } = properties;
      assert.deepEqual(decodeEvent(events, { body: content, headers, contentType }), event);
      assert.equal(properties.messageId, event.id);
      assert.equal(properties.deliveryMode, 2);
      assert.equal(fields.routingKey, event.type);
    }
    await publisher.close();
  });
}

test("rabbitmq() retries what no queue gets, and what has no exchange", settings, async () => {
  const { channel, exchange, queue, received, take, bind } = await exchanged(false);
  await channel.bindQueue(queue, exchange, "Shipped"); // but not what comes before that
  await take();
  const missing = `test-${crypto.randomUUID()}`;
  const store = newStore();
  await store.append("order:1", [Placed(1), Shipped()]);
  const { publisher } = publisherTo(exchange);
  const { publisher: lost } = publisherTo(missing);
  const retry = { minDelay: 0, maxDelay: 0 };
  const [unbound, wrong] = [
    new Outbox(store, { publisher, retry }),
    new Outbox(store, { name: "wrong", publisher: lost, retry }),
  ];
  await unbound.runOnce();
  assert.match((await unbound.parked())[0]!.error!, /no queue of exchange .* gets "Placed"/);
  await wrong.runOnce();
  assert.match((await wrong.parked())[0]!.error!, /NOT_FOUND - no exchange/);
  assert.deepEqual(received, []);

  await bind();
  await unbound.drain();
  await until(() => received.length === 2);
  await channel.assertExchange(missing, "fanout", { autoDelete: true });
  await channel.bindExchange(exchange, missing, "");
  await wrong.drain();
  await until(() => received.length === 4);
  assert.deepEqual(received.map(({ version }) => version), [1, 2, 1, 2]);
  await Promise.all([publisher.close(), lost.close()]);
});

test("rabbitmq() drops what no queue gets only where that is asked for", settings, async () => {
  const { exchange } = await exchanged(false);
  const { publisher } = publisherTo(exchange, { url }, { mandatory: false });
  await publisher((await stored())[0]!, context());
  await publisher.close();
});

test("rabbitmq() sends no event before the one that a queue refuses", settings, async () => {
  const full = { arguments: { "x-max-length": 1, "x-overflow": "reject-publish" } };
  const { channel, exchange, queue, received, take } = await exchanged(true, full);
  const { publisher } = publisherTo(exchange);
  await publisher((await stored("order:1"))[0]!, context()); // the queue is full
  const store = newStore();
  await store.append("order:2", [Placed(1), Placed(2), Placed(3)]);
  const outbox = new Outbox(store, { publisher, retry: { minDelay: 0, maxDelay: 0 } });
  await outbox.runOnce();
  assert.match((await outbox.parked())[0]!.error!, /message nacked/);
  await channel.purgeQueue(queue);
  await take();
  await outbox.drain();
  await until(() => received.length === 3);
  assert.deepEqual(received.map(({ version }) => version), [1, 2, 3]);
  await publisher.close();
});

test("rabbitmq() parks at once what the broker never accepts", settings, async () => {
  const { exchange, received, take } = await exchanged();
  await take();
  const store = newStore();
  await store.append("order:1", Placed("x".repeat(2 ** 27))); // 128 MiB is the limit
  await store.append("order:2", Placed("small"));
  const wide = new URL(url);
  wide.searchParams.set("frameMax", String(2 ** 20)); // in small frames it takes seconds
  const { publisher } = publisherTo(exchange, { url: wide.href });
  const outbox = new Outbox(store, { publisher, batchSize: 1 });
  await outbox.runOnce();
  await until(() => received.length === 1);
  const [parked, ...others] = await outbox.parked();
  assert.deepEqual([parked!.streamId, parked!.dueAt, others], ["order:1", undefined, []]);
  assert.match(parked!.error!, /now or later: .*message size/);
  assert.deepEqual(received.map(({ streamId }) => streamId), ["order:2"]);
  await publisher.close();
});

test("rabbitmq() resolves after the confirm, and leaves one that hangs", settings, async () => {
  const { exchange, received, take } = await exchanged();
  await take();
  const cable = await lay(url);
  const { publisher, opened } = publisherTo(exchange, cable);
  const [first, second] = await stored("order:1", mixed);
  await publisher(first!, context());
  cable.hold();
  let confirmed = false;
  const slow = publisher(second!, context()).then(() => confirmed = true);
  await until(() => received.length === 2);
  assert.equal(confirmed, false, "the broker has it, but has not said so");
  cable.release();
  await slow;

  cable.hold();
  const stop = new AbortController();
  const hanging = publisher(second!, context(stop.signal)).catch(() => {});
  await until(() => received.length === 3);
  stop.abort();
  cable.release();
  await publisher(second!, context());
  await hanging;
  assert.equal(opened.length, 2);

  cable.hold();
  const start = performance.now();
  await publisher.close();
  assert(performance.now() - start < 4000);
  await assert.rejects(publisher(second!, context()), /the publisher was closed/);
  await cable.close();
});

test("rabbitmq() closes when the broker is dead, or was never there", settings, async () => {
  const { exchange } = await exchanged();
  const cable = await lay(url);
  const { publisher } = publisherTo(exchange, cable);
  await publisher((await stored())[0]!, context());
  cable.unplug();
  const start = performance.now();
  await publisher.close();
  assert(performance.now() - start < 900, "it has waited for an answer");
  const { publisher: never } = publisherTo(exchange, cable);
  await assert.rejects(never((await stored())[0]!, context()));
  await Promise.all([never.close(), never.close()]);
  await cable.close();
});
