import { jetstream, jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import { Outbox } from "event-sourcery";
import { decodeEvent, nats } from "event-sourcery/publishers";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { natsAnswers, natsUrl } from "../support/broker.ts";
import { lay } from "../support/cable.ts";
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

const skip = await natsAnswers() ? false : "there is no NATS";
const settings = { skip, timeout: 30_000 };
const server = skip ? undefined : await connect({ servers: natsUrl });
const manager = server && await jetstreamManager(server);
const names: string[] = [];
after(async () => {
  for (const name of names) await manager?.streams.delete(name);
  await server?.close();
});

/** A stream of the server with all subjects of a prefix. */
async function streamOf(prefix: string, more: Partial<StreamConfig> = {}): Promise<string> {
  const name = `test-${prefix}`;
  names.push(name);
  await manager!.streams.add({ name, subjects: [`${prefix}.>`], storage: "memory", ...more });
  return name;
}

function prefixed(): string {
  return crypto.randomUUID().slice(0, 8);
}

function publisherTo(prefix: string, url = natsUrl, source = "/shop") {
  const opened: number[] = [];
  const publisher = nats({
    ...{ events, source, jetstream, prefix },
    connect() {
      opened.push(0);
      return connect({ servers: url, reconnectTimeWait: 5, maxReconnectAttempts: 2 });
    },
  });
  return { publisher, opened };
}

/** Receives the messages of a stream. */
async function consumed(name: string) {
  const received: Sent[] = [];
  const subjects: string[] = [];
  const consumer = await jetstream(server!).consumers.get(name);
  const messages = await consumer.consume({
    callback: ({ subject, headers, data }) => {
      subjects.push(subject);
      received.push(decodeEvent(events, { headers, body: data }));
    },
  });
  return { received, subjects, stop: () => messages.close() };
}

test("nats() keeps everything and its order while the server is away", settings, async () => {
  const prefix = prefixed();
  const { received, stop } = await consumed(await streamOf(prefix));
  const cable = await lay(natsUrl);
  const { publisher, opened } = publisherTo(prefix, cable.url);
  await outage(publisher, cable, received);
  assert(opened.length > 1);
  const versions = received.filter(({ streamId }) => streamId === "order:1");
  assert.deepEqual(versions.map(({ version }) => version), versions.map((_, index) => index + 1));
  await Promise.all([stop(), cable.close()]);
});

test("nats() sends either mode, and it decodes to equal events", settings, async () => {
  const prefix = prefixed();
  const { received, subjects, stop } = await consumed(await streamOf(prefix));
  const sent = (await Promise.all(["order:1", "a b.*>:é:\n", ":", "x", "y:"].map((id) =>
    stored(id)
  )))
    .flat();
  const options = { events, source: "/shop", jetstream, prefix, headers };
  const open = () => connect({ servers: natsUrl });
  for (const mode of ["structured", "binary"] as const) {
    const publisher = nats({ ...options, connect: open, mode });
    const half = sent.filter(({ version }) => version === (mode === "structured" ? 1 : 2));
    await publisher.batch(half, context());
    await publisher.close();
  }
  await until(() => received.length === sent.length);
  const found = new Map(received.map((event) => [event.id, event]));
  for (const event of sent) assert.deepEqual(found.get(event.id), event);
  const expected = ["order.1", "a%20b%2E%2A%3E.%C3%A9:%0A", ":", "x", "y:"];
  assert.deepEqual(new Set(subjects), new Set(expected.map((subject) => `${prefix}.${subject}`)));
  await stop();
});

test("nats() has the server refuse what a zombie sends late", settings, async () => {
  const prefix = prefixed();
  const name = await streamOf(prefix, { duplicate_window: 100_000_000 }); // 100 ms, in ns
  const store = newStore();
  const append = async () => (await store.append("order:1", Shipped())).events[0];
  const [one, two, three, four] = [
    await append(),
    await append(),
    await append(),
    await append(),
  ];
  const [{ publisher: zombie }, { publisher: owner }] = [
    publisherTo(prefix),
    publisherTo(prefix),
  ];
  await zombie(one, context());
  for (const event of [two, three]) await owner(event, context());
  await new Promise((resolve) => setTimeout(resolve, 250)); // no message id is remembered any more
  await zombie(two, context());
  await zombie(three, context());
  await zombie(four, context());
  const { received, stop } = await consumed(name);
  await until(() => received.length >= 4);
  assert.deepEqual(received.map(({ version }) => version), [1, 2, 3, 4]);
  await Promise.all([stop(), zombie.close(), owner.close()]);
});

test("nats() publishes streams that begin again, or were purged", settings, async () => {
  const prefix = prefixed();
  const name = await streamOf(prefix);
  const { publisher } = publisherTo(prefix);
  const { publisher: other } = publisherTo(prefix);
  const store = newStore();
  await publisher.batch(
    (await store.append("order:1", [Placed(1), Placed(2)])).events,
    context(),
  );
  await store.delete("order:1");
  const { events: [again] } = await store.append("order:1", Placed(3));
  await other(again, context());
  assert.equal((await manager!.streams.info(name)).state.messages, 3);
  await manager!.streams.purge(name);
  await publisher((await store.append("order:1", Shipped())).events[0], context());
  assert.equal((await manager!.streams.info(name)).state.messages, 1);
  await Promise.all([publisher.close(), other.close()]);
});

test("nats() takes no message of another source for its own", settings, async () => {
  const prefix = prefixed();
  await streamOf(prefix);
  const [first] = await stored();
  const [{ publisher }, { publisher: other }] = [
    publisherTo(prefix),
    publisherTo(prefix, natsUrl, "/other"),
  ];
  await publisher((await stored())[1]!, context());
  await assert.rejects(other(first!, context()), /are of another source/);
  await Promise.all([publisher.close(), other.close()]);
});

test("nats() parks what is too large, and retries what no stream takes", settings, async () => {
  const prefix = prefixed();
  const store = newStore();
  await store.append("large:1", Placed("x".repeat(2 ** 20)));
  await store.append("larger:1", Placed("x".repeat(2000)));
  await store.append("order:1", [Placed("small"), Shipped()]);
  const { publisher } = publisherTo(prefix);
  const outbox = new Outbox(store, { publisher, retry: { minDelay: 0, maxDelay: 0 } });
  await outbox.runOnce();
  const parked = await outbox.parked();
  assert.match(
    parked.find(({ streamId }) => streamId === "larger:1")!.error!,
    /no stream of NATS takes/,
  );
  const { received, stop } = await consumed(await streamOf(prefix, { max_msg_size: 1500 }));
  await outbox.drain();
  await until(() => received.length === 2);
  const failed = (await outbox.parked()).map((
    { streamId, dueAt, error },
  ) => [streamId, dueAt, error]);
  const never = "Cannot handle the event, now or later:";
  assert.deepEqual(failed, [
    ["large:1", undefined, `${never} InvalidArgumentError: 'payload' max_payload size exceeded`],
    ["larger:1", undefined, `${never} JetStreamApiError: message size exceeds maximum allowed`],
  ]);
  await Promise.all([stop(), publisher.close()]);
});

test("nats() resolves after the confirm, and leaves a server that hangs", settings, async () => {
  const prefix = prefixed();
  const { received, stop } = await consumed(await streamOf(prefix));
  const cable = await lay(natsUrl);
  const { publisher, opened } = publisherTo(prefix, cable.url);
  const store = newStore();
  const append = async (id: string) => (await store.append(id, Placed(mixed))).events[0];
  const [one, two, three] = [await append("a:1"), await append("a:1"), await append("b:1")];
  await publisher(one, context());
  cable.hold();
  let confirmed = false;
  const slow = publisher(two, context()).then(() => confirmed = true, () => {});
  await until(() => received.length === 2);
  assert.equal(confirmed, false, "the server has it, but has not said so");
  const abort = new AbortController();
  const hanging = publisher(three, context(abort.signal)).catch(() => {});
  await until(() => received.length === 3);
  abort.abort();
  cable.release();
  await publisher(three, context());
  await Promise.all([slow, hanging]);
  assert.equal(opened.length, 2);
  assert.equal(received.length, 3);

  cable.unplug();
  await publisher.close();
  await publisher.close();
  await assert.rejects(publisher(three, context()), /the publisher was closed/);
  const { publisher: never } = publisherTo(prefix, cable.url);
  await assert.rejects(never(one, context()));
  await Promise.all([never.close(), stop(), cable.close()]);
});

test("nats() refuses prefixes that are no subjects, and binary mode without headers", () => {
  const connect = () => Promise.reject(new Error("unused"));
  for (const prefix of ["", "a b", "a.", ".a", "a..b", "a.*", ">"]) {
    assert.throws(() => nats({ events, source: "/shop", jetstream, connect, prefix }), TypeError);
  }
  const options = {
    events,
    source: "/shop",
    jetstream,
    connect,
    prefix: "a",
    mode: "binary",
  } as const;
  assert.throws(() => nats(options), { message: /^headers must be a function/ });
});
