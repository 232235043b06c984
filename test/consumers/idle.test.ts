// A run that has nothing to do asks less and less, and comes back at once when something wakes it.
import {
  type Consumer,
  defineEvent,
  type Driver,
  EventStore,
  runAll,
  Scheduler,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import fakeTimers, { type Clock } from "@sinonjs/fake-timers";
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/journal.ts";

const Noted = defineEvent<number>()("Noted");
const timeout = 60_000;
const hour = 3_600_000;

/** A driver whose notifier is heard, and how many requests it was sent. */
function counting(live: boolean = true): { readonly driver: Driver; readonly count: () => number } {
  let count = 0;
  const asked = ["settled", "poll", "scan", "append", "transaction", "load"];
  const driver = memory();
  const counted = <T extends object>(target: T, names?: readonly string[]): T =>
    new Proxy(target, {
      get(object, key) {
        if (key === "notifier") return { live, notify() {}, listen: () => () => {} };
        const value: unknown = Reflect.get(object, key, object);
        if (key === "checkpoints" || key === "schedule") return counted(value as object);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (names === undefined || names.includes(String(key))) count++;
          return value.apply(object, args);
        };
      },
    });
  return { driver: counted(driver as Driver, asked), count: () => count };
}

/** Has a clock of its own while something is done. */
async function withClock(work: (clock: Clock) => Promise<void>): Promise<void> {
  const clock = fakeTimers.install({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  });
  try {
    await work(clock as Clock);
  } finally {
    clock.uninstall();
  }
}

/** Runs consumers, and stops them with the clock going on. */
async function whileRunning(
  clock: Clock,
  runs: readonly { run(options: object): Promise<void> }[],
  options: object,
  work: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const running = Promise.all(runs.map((one) => one.run({ ...options, signal: stop.signal })));
  running.catch(() => {});
  await clock.tickAsync(100);
  await work();
  stop.abort();
  await clock.tickAsync(100);
  await running;
}

test(
  "an idle hour of a hundred consumers costs at most seventy requests",
  { timeout },
  async () => {
    await withClock(async (clock) => {
      const { driver, count } = counting();
      const store = new EventStore(driver, { events: [Noted] });
      await store.append("a", Noted(1));
      const consumers = Array.from(
        { length: 100 },
        (_, index) => new Subscription(store, { name: `reader ${index}`, handler() {} }),
      );
      await whileRunning(clock, consumers, {}, async () => {
        await clock.tickAsync(120_000); // the pauses grow
        const before = count();
        await clock.tickAsync(hour);
        const asked = count() - before;
        assert.ok(asked >= 50 && asked <= 70, `${asked} requests`);
      });
    });
  },
);

test("without a live notifier a consumer looks every second, whatever it was told otherwise", {
  timeout,
}, async () => {
  await withClock(async (clock) => {
    for (
      const [options, least, most] of [[{}, 55, 65], [{ pollInterval: 10_000 }, 5, 14]] as const
    ) {
      const { driver, count } = counting(false);
      const store = new EventStore(driver, { events: [Noted] });
      const reader = new Subscription(store, { name: "reader", handler() {} });
      await whileRunning(clock, [reader], options, async () => {
        const before = count();
        await clock.tickAsync(60_000);
        const asked = count() - before;
        assert.ok(asked >= least && asked <= most, `${asked} requests`);
      });
    }
  });
});

test("with pollInterval: Infinity an idle hour costs nothing, and everything wakes it", {
  timeout,
}, async () => {
  await withClock(async (clock) => {
    const { driver, count } = counting();
    const store = new EventStore(driver, { events: [Noted] });
    const other = new EventStore(driver, { events: [Noted] });
    const seen: number[] = [];
    let failing = false;
    const reader = new Subscription(store, {
      name: "reader",
      retry: { minDelay: 600_000, maxDelay: 600_000 }, // half of it random
      handler: ({ data }) => {
        if (failing) throw new Error("not yet");
        seen.push(data);
      },
    });
    const scheduler = new Scheduler(store);
    const options = { pollInterval: Infinity, onError() {} };
    await whileRunning(clock, [reader, scheduler], options, async () => {
      const before = count();
      await clock.tickAsync(hour);
      assert.equal(count() - before, 0);
      await other.append("a", Noted(1));
      await clock.tickAsync(10);
      assert.deepEqual(seen, [1]);
      await store.schedule("b", Noted(2), { at: new Date(Date.now() + 1_200_000) });
      await clock.tickAsync(1_199_000);
      assert.deepEqual(seen, [1]);
      await clock.tickAsync(2000);
      assert.deepEqual(seen, [1, 2]);
      failing = true;
      await store.append("c", Noted(3));
      await clock.tickAsync(1000);
      failing = false;
      await clock.tickAsync(290_000);
      assert.deepEqual(seen, [1, 2]);
      await clock.tickAsync(320_000);
      assert.deepEqual(seen, [1, 2, 3]);
    });
  });
});

