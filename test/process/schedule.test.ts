// What is scheduled is delivered exactly once when it is due, in order, or taken back for sure.
import {
  defineEvent,
  type Driver,
  type EventOf,
  EventStore,
  isEventSourceryError,
  Scheduler,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { subjectKeys } from "event-sourcery/privacy";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { gate } from "../support/gate.ts";
import { places } from "../support/places.ts";
import { Chance, seed } from "../support/seed.ts";

const timeout = 60_000;
const hour = 3_600_000;
const Due = defineEvent<{ number: number }>()("Due");
const Other = defineEvent<{ when: Date; map: Map<string, bigint> } | undefined>()("Other");
const events = [Due, Other] as const;
type AnyEvent = EventOf<typeof Due | typeof Other>;
const past = (ago = 1000) => new Date(Date.now() - ago);
const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
const code =
  (wanted: "UNSUPPORTED" | "DUPLICATE_EVENT" | "NEWER_EVENT" | "UNKNOWN_EVENT_TYPE") =>
  (error: unknown) => isEventSourceryError(error, wanted);

for (const [name, open] of Object.entries(places)) {
  test(
    `${name}: whatever crashes, races or cancels, each is delivered once or cancelled, in order (SEED=${seed})`,
    {
      timeout,
    },
    async () => {
      const { driver, another, close } = await open();
      after(close);
      const chance = new Chance(seed);
      // Some batches crash at the end, some events in a handler.
      const crashing = (driver: Driver<unknown>) =>
        new EventStore(driver, {
          events,
          subscriptions: {
            Due: [() => {
              if (chance.below(12) === 0) throw new RangeError("crash");
            }],
          },
        });
      const stores = [crashing(driver), crashing(another)] as const;
      const [store] = stores;
      const total = name === "libSQL" ? 80 : 200;
      const times = Array.from(
        { length: total },
        (_, number) => past(10_000 + chance.below(1000) - number),
      );
      for (const [number, at] of times.entries()) {
        await store.schedule(`s${number % 7}`, Due({ number }, { id: `n${number}` }), { at });
      }
      const cancelled = new Set<number>();
      const retry = { minDelay: 0, maxDelay: 0, attempts: 1000 };
      const deliver = async (index: number) => {
        const scheduler = new Scheduler(stores[index % 2]!, { batchSize: 3 + index, retry });
        for (let { waiting } = await scheduler.status(); waiting > 0;) {
          await scheduler.runOnce();
          ({ waiting } = await scheduler.status());
        }
      };
      const cancel = async () => {
        for (let count = 0; count < total / 4; count++) {
          const number = chance.below(total);
          if (await store.unschedule(`n${number}`)) {
            cancelled.add(number);
          }
        }
      };
      const disturb = async () => {
        for (let count = 0; count < 20; count++) await stores[1].append(`s${count % 7}`, Other());
      };
      await Promise.all([deliver(0), deliver(1), deliver(2), cancel(), disturb()]);
      const delivered: number[] = [];
      for await (const event of store.readAll({ types: ["Due"] })) {
        if (event.type === "Due") delivered.push(event.data.number);
      }
      assert.equal(delivered.length + cancelled.size, total);
      assert.equal(new Set([...delivered, ...cancelled]).size, total, "none twice, none both");
      for (let stream = 0; stream < 7; stream++) {
        const own = delivered.filter((number) => number % 7 === stream);
        const byTime = own.toSorted((a, b) => Number(times[a]) - Number(times[b]) || a - b);
        assert.deepEqual(own, byTime, "in order");
      }
    },
  );

  test(`${name}: an event is stored as it was scheduled, with the time that it was due`, {
    timeout,
  }, async () => {
    const { driver, begin, close } = await open();
    after(close);
    const handled: unknown[] = [];
    const now = new Date(Date.UTC(2030, 0, 1));
    const store = new EventStore(driver, {
      events,
      clock: () => now,
      subscriptions: {
        Due: [async (event, { store }) => {
          await store.schedule("follow", Other(), { at: past() });
          handled.push(event.data.number);
        }],
      },
    });
    const at = past();
    const data = { when: new Date(0), map: new Map([["a", 1n]]) };
    const meta = { metadata: { who: "me", correlationId: "flow" }, tags: ["t"] };
    const scope = store.scope({ tenantId: "acme", metadata: { by: "scope" } });
    const scheduled = await scope.schedule("a:1", Other(data, { id: "x", ...meta }), { at });
    assert.deepEqual(scheduled, { id: "x", streamId: "a:1", at });
    await store.schedule("b", Due({ number: 1 }), { at: past(), publish: true });
    await store.schedule("b", Due({ number: 2 }), { at: new Date(Date.now() + hour) });
    await assert.rejects(
      store.transaction(async ({ store }) => {
        await store.schedule("b", Due({ number: 3 }), { at });
        throw new RangeError("refused");
      }),
      RangeError,
    );
    if (name !== "memory") {
      const joined = begin(async (db) => {
        await store.using(db).schedule("b", Due({ number: 4 }), { at });
        throw new RangeError("refused");
      });
      await assert.rejects(joined, RangeError);
    }
    const scheduler = new Scheduler(store);
    assert.deepEqual(await scheduler.drain(), { delivered: 3, failed: 0 });
    const [event] = await scope.load("a:1");
    const { createdAt, metadata, tags, tenantId, id } = event!;
    assert.deepEqual({ id, data: event!.data, createdAt, tenantId, tags }, {
      ...{ id: "x", data, createdAt: now, tenantId: "acme", tags: ["t"] },
    });
    assert.deepEqual(metadata, { ...meta.metadata, by: "scope", dueAt: at });
    assert.deepEqual(handled, [1]);
    const [cause] = await store.load("b");
    const [effect] = await store.load("follow");
    assert.equal(effect!.metadata.causationId, cause!.id);
    assert.equal(effect!.metadata.correlationId, cause!.id);
    const published = await driver.scan({
      ...{ after: 0, until: 100, limit: 10, tenantId: undefined, categories: undefined },
      ...{ types: undefined, tags: undefined, published: true },
    });
    assert.deepEqual(published.events.map(({ id }) => id), [cause!.id]);
    assert.deepEqual(await scheduler.status().then(({ waiting, failed }) => [waiting, failed]), [
      ...[1, 0],
    ]);
    await store.delete("b");
    assert.equal((await scheduler.status()).waiting, 0);
  });

  test(`${name}: one that cannot be delivered fails alone, and holds up its stream`, {
    timeout,
  }, async () => {
    const { driver, close } = await open();
    after(close);
    let broken = true;
    const store = new EventStore(driver, {
      events,
      subscriptions: {
        Due: [({ data }) => {
          if (data.number === 1 && broken) throw new RangeError("no such account");
        }],
      },
    });
    const at = past();
    await store.append("elsewhere", Other(undefined, { id: "taken" }));
    await store.schedule("a", Due({ number: 1 }, { id: "one" }), { at: past(2000) });
    await store.schedule("a", Due({ number: 2 }), { at });
    await store.schedule("b", Due({ number: 3 }), { at });
    await store.schedule("c", Other(undefined, { id: "taken" }), { at });
    await store.schedule("elsewhere", Other(undefined, { id: "other" }), { at });
    const scheduler = new Scheduler(store, {
      retry: { attempts: 2, minDelay: 400, maxDelay: 400 },
    });
    assert.deepEqual(await scheduler.runOnce(), { delivered: 2, failed: 2 });
    assert.deepEqual(await scheduler.failed(), []);
    await pause(420);
    assert.deepEqual(await scheduler.runOnce(), { delivered: 0, failed: 2 });
    assert.deepEqual(await scheduler.runOnce(), { delivered: 0, failed: 0 });
    assert.equal(await store.version("a"), 0);
    const failed = await scheduler.failed();
    assert.deepEqual(
      failed.map(({ id, attempts, streamId, type }) => [id, attempts, streamId, type]).sort(),
      [["one", 2, "a", "Due"], ["taken", 2, "c", "Other"]],
    );
    assert.match(failed.find(({ id }) => id === "one")!.error, /RangeError/);
    broken = false;
    assert.deepEqual(
      [await scheduler.discard("taken"), await scheduler.retry("one")],
      [true, true],
    );
    assert.deepEqual([await scheduler.discard("two"), await scheduler.retry("one")], [
      ...[false, false],
    ]);
    assert.deepEqual(await scheduler.drain(), { delivered: 2, failed: 0 });
    const numbers = (await store.load("a")).map(({ data }) => (data as { number: number }).number);
    assert.deepEqual(numbers, [1, 2]);
    assert.equal(await store.version("c"), 0);
  });

  test(`${name}: scheduled twice it is delivered once, after its delivery, too`, {
    timeout,
  }, async () => {
    const { driver, another, close } = await open();
    after(close);
    const [store, other] = [driver, another].map((one) => new EventStore(one, { events }));
    const at = past();
    const timeoutOf = () => Due({ number: 1 }, { id: "order-42-timeout" });
    const twice = await Promise.all([
      store!.schedule("a", timeoutOf(), { at }),
      other!.schedule("a", timeoutOf(), { at }),
    ]);
    assert.deepEqual(twice[0], twice[1]);
    const later = await store!.schedule("a", timeoutOf(), { at: new Date(Date.now() + hour) });
    assert.deepEqual(later.at, at);
    await assert.rejects(store!.schedule("b", timeoutOf(), { at }), code("DUPLICATE_EVENT"));
    const scheduler = new Scheduler(store!);
    assert.deepEqual(await scheduler.runOnce(), { delivered: 1, failed: 0 });
    await store!.schedule("a", timeoutOf(), { at });
    assert.deepEqual(await scheduler.runOnce(), { delivered: 1, failed: 0 });
    assert.equal(await store!.version("a"), 1);
    assert.equal((await scheduler.status()).waiting, 0);
  });

  test(`${name}: a scheduler of a tenant delivers its events, and ids name their tenant`, {
    timeout,
  }, async () => {
    const { driver, close } = await open();
    after(close);
    const store = new EventStore(driver, {
      events,
      subscriptions: {
        Due: [() => {
          throw new RangeError("never");
        }],
      },
    });
    const [a, b] = ["a", "b"].map((tenantId) => store.scope({ tenantId }));
    for (const scope of [a!, b!]) {
      await scope.schedule("s", Other(undefined, { id: "other" }), { at: past(2000) });
      await scope.schedule("s", Due({ number: 1 }, { id: "due" }), { at: past() });
    }
    const retry = { attempts: 1 };
    assert.deepEqual(await new Scheduler(a!, { retry }).runOnce(), { delivered: 1, failed: 1 });
    assert.deepEqual([await a!.version("s"), await b!.version("s")], [1, 0]);
    const all = new Scheduler(store, { retry });
    assert.deepEqual(await all.runOnce(), { delivered: 1, failed: 1 });
    await assert.rejects(all.discard("due"), /must name its tenant/);
    assert.equal(await all.discard({ tenantId: "a", id: "due" }), true);
    assert.deepEqual((await all.failed()).map(({ tenantId }) => tenantId), ["b"]);
    assert.equal(await new Scheduler(b!).discard("due"), true);
    assert.equal(await a!.unschedule("due"), false);
  });

  test(`${name}: an event of a newer release is left to a worker of that`, {
    timeout,
  }, async () => {
    const { driver, close } = await open();
    after(close);
    const store = new EventStore(driver, { events });
    const older = new EventStore(driver, { events: [Other] });
    await store.schedule("a", Due({ number: 1 }), { at: past(2000) });
    await store.schedule("b", Other(), { at: past() });
    await assert.rejects(new Scheduler(older).runOnce(), code("UNKNOWN_EVENT_TYPE"));
    assert.equal(await store.version("b"), 1, "the others do not wait");
    assert.deepEqual(await new Scheduler(store).runOnce(), { delivered: 1, failed: 0 });
    assert.deepEqual((await new Scheduler(store).failed()).length, 0);
  });

  if (name === "memory") continue; // it has no other clock, and nobody to be frozen beside

  test(`${name}: what is due is due by the database's clock`, { timeout }, async () => {
    const { driver, close } = await open();
    after(close);
    const store = new EventStore(driver, { events });
    const at = new Date(Date.now() + hour / 2);
    await store.schedule("a", Due({ number: 1 }), { at });
    const { now } = Date;
    Date.now = () => now() + hour;
    try {
      assert.deepEqual(await new Scheduler(store).runOnce(), { delivered: 0, failed: 0 });
      const next = await driver.schedule!.next(undefined);
      assert.ok(Math.abs(next! - hour / 2) < 60_000);
    } finally {
      Date.now = now;
    }
  });
}

test("Postgres: a frozen worker holds only what it has taken, and the streams of that", {
  timeout,
}, async () => {
  const { driver, another, close } = await places["Postgres"]!();
  after(close);
  const [store, other] = [driver, another].map((one) => new EventStore(one, { events }));
  await store!.schedule("a", Due({ number: 1 }), { at: past(3000) });
  await store!.schedule("a", Due({ number: 2 }), { at: past(2000) });
  await store!.schedule("b", Due({ number: 3 }), { at: past() });
  const killed = gate();
  const frozen = driver.transaction(async (session) => {
    await session.schedule!.take({ tenantId: undefined, id: undefined, limit: 1 });
    await killed.passed;
    throw new RangeError("killed");
  });
  frozen.catch(() => {});
  while ((await new Scheduler(other!).runOnce()).delivered === 0) await pause(5);
  assert.deepEqual([await other!.version("a"), await other!.version("b")], [0, 1]);
  killed.open();
  await assert.rejects(frozen, RangeError);
  assert.deepEqual(await new Scheduler(other!).runOnce(), { delivered: 2, failed: 0 });
  const numbers = (await store!.load("a")).map(({ data }) => (data as { number: number }).number);
  assert.deepEqual(numbers, [1, 2]);
});

test("what is sensitive waits sealed, is open to handlers, and is masked once its subject is forgotten", async () => {
  const Mailed = defineEvent<{ user: string; email: string }>()("Mailed", {
    sensitive: { subject: ({ user }) => user, fields: { email: "[gone]" } },
  });
  const driver = memory();
  const seen: string[] = [];
  const store = new EventStore(driver, {
    events: [Mailed],
    keys: subjectKeys(),
    subscriptions: { Mailed: [({ data }) => seen.push(data.email)] },
  });
  for (const user of ["ada", "bob"]) {
    await store.schedule(user, Mailed({ user, email: `${user}@b.c` }), { at: past() });
  }
  await store.forget("bob");
  const waiting = await driver.transaction(async (session) => {
    const taken = await session.schedule!.take({ tenantId: "", id: undefined, limit: 10 });
    for (const event of taken) await session.schedule!.add(event);
    return taken;
  });
  assert.doesNotMatch(JSON.stringify(waiting), /@b\.c/);
  assert.deepEqual(await new Scheduler(store).runOnce(), { delivered: 2, failed: 0 });
  assert.deepEqual(seen.toSorted(), ["[gone]", "ada@b.c"]);
  assert.deepEqual((await store.load("ada"))[0]!.data, { user: "ada", email: "ada@b.c" });
  assert.deepEqual((await store.load("bob"))[0]!.data, { user: "bob", email: "[gone]" });
});

test("schedule() and Scheduler refuse what is malformed, and drivers that cannot", async () => {
  const store = new EventStore(memory(), { events });
  const at = new Date();
  const due = Due({ number: 1 });
  await assert.rejects(store.schedule("", due, { at }), RangeError);
  await assert.rejects(store.schedule("a", [due] as unknown as AnyEvent, { at }), TypeError);
  for (const wrong of [{}, { at: 5 }, { at, publish: 1 }, undefined]) {
    await assert.rejects(store.schedule("a", due, wrong as { at: Date }), TypeError);
  }
  await assert.rejects(store.schedule("a", due, { at: new Date(NaN) }), RangeError);
  await assert.rejects(store.unschedule(""), RangeError);
  assert.throws(() => new Scheduler(store, { batchSize: 0 }), RangeError);
  assert.throws(() => new Scheduler({} as typeof store), TypeError);
  await store.transaction(({ store }) => {
    assert.throws(() => new Scheduler(store), /outside of transactions/);
  });
  for (const lacking of [{ schedule: undefined }, { capabilities: { transactions: false } }]) {
    const poor = new EventStore(Object.assign(memory(), lacking), { events });
    await assert.rejects(poor.schedule("a", due, { at }), code("UNSUPPORTED"));
    assert.throws(() => new Scheduler(poor), code("UNSUPPORTED"));
  }
});
