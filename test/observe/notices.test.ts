// What an observer notices of consumers, and who is told besides.
import {
  ConnectionError,
  defineEvent,
  EventStore,
  type Notice,
  type Observer,
  Outbox,
  PermanentError,
  Projection,
  Subscription,
} from "event-sourcery";
import { logger } from "event-sourcery/inspect";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { replace } from "../support/relay.ts";
import { running } from "../support/running.ts";

const Noted = defineEvent<number>()("Noted");
const soon = { minDelay: 1, maxDelay: 2 };
const timeout = 30_000;

/** Records what is noticed. */
function noticing(): { readonly noticed: Notice[]; readonly observer: Observer } {
  const noticed: Notice[] = [];
  return { noticed, observer: { notice: (notice) => void noticed.push(notice) } };
}

/** Collects what is printed while something is done. */
async function printing(work: () => Promise<unknown>): Promise<readonly string[]> {
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

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
};

test("an observer notices retries, parked and skipped events of every consumer, also of runOnce", async () => {
  const { noticed, observer } = noticing();
  const store = new EventStore(memory(), { events: [Noted], observer });
  await store.append("a", Noted(1));
  await store.append("b", Noted(2));
  const fails = (name: string, onFailure: "park" | "skip", error: Error) =>
    new Subscription(store, {
      name,
      onFailure,
      retry: { attempts: 3, ...soon },
      handler({ data }) {
        if (data === 1) throw error;
      },
    });
  await fails("mails", "park", new Error("away")).runOnce();
  await fails("never", "park", new PermanentError("no such address")).runOnce();
  await fails("careless", "skip", new PermanentError("no such address")).runOnce();
  assert.deepEqual(
    noticed.map(({ name, consumer, event, attempt, retryAt }) => [
      ...[name, consumer, event?.streamId, attempt, retryAt instanceof Date],
    ]),
    [
      ["retry", "mails", "a", 1, true],
      ["parked", "never", "a", 1, false],
      ["skipped", "careless", "a", 1, false],
    ],
  );
  assert.equal(Reflect.get(Object(noticed[0]?.error), "message"), "away");
});

test("an observer notices an outage of what a handler needs, and its end", async () => {
  const { noticed, observer } = noticing();
  const store = new EventStore(memory(), { events: [Noted], observer });
  for (const id of ["a", "b", "c", "d"]) await store.append(id, Noted(1));
  let down = true;
  const outbox = new Subscription(store, {
    name: "mails",
    retry: { attempts: 9, ...soon },
    handler() {
      if (down) throw new Error("Channel closed");
    },
  });
  await outbox.runOnce();
  const outage = noticed.find(({ name }) => name === "outage");
  assert.equal(outage?.consumer, "mails");
  assert.match(String(outage.error), /Channel closed/);
  down = false;
  await outbox.redrive();
  await outbox.runOnce();
  assert.equal(noticed.at(-1)?.name, "recovered");
  assert.equal(noticed.filter(({ name }) => name === "outage").length, 1);
});

test("an observer notices that the database is away, and back", { timeout }, async () => {
  const { noticed, observer } = noticing();
  const whole = memory();
  let away = true;
  const driver = replace(whole, {
    async settled() {
      if (away) throw new ConnectionError();
      return await whole.settled();
    },
  });
  const store = new EventStore(driver, { events: [Noted], observer });
  const reader = new Subscription(store, { name: "reader", retry: soon, handler() {} });
  await running([reader], async () => {
    await until(() => noticed.some(({ name }) => name === "outage"));
    away = false;
    await until(() => noticed.some(({ name }) => name === "recovered"));
  });
  assert.equal(noticed[0]?.name, "outage");
  assert.equal(Reflect.get(Object(noticed[0].error), "code"), "CONNECTION");
});

