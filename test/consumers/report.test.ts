// What a consumer reports: to onError with its context, or in one line an incident.
import {
  defineEvent,
  type ErrorContext,
  EventStore,
  Outbox,
  type RunOptions,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/journal.ts";
import { insert, row } from "../support/raw.ts";
import { Noted } from "../support/relay.ts";
import { running } from "../support/running.ts";

const timeout = 30_000;
const secret = "SECRET-8f3a";
const soon = { minDelay: 1, maxDelay: 2 };

/** Collects what a consumer reports. */
function collecting(): {
  readonly told: [unknown, ErrorContext][];
  readonly onError: RunOptions["onError"];
} {
  const told: [unknown, ErrorContext][] = [];
  return { told, onError: (error, context) => void told.push([error, context]) };
}

/** Collects what is printed while something is done. */
async function printing(work: () => Promise<void>): Promise<readonly string[]> {
  const { error, warn } = console;
  const lines: string[] = [];
  console.error = console.warn = (...what: unknown[]) => void lines.push(what.join(" "));
  try {
    await work();
  } finally {
    Object.assign(console, { error, warn });
  }
  return lines;
}

test("onError is told the consumer, the event, the attempt and when it is tried again", {
  timeout,
}, async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  await store.append("a", Noted(13));
  const [event] = await store.load("a");
  const { told, onError } = collecting();
  const failure = new Error("it is poison");
  const reader = new Subscription(store, {
    name: "reader",
    retry: { attempts: 3, ...soon },
    handler({ data }) {
      if (data === 13) throw failure;
    },
  });
  const before = Date.now();
  await running([reader], async () => {
    for (let number = 0; (await reader.status()).parked === 0; number++) {
      await reader.waitFor(await store.append("b", Noted(number)).then(({ position }) => position));
    }
  }, { onError });
  assert.deepEqual(told.map(([, { attempt }]) => attempt), told.map((_, index) => index + 1));
  for (const [index, [error, context]] of told.entries()) {
    const { retryAt, attempt: _, ...rest } = context;
    assert.equal(error, failure);
    assert.deepEqual(rest, { consumer: "reader", phase: "handle", event });
    if (index === told.length - 1) assert.equal(retryAt, undefined);
    else assert.ok(retryAt!.getTime() >= before && retryAt!.getTime() < Date.now() + 1000);
  }
});

test("onError is told what identifies an event that cannot be decoded", { timeout }, async () => {
  const driver = memory();
  const odd = row({ type: "Noted", codec: '{"/data":"date"}' });
  await insert(driver, "odd", odd);
  const { told, onError } = collecting();
  const store = new EventStore(driver, { events: [Noted] });
  const reader = new Subscription(store, { name: "reader", handler() {} });
  await running([reader], () => until(() => told.length > 0), { onError });
  const { id, type } = odd;
  const identity = { id, type, tenantId: "", streamId: "odd", version: 1, position: 1 };
  assert.deepEqual(told[0]![1].event, identity);
});

test(
  "a batch that fails is reported once, for the event that is its cause",
  { timeout },
  async () => {
    const store = new EventStore(memory(), { events: [Noted] });
    for (const number of [1, 13, 2]) await store.publish(`s:${number}`, Noted(number));
    const { told, onError } = collecting();
    const outbox = new Outbox(store, {
      retry: { minDelay: 60_000 },
      publishBatch(events) {
        if (events.some(({ data }) => data === 13)) throw new Error("refused");
      },
    });
    await running([outbox], () => outbox.waitFor(3), { onError });
    assert.deepEqual(told.map(([, { phase, event }]) => [phase, event?.streamId]), [[
      "handle",
      "s:13",
    ]]);
  },
);

test("what is not plain JSON survives a failed batch, for the handler and the report", {
  timeout,
}, async () => {
  const at = new Date();
  const Dated = defineEvent<{ at: Date; tags: Set<string> }>()("Dated");
  const store = new EventStore(memory(), { events: [Dated] });
  for (const name of ["a", "b"]) await store.publish(name, Dated({ at, tags: new Set(["x"]) }));
  const { told, onError } = collecting();
  const handed: unknown[] = [];
  const outbox = new Outbox(store, {
    retry: { minDelay: 60_000 },
    publishBatch(events) {
      if (events.some(({ streamId }) => streamId === "b")) throw new Error("refused");
      handed.push(...events.map(({ data }) => data));
    },
  });
  await running([outbox], () => outbox.waitFor(2), { onError });
  assert.deepEqual(handed, [{ at, tags: new Set(["x"]) }]);
  const [, event] = [...(await store.load("a")), ...(await store.load("b"))];
  assert.deepEqual(told.map(([, context]) => context.event), [event]);
});

test("onFailure: stop reports when the event is tried again", { timeout }, async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  await store.publish("a", Noted(1));
  const { told, onError } = collecting();
  const outbox = new Outbox(store, {
    onFailure: "stop",
    retry: { minDelay: 10_000, maxDelay: 10_000 },
    publisher: () => Promise.reject(new Error("refused")),
  });
  await running([outbox], () => until(() => told.length > 0), { onError });
  const left = told[0]![1].retryAt!.getTime() - Date.now();
  assert.ok(left > 1000 && left <= 10_000, `in ${left} ms`);
});