test("wake() has a run look at once for what nobody has told it of", { timeout }, async () => {
  await withClock(async (clock) => {
    const log = memory();
    const quiet = new Proxy(log, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const seen: number[] = [];
    const reader = new Subscription(new EventStore(log, { events: [Noted] }), {
      name: "reader",
      handler: ({ data }) => void seen.push(data),
    });
    await whileRunning(clock, [reader], { pollInterval: Infinity }, async () => {
      await new EventStore(quiet, { events: [Noted] }).append("a", Noted(1)); // of another process
      await clock.tickAsync(hour);
      assert.deepEqual(seen, []);
      reader.wake();
      await clock.tickAsync(10);
      assert.deepEqual(seen, [1]);
    });
  });
});

test("a wrong pollInterval or maxDuration is refused", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  const reader = new Subscription(store, { name: "reader", handler() {} });
  for (const wrong of [0, -1, NaN, 1.5, "1"]) {
    const options = { pollInterval: wrong as number };
    await assert.rejects(reader.run(options), /pollInterval must be/);
    await assert.rejects(new Scheduler(store).run(options), /pollInterval must be/);
    for (const once of [reader.runOnce.bind(reader), reader.drain.bind(reader)]) {
      await assert.rejects(once({ maxDuration: wrong as number }), /maxDuration must be/);
    }
  }
});

test("runOnce() and drain() begin nothing after maxDuration, and lose nothing", {
  timeout,
}, async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  await store.append("a", Array.from({ length: 40 }, (_, index) => Noted(index)));
  const seen: number[] = [];
  const reader = new Subscription(store, {
    name: "reader",
    handler: async ({ data }) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(data);
    },
  });
  const { handled } = await reader.runOnce({ maxDuration: 30 });
  assert.ok(handled > 0 && handled < 40, `${handled} handled`);
  const more = await reader.drain({ maxDuration: 30 });
  assert.ok(handled + more.handled < 40);
  const stop = AbortSignal.abort();
  assert.equal((await reader.runOnce({ maxDuration: 1000, signal: stop })).handled, 0);
  await reader.drain({ maxDuration: 60_000 });
  assert.deepEqual(seen, Array.from({ length: 40 }, (_, index) => index));
});

test("runAll() runs all until the signal, and stops all where one cannot run", {
  timeout,
}, async () => {
  const driver = memory();
  const store = new EventStore(driver, { events: [Noted] });
  const make = (name: string, lanes: number = 1) =>
    new Subscription(store, { name, lanes, handler: () => void handled.push(name) });
  const handled: string[] = [];
  const all: readonly Consumer[] = [make("one"), make("two")];
  const stop = new AbortController();
  const running = runAll([...all, new Scheduler(store)], { signal: stop.signal });
  await store.append("a", Noted(1));
  await until(() => handled.length === 2);
  stop.abort();
  await running;
  const wrong = make("two", 4);
  await assert.rejects(runAll([make("one"), wrong]), { code: "LANES_MISMATCH" });
  await runAll([make("one")], { signal: AbortSignal.abort() });
  await assert.rejects(runAll(make("one") as never), TypeError);
  await assert.rejects(runAll([{} as never]), TypeError);
});

test("a scheduler that has slept for long delivers at once, and looks more often again", {
  timeout,
}, async () => {
  await withClock(async (clock) => {
    const { driver, count } = counting();
    const store = new EventStore(driver, { events: [Noted] });
    await whileRunning(clock, [new Scheduler(store)], {}, async () => {
      await clock.tickAsync(hour);
      await store.schedule("a", Noted(1), { at: new Date() });
      await clock.tickAsync(100);
      assert.equal(await store.version("a"), 1);
      const before = count();
      await clock.tickAsync(20_000);
      assert.ok(count() - before >= 3, `${count() - before} requests`);
    });
  });
});
