// A database in this process answers without the event loop: its driver must let that go round.
import { defineEvent, type Driver, EventStore, Subscription } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { test } from "node:test";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";

const timeout = 60_000;
const Noted = defineEvent<number>()("Noted");

interface Opened {
  readonly driver: Driver;
  readonly close: () => Promise<void>;
}

const embedded: Record<string, () => Promise<Opened>> = {
  memory: () => Promise.resolve({ driver: memory(), close: () => Promise.resolve() }),
};
for (const { name, open } of [...libsqlHandles, ...postgresHandles]) {
  if (!["libSQL in memory", "libSQL file", "PGlite"].includes(name)) continue;
  embedded[name] = async () => {
    const { db, close } = await open();
    return { driver: ("batch" in db ? libsql(db) : postgres(db)) as Driver, close };
  };
}

async function letsTimersRun(ask: () => Promise<unknown>): Promise<boolean> {
  let run = false;
  const timer = setTimeout(() => run = true, 0);
  const start = performance.now();
  while (!run && performance.now() - start < 3000) await ask();
  clearTimeout(timer);
  return run;
}

for (const [name, open] of Object.entries(embedded)) {
  test(`${name}: timers run, however often anything is asked for`, { timeout }, async () => {
    const { driver, close } = await open();
    try {
      await driver.migrate();
      const store = new EventStore(driver, { events: [Noted] });
      await store.append("a", Noted(1));
      const key = { name: "a", scope: "", version: 1 };
      const all = { tenantId: "", categories: undefined, types: undefined, tags: undefined };
      const snapshot = {
        ...{ streamId: "a", tenantId: "", kind: "a", stateVersion: 1 },
        ...{ to: 1, at: undefined, limit: 1 },
      };
      const { checkpoints, schedule, snapshots, keys, inbox } = driver;
      const operations: Record<string, () => Promise<unknown>> = {
        append: () => store.append("a", Noted(1)),
        load: () => store.load("a"),
        scan: () => driver.scan({ ...all, after: 0, until: 1, limit: 1 }),
        settled: () => driver.settled(),
        streams: () =>
          driver.streams({ tenantId: "", category: undefined, after: undefined, limit: 1 }),
        transaction: () => driver.transaction((session) => session.settled()),
        "checkpoints.parked": () => checkpoints!.parked(key),
        "checkpoints.redrive": () => checkpoints!.redrive(key),
        "schedule.next": () => schedule!.next(""),
        "schedule.remove": () => schedule!.remove("", "a"),
        "snapshots.load": () => snapshots!.load(snapshot),
        "snapshots.drop": () => snapshots!.drop("", ["a"]),
        "keys.read": () => keys!.read("", ["a"]),
        "keys.forget": () => keys!.forget("", "a", "a", new Date(0).toISOString()),
        "inbox.mark": () => inbox!.mark({ tenantId: "", name: "a", messageId: "a" }),
      };
      // Memory lets a second pass, so that it is asked for one that reads and one that writes.
      const asked = Object.entries(operations).slice(0, name === "memory" ? 2 : undefined);
      for (const [operation, ask] of asked) {
        assert.ok(await letsTimersRun(ask), operation);
      }
    } finally {
      await close();
    }
  });
}

test("libSQL file: drain() lets its time run out, and timers run", { timeout }, async () => {
  const { driver, close } = await embedded["libSQL file"]!();
  try {
    await driver.migrate();
    const store = new EventStore(driver, { events: [Noted] });
    const count = 500;
    await store.append("a", Array.from({ length: count }, (_, index) => Noted(index)));
    let [ticks, seen] = [0, 0];
    // So many pages that they take longer than this on any machine.
    const make = (name: string) =>
      new Subscription(store, { name, batchSize: 1, handler: () => void seen++ });
    await make("short").drain({ maxDuration: 25 });
    assert.ok(seen < count, `${seen} handled`);
    const ticking = setInterval(() => ticks++, 1);
    await make("long").drain();
    clearInterval(ticking);
    assert.ok(ticks > 3, `${ticks} ticks`);
  } finally {
    await close();
  }
});
