import { Outbox } from "event-sourcery";
import { decodeEvent, kafka, type KafkaProducer } from "event-sourcery/publishers";
import assert from "node:assert/strict";
import { connect as dial } from "node:net";
import { after, test } from "node:test";
import kafkajs from "kafkajs";
import { type Cable, lay } from "../support/cable.ts";
import { consume, hasKcat, startKafka } from "../support/kcat.ts";
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

const { KafkaJSNonRetriableError, KafkaJSProtocolError, logLevel, Partitioners } = kafkajs;
const skip = hasKcat ? false : "there is no kcat";
const settings = { skip, timeout: 30_000 };
const broker = skip ? undefined : await startKafka();
const cable = broker && await lay(broker.url);
after(() => (broker?.stop(), cable?.close()));

/** A client whose connections all go by way of the cable, whatever address the broker names. */
function client({ url }: Cable): kafkajs.Kafka {
  return new kafkajs.Kafka({
    brokers: [new URL(url).host],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 5 },
    requestTimeout: 1000,
    socketFactory({ onConnect }) {
      return dial(Number(new URL(url).port), "127.0.0.1", onConnect).setKeepAlive(true);
    },
  });
}

function publisherTo(topic: string | ((event: Sent) => string), more = {}) {
  const opened: KafkaProducer[] = [];
  const publisher = kafka({
    ...{ events, source: "/shop", topic, ...more },
    async connect() {
      const createPartitioner = Partitioners.DefaultPartitioner;
      const producer = client(cable!).producer({ createPartitioner, maxInFlightRequests: 1 });
      await producer.connect();
      opened.push(producer);
      return producer;
    },
  });
  return { publisher, opened };
}

function consumed(topic: string) {
  const received: Sent[] = [];
  const keys = new Map<string, number>();
  const stop = consume(broker!, topic, ({ key, partition, payload, headers = [] }) => {
    assert.equal(keys.get(key) ?? partition, partition);
    keys.set(key, partition);
    const pairs = headers.flatMap((name, index) =>
      index % 2 === 0 ? [[name, headers[index + 1]] as const] : []
    );
    received.push(decodeEvent(events, { body: payload, headers: pairs }));
  });
  return { received, keys, stop };
}

test("kafka() keeps everything and its order while the broker is away", settings, async () => {
  const { received, keys, stop } = consumed("away");
  const { publisher, opened } = publisherTo("away");
  await outage(publisher, cable!, received);
  assert(opened.length > 1);
  assert(new Set(keys.values()).size > 1, "streams are spread over partitions");
  stop();
});

for (const mode of ["structured", "binary"] as const) {
  test(`kafka() sends ${mode} CloudEvents that decode to equal events`, settings, async () => {
    const { received, keys, stop } = consumed(mode);
    const { publisher } = publisherTo(() => mode, { mode });
    const sent = await stored("order:ü");
    await publisher.batch(sent, context());
    await until(() => received.length === 2);
    assert.deepEqual(received, sent);
    assert.deepEqual([...keys.keys()], ["order:ü"]);
    stop();
    await publisher.close();
  });
}

test(
  "kafka() resolves after the acknowledgement, and leaves one that hangs",
  settings,
  async () => {
    const { received, stop } = consumed("slow");
    const { publisher, opened } = publisherTo("slow");
    const [one, two] = await stored();
    await publisher(one!, context());
    cable!.hold();
    const abort = new AbortController();
    let acknowledged = false;
    const hanging = publisher(two!, context(abort.signal))
      .then(() => acknowledged = true, () => {});
    await until(() => received.length === 2);
    assert.equal(acknowledged, false, "the broker has it, but has not said so");
    abort.abort();
    cable!.release();
    await publisher(two!, context());
    await hanging;
    assert.equal(opened.length, 2);

    cable!.unplug();
    await assert.rejects(publisher(two!, context()));
    await publisher.close();
    await assert.rejects(publisher(two!, context()), /the publisher was closed/);
    cable!.plug();
    stop();
  },
);

test("kafka() sends what is large in several requests", settings, async () => {
  const { received, stop } = consumed("large");
  const { publisher, opened } = publisherTo("large");
  const store = newStore();
  const data = Array.from({ length: 9 }, () => Placed("x".repeat(2 ** 17)));
  const { events: sent } = await store.append("order:1", data);
  await publisher(sent[0]!, context());
  const [producer] = opened as [KafkaProducer];
  let requests = 0;
  const sendBatch = producer.sendBatch.bind(producer);
  producer.sendBatch = (batch) => (requests++, sendBatch(batch));
  await publisher.batch(sent.slice(1), context());
  assert.equal(requests, 3);
  await until(() => received.length === 9);
  assert.deepEqual(received.map(({ version }) => version), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  stop();
  await publisher.close();
});

// kcat's cluster takes messages of any size: kafkajs's own error stands in for the broker's answer.
test("kafka() parks at once what is too large, and gives up a producer that failed", async () => {
  const store = newStore();
  await store.append("large:1", Placed("x"));
  await store.append("order:1", [Placed(mixed), Shipped()]);
  const refuse = (type: string, code: number) => {
    const cause = Object.assign(new KafkaJSProtocolError(new Error(type)), { type, code });
    return Object.assign(new KafkaJSNonRetriableError(cause), { cause });
  };
  const [sent, ends]: [string[], number[]] = [[], []];
  let failures = 1;
  const publisher = kafka({
    ...{ events, source: "/shop", topic: "t" },
    connect: async () => ({
      async sendBatch({ topicMessages: [topic] }) {
        const { key } = topic!.messages[0]!;
        if (key === "large:1") throw refuse("MESSAGE_TOO_LARGE", 10);
        if (failures-- > 0) throw refuse("NOT_CONTROLLER", 41);
        sent.push(...topic!.messages.map(({ key }) => key));
      },
      disconnect: async () => void ends.push(sent.length),
    }),
  });
  const outbox = new Outbox(store, { publisher, retry: { minDelay: 0, maxDelay: 0 } });
  await until(async () => {
    await outbox.drain();
    return sent.length === 2;
  });
  const [parked, ...others] = await outbox.parked();
  assert.deepEqual([parked!.streamId, parked!.dueAt, others], ["large:1", undefined, []]);
  assert.match(parked!.error!, /now or later: KafkaJSNonRetriableError: MESSAGE_TOO_LARGE/);
  assert.deepEqual(sent, ["order:1", "order:1"]);
  await publisher.close();
  assert.deepEqual(ends, [0, 2]); // after the failure, and at the end
});