test("without onError a failure that repeats is one line, without stack or data", {
  timeout,
}, async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  for (const number of [1, 2, 3]) {
    await store.publish(`s:${number}`, Noted(number, { metadata: { secret } }));
  }
  let calls = 0;
  const name = `outbox ${crypto.randomUUID()}`;
  const outbox = new Outbox(store, {
    name,
    retry: soon,
    publisher() {
      if (calls++ < 30) throw new Error("Channel\n closed");
    },
  });
  const lines = await printing(() =>
    running([outbox], () => until(async () => (await outbox.parked()).length === 0 && calls > 30), {
      onError: undefined,
    })
  );
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    /^event-sourcery: consumer "outbox .*", event "Noted" at position 1 of stream "s:1", attempt 1, it is tried again at 2.*Z: Error: Channel closed$/,
  );
  assert.doesNotMatch(lines[0]!, new RegExp(secret));
});

test("a failure is printed again after a minute, with how often it was left out", {
  timeout,
}, async (context) => {
  const store = new EventStore(memory(), { events: [Noted] });
  await store.publish("a", Noted(1));
  const name = `outbox ${crypto.randomUUID()}`;
  let [calls, ahead] = [0, 0];
  const outbox = new Outbox(store, {
    name,
    retry: soon,
    publisher() {
      calls++;
      throw new Error("Channel closed");
    },
  });
  const now = performance.now.bind(performance);
  performance.now = () => now() + ahead;
  context.after(() => {
    performance.now = now;
  });
  const lines = await printing(() =>
    running([outbox], async () => {
      await until(() => calls > 5);
      ahead = 61_000;
      const before = calls;
      await until(() => calls > before + 2);
    }, { onError: undefined })
  );
  assert.equal(lines.length, 2);
  assert.match(
    lines[1]!,
    /: Error: Channel closed \(and [1-9]\d* more like this in the meantime\)$/,
  );
});

test("an outbox that has passed ten events of which none was published says so once", {
  timeout,
}, async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  for (let number = 1; number < 10; number++) await store.append("a", Noted(number));
  const { told, onError } = collecting();
  const outbox = new Outbox(store, { publisher() {} });
  await running([outbox], async () => {
    await outbox.waitFor(9);
    assert.deepEqual(told, []);
    await store.append("a", Noted(10));
    await until(() => told.length > 0);
    const { position } = await store.append("a", Array.from({ length: 50 }, () => Noted(0)));
    await outbox.waitFor(position);
  }, { onError });
  const [[error, context], ...more] = told as [[Error, ErrorContext]];
  assert.deepEqual(more, []);
  assert.match(error.message, /"publishes" of the EventStore.*"publish: true"/);
  assert.deepEqual(context, {
    ...{ consumer: "outbox", phase: "outbox" },
    ...{ event: undefined, attempt: undefined, retryAt: undefined },
  });
  assert.equal((await outbox.status()).published, false);
  const lines = await printing(() =>
    running([new Outbox(store, { name: "printing", publisher() {} })], async () => {
      await until(async () => (await outbox.status()).lag === 0);
      await new Outbox(store, { name: "printing", publisher() {} }).waitFor(60);
    }, { onError: undefined })
  );
  assert.match(lines.join(), /^event-sourcery: consumer "printing": it has passed 10 events/);
});

test("an outbox says nothing where anything was published, or its tenant has few events", {
  timeout,
}, async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  await store.publish("a", Noted(0));
  for (let number = 1; number < 30; number++) await store.append("a", Noted(number));
  const tenant = store.scope({ tenantId: "t" });
  for (let number = 1; number < 10; number++) await tenant.append("a", Noted(number));
  const { told, onError } = collecting();
  const first = new Outbox(store, { publisher() {} });
  await first.runOnce();
  const again = new Outbox(store, { publisher() {} }); // whose worker has handled nothing itself
  const small = new Outbox(tenant, { publisher() {} });
  await running([again, small], async () => {
    for (let number = 0; number < 100; number++) {
      const { position } = await store.append("a", Noted(number));
      await Promise.all([again.waitFor(position), small.waitFor(position)]);
    }
  }, { onError });
  assert.deepEqual(told, []);
});

test(
  "a worker that waits for the lease of one that vanished says so once",
  { timeout },
  async () => {
    const driver = memory();
    const store = new EventStore(driver, { events: [Noted] });
    const { position } = await store.append("a", Noted(1));
    const reader = new Subscription(store, { name: "reader", lease: 600, handler() {} });
    await driver.checkpoints!.register({ scope: "all", name: "reader", version: 1 }, {
      ...{ lanes: 1, filter: "{}", position: 0 },
    });
    await driver.checkpoints!.claim(
      { scope: "all", name: "reader", version: 1, lane: 0 },
      "vanished",
      2000,
    );
    const { told, onError } = collecting();
    await running([reader], async () => {
      await until(() => told.length > 0);
      const { owner, lanes: [lane] } = await reader.status();
      assert.deepEqual([owner, lane!.owner], ["vanished", "vanished"]);
      assert.deepEqual(lane!.leasedUntil, told[0]![1].retryAt);
      await reader.waitFor(position);
    }, { onError });
    const [[error, context], ...more] = told as [[Error, ErrorContext]];
    assert.deepEqual(more, []);
    assert.match(error.message, /^lane 0 is held by "vanished" until 2.*Z, waiting/);
    assert.deepEqual([context.phase, context.consumer], ["lease", "reader"]);
    assert.equal((await reader.status()).lanes[0]!.crashes, 0, "what has recovered");
  },
);
