// A scheduler sleeps until something is due, wakes up when something is scheduled, and outlives what fails.
import { ConnectionError, defineEvent, EventStore, Scheduler } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";

const Due = defineEvent("Due");

function open() {
  const driver = memory();
  let looks = 0;
  const schedule = driver.schedule!;
  const counting = Object.assign(driver, {
    schedule: new Proxy(schedule, {
      get(target, member) {
        if (member === "next") looks++;
        const value: unknown = Reflect.get(target, member, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
  });
  const store = new EventStore(counting, { events: [Due] });
  return { driver: counting, store, looks: () => looks };
}

async function arrives(store: { version(streamId: string): Promise<number> }): Promise<number> {
  while (await store.version("a") === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  return Date.now();
}

test("Scheduler.run() sleeps until the next event is due", async () => {
  const { store, looks } = open();
  const at = new Date(Date.now() + 150);
  await store.schedule("a", Due(), { at });
  await using scheduler = new Scheduler(store);
  const running = scheduler.run({ pollInterval: 60_000 });
  const delay = await arrives(store) - at.getTime();
  assert.ok(delay >= 0 && delay < 2000, `${delay} ms late`);
  assert.ok(looks() < 10, `it has looked ${looks()} times`);
  await scheduler[Symbol.asyncDispose]();
  await running;
});

test("Scheduler.run() wakes up when an event is scheduled, earlier than what it waits for", async () => {
  const { store } = open();
  await store.schedule("b", Due(), { at: new Date(Date.now() + 3_600_000) });
  const stop = new AbortController();
  const running = new Scheduler(store).run({ signal: stop.signal, pollInterval: 60_000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await store.schedule("a", Due(), { at: new Date() });
  await arrives(store);
  stop.abort();
  await running;
});

test("Scheduler.run() looks at most 20 times a second, however much happens", async () => {
  const { store, looks } = open();
  const stop = new AbortController();
  const running = new Scheduler(store).run({ signal: stop.signal });
  const end = performance.now() + 200;
  while (performance.now() < end) {
    await store.append("b", Due());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  stop.abort();
  await running;
  assert.ok(looks() <= 6, `it has looked ${looks()} times`);
});

test("Scheduler.run() reports what fails and goes on, and ends where no retry helps", async () => {
  const { driver, store } = open();
  let failures = 2;
  const take = driver.transaction.bind(driver);
  driver.transaction = async (work) => {
    if (failures-- > 0) throw new ConnectionError();
    return await take(work);
  };
  await store.schedule("a", Due(), { at: new Date() });
  const stop = new AbortController();
  const attempts: number[] = [];
  const running = new Scheduler(store, { retry: { minDelay: 1, maxDelay: 2 } }).run({
    signal: stop.signal,
    onError(_, { attempt }) {
      attempts.push(attempt);
      throw new Error("a reporter that throws ends nothing");
    },
  });
  const { error } = console;
  console.error = () => {};
  try {
    await arrives(store);
  } finally {
    console.error = error;
  }
  stop.abort();
  await running;
  assert.deepEqual(attempts, [1, 2]);
  await assert.rejects(new Scheduler(store).run({ pollInterval: 0 }), RangeError);
});