test("an observer notices a lost lease, and a consumer that cannot run", { timeout }, async () => {
  const { noticed, observer } = noticing();
  const driver = memory();
  const store = new EventStore(driver, { events: [Noted], observer, publishes: true });
  await store.append("a", Noted(1));
  const losing = new Outbox(store, {
    lease: 100,
    async publisher(_event, { signal }) {
      await driver.checkpoints!.rewind({ scope: "all", name: "outbox", version: 1 }, 0);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    },
  });
  await losing.runOnce();
  assert.deepEqual(noticed.map(({ name, consumer }) => [name, consumer]), [[
    "lease-lost",
    "outbox",
  ]]);
  noticed.length = 0;
  const wider = new Outbox(store, { lanes: 2, publisher() {} });
  await assert.rejects(wider.run(), { code: "LANES_MISMATCH" });
  assert.deepEqual(noticed.map(({ name, consumer }) => [name, consumer]), [
    ["misconfigured", "outbox"],
  ]);
});

test(
  "run() prints only where neither onError nor an observer's notice listens",
  { timeout },
  async () => {
    const told = async (observer: Observer | undefined, onError?: () => void) =>
      await printing(async () => {
        const store = new EventStore(memory(), { events: [Noted], observer });
        await store.append("a", Noted(1));
        const stop = new AbortController();
        const handler = () => {
          stop.abort();
          throw new Error("no printer");
        };
        const reader = new Projection(store, {
          name: crypto.randomUUID(),
          handlers: { Noted: handler },
        });
        await reader.run({ signal: stop.signal, ...(onError && { onError }) });
      });
    const { noticed, observer } = noticing();
    const heard: string[] = [];
    const onError = () => void heard.push("onError");
    assert.equal((await told(undefined)).length, 1);
    assert.equal((await told({ metadata: () => undefined })).length, 1);
    assert.equal((await told(undefined, onError)).length, 0);
    assert.equal((await told(observer)).length, 0);
    assert.equal((await told(observer, onError)).length, 0);
    assert.deepEqual([noticed.length, heard.length], [2, 2]);
  },
);

test("an observer whose notice throws is reported once, and the consumer runs on", async () => {
  const observer: Observer = {
    notice() {
      throw new Error("fault");
    },
  };
  const store = new EventStore(memory(), { events: [Noted], observer });
  await store.append("a", [Noted(1), Noted(2)]);
  const reader = new Subscription(store, {
    name: "reader",
    onFailure: "skip",
    handler: () => Promise.reject(new PermanentError("never")),
  });
  const lines = await printing(async () => {
    assert.equal((await reader.runOnce()).failed, 2);
  });
  assert.equal(lines.length, 1);
});

test("logger() writes an observer's notices, each at its level", async () => {
  const lines: [level: string, fields: object, message: string][] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push([level, fields, message]);
  const notice = logger({ error: write("error"), warn: write("warn"), info: write("info") });
  const store = new EventStore(memory(), { events: [Noted], observer: { notice } });
  const { events: [event] } = await store.append("order:1", Noted(1));
  const reader = new Subscription(store, {
    name: "reader",
    handler: () => Promise.reject(new PermanentError("no such address")),
  });
  await reader.runOnce();
  notice({ name: "recovered", consumer: "reader" });
  notice({ name: "lease-lost", consumer: "reader", error: new Error("taken over") });
  assert.deepEqual(lines.map(([level, , message]) => [level, message]), [
    [
      "error",
      'consumer "reader" failed at Noted of order:1, attempt 1, parked: Cannot handle the event, now or later: no such address',
    ],
    ["info", 'consumer "reader": recovered'],
    ["warn", 'consumer "reader": lease lost: Error: taken over'],
  ]);
  const { err, ...fields } = lines[0]![1] as { readonly err: unknown };
  assert.ok(err instanceof PermanentError);
  assert.deepEqual(fields, {
    ...{ notice: "parked", consumer: "reader", type: "Noted", streamId: "order:1" },
    ...{ eventId: event.id, position: 1, attempt: 1, code: "PERMANENT" },
  });
});
