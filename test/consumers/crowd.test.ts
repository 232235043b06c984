// Many workers of one consumer, and many consumers of one store.
import { type Driver, EventStore, Subscription } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/journal.ts";
import { judge } from "../support/oracle.ts";
import { consumer, Noted, replace } from "../support/relay.ts";
import { running } from "../support/running.ts";
import { write } from "../support/scribe.ts";
import { Chance, seed } from "../support/seed.ts";
import { all } from "../support/shop.ts";
import { caughtUp, engines, options, stage } from "../support/stage.ts";

const workers = 50;

for (const engine of engines) {
  const title = `${workers} workers that start at the same time on ${engine} share the work`;
  test(`${title} (SEED=${seed})`, { timeout: 120_000 }, async () => {
    await using shared = await stage(engine);
    const { journal, store } = shared;
    const chance = new Chance();
    await write(shared, journal, chance, 10);
    // Nobody may lose a lease here, however slow the machine.
    const given = { options: { ...options, lanes: 8, lease: 60_000 }, connections: 1 };
    const crowd = Array.from(
      { length: workers },
      (_, index) => consumer(shared.errand(`worker ${index}`, given)),
    );
    await running(crowd.map(({ consumer }) => consumer), async () => {
      await write(shared, journal, chance, 10);
      await caughtUp(crowd[0]!.consumer);
    }, { pollInterval: 200 });
    await Promise.all(crowd.map(({ close }) => close()));
    judge(journal.entries(), await all(store.readAll()));
  });
}

for (const engine of ["memory", ...engines] as const) {
  const names = engine === "memory" ? 1000 : 400; // a database takes them one after the other
  const title = `${names} consumers of one store on ${engine}`;
  test(`${title} each get everything once, and idle together`, { timeout: 120_000 }, async () => {
    // Nor may anybody give up: all write their checkpoints one after the other.
    await using opened = engine === "memory" ? inMemory() : await stage(engine, 60_000);
    const { driver } = opened;
    let asked = 0;
    const settled = () => {
      asked++;
      return driver.settled();
    };
    const store = new EventStore(replace(driver, { settled }), { events: [Noted] });
    const seen = new Map<string, number[]>();
    const consumers = Array.from({ length: names }, (_, index) => {
      const name = `consumer ${index}`;
      const handler = ({ data }: { readonly data: number }) =>
        void seen.set(name, [...seen.get(name) ?? [], data]);
      // Nobody may lose a lease here, however slow the machine.
      return new Subscription(store, { name, lease: 60_000, handler });
    });
    await running(consumers, async () => {
      for (const number of [1, 2]) {
        const { position } = await store.append("a", Noted(number));
        // One after the other: a thousand that wait would ask the database more often than those that work.
        for (const consumer of consumers) await consumer.waitFor(position);
      }
      // Until the last has gone to sleep, each may still look after the last ring.
      let before = asked;
      await until(async () => {
        before = asked;
        await new Promise((resolve) => setTimeout(resolve, 200));
        return asked - before < names / 10;
      }, () => `few questions, not ${asked - before}`);
    }, { pollInterval: 100 });
    for (const { name } of consumers) assert.deepEqual(seen.get(name), [1, 2], name);
  });
}

function inMemory(): { readonly driver: Driver } & AsyncDisposable {
  return { driver: memory(), async [Symbol.asyncDispose]() {} };
}
