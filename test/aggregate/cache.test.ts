// A command on a kept state gives what one on a loaded state gives, and appends in one round trip.
import {
  Aggregate,
  ConcurrencyError,
  ConnectionError,
  decider,
  defineEvent,
  type Driver,
  type EventOf,
  EventStore,
  isEventSourceryError,
  Repository,
  type RepositoryOptions,
  UnknownOutcomeError,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";
import { runtime } from "../support/root.ts";
import { Chance, seed } from "../support/seed.ts";

const timeout = 60_000;
const Added = defineEvent<{ by: string; before: number }>()("Added");
const events = [Added] as const;
type Added = EventOf<typeof Added>;

/** A counter that refuses every third number, and emits nothing for every fifth. */
class Counter extends Aggregate<Added> {
  static readonly category = "counter";
  count = 0;
  protected apply(): void {
    this.count++;
  }
  add(by: string): number {
    if (this.count % 3 === 2) throw new RangeError(`refused at ${this.count}`);
    if (this.count % 5 !== 4) this.emit(Added({ by, before: this.count }));
    return this.count;
  }
  force(by: string): number {
    return this.take({ by, before: this.count });
  }
  take(data: { by: string; before: number }): number {
    this.emit(Added(data));
    return this.count;
  }
}

/** Changes members of a driver. */
function changed(driver: Driver, change: (own: Driver) => Partial<Driver>): Driver {
  const own = change(driver);
  return new Proxy(driver, {
    get(target, member) {
      const value: unknown = Reflect.get(own, member) ?? Reflect.get(target, member, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Counts what is asked of a driver. */
function counted(driver: Driver): { readonly driver: Driver; readonly asked: string[] } {
  const asked: string[] = [];
  const wrapped = new Proxy(driver, {
    get(target, member) {
      const value: unknown = Reflect.get(target, member, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        asked.push(String(member));
        return value.apply(target, given);
      };
    },
  });
  return { driver: wrapped, asked };
}

const open = (driver: Driver) => new EventStore(driver, { events });
const cached: RepositoryOptions = { cache: { max: 100 } };
const counters = (store: ReturnType<typeof open>, options = cached) =>
  new Repository(store, Counter, options);

test("a command on a kept aggregate is one append, a refusal one check, and load() is asked each time", async () => {
  const { driver, asked } = counted(memory());
  const store = open(driver);
  assert.equal(await counters(store).aggregate("a", (counter) => counter.force("x")), 1);
  asked.length = 0;
  // A repository made anew, as for each request, and one for a tenant's store that is none.
  assert.equal(await counters(store).aggregate("a", (counter) => counter.force("x")), 2);
  assert.deepEqual(asked, ["append"]);
  await assert.rejects(counters(store).aggregate("a", (counter) => counter.add("x")), RangeError);
  assert.deepEqual(asked, ["append", "load"]);
  asked.length = 0;
  const first = await counters(store).load("a");
  const second = await counters(store).load("a");
  assert.deepEqual([asked, first === second], [["load", "load"], false]);
});

test("a refusal on an old state, and one with nothing to do, run again on the present one", async () => {
  const driver = memory();
  const [here, there] = [open(driver), open(driver)];
  for (let count = 0; count < 2; count++) {
    await counters(here).aggregate("a", (one) => one.force("x"));
  }
  await there.append("counter:a", Added({ by: "y", before: 2 }));
  const attempts: number[] = [];
  const count = await counters(here, { ...cached, retries: 0 }).aggregate(
    "a",
    (one, { attempt }) => {
      attempts.push(attempt);
      return one.add("x");
    },
  );
  assert.deepEqual([count, attempts], [4, [1, 2]]);
  await there.append("counter:a", Added({ by: "y", before: 4 }));
  await assert.rejects(counters(here).aggregate("a", (one) => one.add("x")), /refused at 5/);
});

test("a refusal by this library on an old state is none on the present one, either", async () => {
  const driver = memory();
  const [here, there] = [open(driver), open(driver)];
  // On a count of 1 there is nothing that could be stored.
  const dataAt = (before: number) => ({
    by: "x",
    before: before === 1 ? (() => 1) as never : before,
  });
  await counters(here).aggregate("a", (one) => one.force("x"));
  const refused = counters(here).aggregate("a", (one) => one.take(dataAt(one.count)));
  await assert.rejects(refused, { code: "INVALID_EVENT" });
  await counters(here).aggregate("b", (one) => one.force("x"));
  await there.append("counter:b", Added({ by: "y", before: 1 }));
  assert.equal(await counters(here).aggregate("b", (one) => one.take(dataAt(one.count))), 3);
  // The decider's event is made by hand, and looked at by append().
  const counting = decider({
    ...{ category: "counter", cache: { max: 10 }, initialState: () => 0 },
    evolve: (count, _event: Added) => count + 1,
    decide: (_: "count", count): Added => ({
      ...Added({ by: "x", before: 0 }),
      data: dataAt(count),
    }),
  });
  await counting.handle(here, "c", "count");
  await assert.rejects(counting.handle(here, "c", "count"), { code: "INVALID_EVENT" });
  await counting.handle(here, "d", "count");
  await there.append("counter:d", Added({ by: "y", before: 1 }));
  assert.equal((await counting.handle(here, "d", "count")).state, 3);
});

test("where a refusal cannot be checked, the command fails with the reason for that", async () => {
  let lost = false;
  const driver = changed(memory(), (own) => ({
    load: async (query) => {
      if (lost) throw new ConnectionError();
      return await own.load(query);
    },
  }));
  const store = open(driver);
  for (let count = 0; count < 2; count++) {
    await counters(store).aggregate("a", (one) => one.force("x"));
  }
  lost = true;
  await assert.rejects(counters(store).aggregate("a", (one) => one.add("x")), {
    code: "CONNECTION",
  });
});

test("a command whose append may have stored its events never runs again", async () => {
  for (const error of [new UnknownOutcomeError(["counter:a"]), new TypeError("from a handler")]) {
    let broken = false;
    const driver = changed(memory(), (own) => ({
      async append(requests) {
        const outcomes = await own.append(requests);
        if (broken) throw error;
        return outcomes;
      },
    }));
    const store = open(driver);
    await counters(store).aggregate("a", (one) => one.force("x"));
    broken = true;
    let runs = 0;
    const failed = counters(store).aggregate("a", (one) => {
      runs++;
      return one.force("x");
    });
    await assert.rejects(failed, (found) => found === error);
    assert.deepEqual([runs, await store.version("counter:a")], [1, 2]);
  }
});

test("after a conflict the next command reads what is newer first, and is optimistic again after that", async () => {
  const { driver, asked } = counted(memory());
  const [here, there] = [open(driver), open(memory())];
  void there;
  const other = new EventStore(driver, { events });
  await counters(here).aggregate("a", (one) => one.force("x"));
  await other.append("counter:a", Added({ by: "y", before: 1 }));
  assert.equal(
    await counters(here, { ...cached, retries: 0 }).aggregate("a", (one) => one.force("x")),
    3,
  );
  await other.append("counter:a", Added({ by: "y", before: 3 }));
  asked.length = 0;
  assert.equal(await counters(here).aggregate("a", (one) => one.force("x")), 5);
  assert.deepEqual(asked, ["load", "append"]);
  asked.length = 0;
  assert.equal(await counters(here).aggregate("a", (one) => one.force("x")), 6);
  assert.deepEqual(asked, ["load", "append"]);
  asked.length = 0;
  assert.equal(await counters(here).aggregate("a", (one) => one.force("x")), 7);
  assert.deepEqual(asked, ["append"]);
});

test("a stream that was deleted and made anew is not taken for the one before", async () => {
  const driver = memory();
  const [here, there] = [open(driver), open(driver)];
  await counters(here).aggregate("a", (one) => one.force("x"));
  await there.delete("counter:a");
  await there.append("counter:a", Added({ by: "another", before: 0 }));
  await counters(here).aggregate("a", (one) => one.force("x"));
  const data = (await here.load("counter:a")).map(({ data }) => data);
  assert.deepEqual(data, [{ by: "another", before: 0 }, { by: "x", before: 1 }]);
  await here.delete("counter:a");
  const { driver: asking, asked } = counted(driver);
  void asking;
  assert.equal(await counters(here).aggregate("a", (one) => one.force("x")), 1);
  assert.deepEqual(asked, []);
});

test("delete() drops what is kept", async () => {
  const { driver, asked } = counted(memory());
  const store = open(driver);
  await counters(store).aggregate("a", (one) => one.force("x"));
  await store.delete("counter:a");
  asked.length = 0;
  await counters(store).aggregate("a", (one) => one.force("x"));
  assert.deepEqual(asked, ["load", "append"]);
});

if (runtime === "node") { // where a test can ask for the collector
  test("the states of a decider that is made anew for each request go with it", async () => {
    const store = open(memory());
    const states: WeakRef<object>[] = [];
    const request = async (id: string) => {
      const counting = decider({
        ...{ category: "counter", cache: { max: 10 }, initialState: () => ({ count: 0 }) },
        evolve: ({ count }, _event: Added) => ({ count: count + 1 }),
        decide: (_: "count", { count }) => Added({ by: "x", before: count }),
      });
      states.push(new WeakRef((await counting.handle(store, id, "count")).state));
    };
    for (const id of ["a", "b", "c"]) await request(id);
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    await new Promise((resolve) => setTimeout(resolve)); // a WeakRef holds until the task ends
    collect();
    assert.deepEqual(states.map((state) => state.deref()), [undefined, undefined, undefined]);
    await store.delete("counter:a");
  });
}

test("two commands never share an instance", async () => {
  const store = open(memory());
  await counters(store).aggregate("a", (one) => one.force("x"));
  const seen: Counter[] = [];
  // The queue lets the second begin after a second.
  const slow = counters(store).aggregate("a", async (one) => {
    seen.push(one);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    return one.force("slow");
  });
  const quick = counters(store).aggregate("a", (one) => {
    seen.push(one);
    return one.force("quick");
  });
  assert.deepEqual(await Promise.all([slow, quick]), [3, 2]);
  assert.notEqual(seen[0], seen[1]);
  assert.equal((await store.load("counter:a")).length, 3);
});

test("an instance that somebody kept and changed is dropped", async () => {
  const store = open(memory());
  let kept: Counter | undefined;
  await counters(store).aggregate("a", (one) => {
    kept = one;
    return one.force("x");
  });
  kept!.force("kept");
  assert.equal(await counters(store).aggregate("a", (one) => one.force("x")), 2);
  assert.equal((await store.load("counter:a")).length, 2);
});

test("a transaction neither uses nor fills the cache, and what it appends drops the entry", async () => {
  const { driver, asked } = counted(memory());
  const store = open(driver);
  await counters(store).aggregate("a", (one) => one.force("x"));
  await assert.rejects(
    store.transaction(async ({ store }) => {
      await counters(store as unknown as typeof store & ReturnType<typeof open>).aggregate(
        "a",
        (one) => one.force("t"),
      );
      throw new RangeError("no");
    }),
    RangeError,
  );
  asked.length = 0;
  assert.equal(await counters(store).aggregate("a", (one) => one.force("x")), 2);
  assert.deepEqual(asked, ["append"]);
  await store.transaction(async ({ store }) => {
    await counters(store as unknown as ReturnType<typeof open>).aggregate(
      "a",
      (one) => one.force("t"),
    );
  });
  asked.length = 0;
  assert.equal(await counters(store).aggregate("a", (one) => one.force("x")), 4);
  assert.deepEqual(asked, ["load", "append"]);
});

test("the stream unused longest goes first, tenants have their own, and age ends an entry", async () => {
  const { driver, asked } = counted(memory());
  const store = open(driver);
  const two = { cache: { max: 2 } };
  const run = async (id: string, options: RepositoryOptions = two, at = store) => {
    asked.length = 0;
    await new Repository(at, Counter, options).aggregate(id, (one) => one.force("x"));
    return asked.includes("load");
  };
  assert.deepEqual([await run("a"), await run("b"), await run("a"), await run("c")], [
    true,
    true,
    false,
    true,
  ]);
  assert.deepEqual([await run("a"), await run("b")], [false, true]);
  const acme = store.scope({ tenantId: "acme" }) as unknown as typeof store;
  assert.deepEqual([await run("b", two, acme), await run("b", two, acme), await run("b")], [
    true,
    false,
    false,
  ]);
  const brief = { cache: { max: 2, maxAge: 5 } };
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual([await run("b", brief), await run("b", brief)], [true, false]);
});

test("create() fills the cache, and both kinds of an expected version are compared", async () => {
  const { driver, asked } = counted(memory());
  const store = open(driver);
  await counters(store).create("a", (one) => one.force("x"));
  asked.length = 0;
  await counters(store).execute("a", (one) => one.force("x"), { expectedVersion: 1 });
  assert.deepEqual(asked, ["append"]);
  const other = open(driver);
  await other.append("counter:a", Added({ by: "y", before: 2 }));
  await counters(store).execute("a", (one) => one.force("x"), { expectedVersion: 3 });
  await assert.rejects(
    counters(store).execute("a", (one) => one.force("x"), { expectedVersion: 3 }),
    (error) => error instanceof ConcurrencyError && error.actual === 4,
  );
});

test("snapshots are left from what is kept", async () => {
  class Kept extends Counter {
    protected override snapshot(): unknown {
      return this.count;
    }
    protected override restore(state: unknown): void {
      this.count = state as number;
    }
  }
  const driver = memory();
  const store = open(driver);
  const options = { cache: { max: 1 }, snapshots: { every: 5 } };
  for (let count = 1; count <= 12; count++) {
    await new Repository(store, Kept, options).aggregate("a", (one) => one.force("x"));
  }
  const query = { tenantId: "", streamId: "counter:a", kind: "aggregate", stateVersion: 1 };
  const page = await driver.snapshots!.load({ ...query, to: 99, at: undefined, limit: 10 });
  assert.equal(page.snapshot!.version, 10);
  assert.equal((await new Repository(store, Kept, options).load("a"))!.count, 12);
});

test("a decider keeps its state frozen, and a mutating one fails at once", async () => {
  const { driver, asked } = counted(memory());
  const store = open(driver);
  const counting = (mutate: boolean) =>
    decider({
      ...{ category: "counter", cache: { max: 10 } },
      initialState: () => ({ list: [] as string[], seen: new Set<string>() }),
      evolve(state, { data }: Added) {
        if (!mutate) return { ...state, list: [...state.list, data.by] };
        state.list.push(data.by);
        return state;
      },
      decide: (by: string, { list }) => Added({ by, before: list.length }),
    });
  const good = counting(false);
  await good.handle(store, "a", "x");
  asked.length = 0;
  const { state, version } = await good.handle(store, "a", "y");
  assert.deepEqual([asked, state.list, version], [["append"], ["x", "y"], 2]);
  assert.throws(() => state.list.push("z"), TypeError);
  const bad = counting(true);
  await bad.handle(store, "b", "x");
  await assert.rejects(bad.handle(store, "b", "y"), TypeError);
  assert.equal((await store.load("counter:b")).length, 2);
  assert.deepEqual((await bad.handle(store, "b", "z")).state.list, ["x", "y", "z"]);
});

test("a cache is refused where it cannot work", () => {
  const store = open(memory());
  for (const max of [0, -1, 1.5, NaN]) {
    assert.throws(() => new Repository(store, Counter, { cache: { max } }), RangeError);
  }
  assert.throws(() => new Repository(store, Counter, { cache: {} as never }), TypeError);
  assert.throws(
    () => new Repository(store, Counter, { cache: { max: 1, maxAge: -1 } }),
    RangeError,
  );
  const poor = new Proxy(memory(), {
    get(target, member) {
      const value: unknown = Reflect.get(target, member, target);
      if (member === "capabilities") return { transactions: true };
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  assert.throws(() => counters(open(poor)), { code: "UNSUPPORTED" });
});

const places: Record<string, () => Promise<readonly Driver[]>> = {
  memory: async () => {
    const driver = memory();
    return [driver, driver, driver];
  },
};
for (const handle of postgresHandles.filter(({ name }) => /postgres.js on embedded/.test(name))) {
  places[handle.name] = async () => {
    const { db, another, close } = await handle.open();
    after(close);
    return [postgres(db), postgres(await another!()), postgres(await another!())];
  };
}
for (const handle of libsqlHandles.filter(({ name }) => name === "libSQL file")) {
  places[handle.name] = async () => {
    const { db, another, prefix, close } = await handle.open();
    after(close);
    return [libsql(db, { prefix }), libsql(await another!(), { prefix })];
  };
}

for (const [name, make] of Object.entries(places)) {
  test(`${name}: no outcome rests on an old state (SEED=${seed})`, { timeout }, async () => {
    const drivers = await make();
    await drivers[0]!.migrate();
    const stores = drivers.map(open); // as many processes
    const end = performance.now() + 1200;
    let stale = 0;
    let judged = 0;
    /** How many others work on a stream, and how often one has begun or ended. */
    const streams = new Map<string, { open: number; count: number }>();
    const of = (id: string) => streams.get(id) ?? { open: 0, count: 0 };
    const note = (id: string, by: number) => {
      const { open, count } = of(id);
      streams.set(id, { open: open + by, count: count + 1 });
    };
    const work = async (index: number) => {
      const chance = new Chance(seed + index);
      const store = stores[index % stores.length]!;
      while (performance.now() < end) {
        const id = String(chance.below(4));
        const alone = of(id).open === 0;
        note(id, 1);
        const { count } = of(id);
        try {
          if (chance.below(12) === 0) {
            await store.delete(`counter:${id}`);
            continue;
          }
          const refused = await counters(store).aggregate(id, (one) => one.add(`w${index}`)).then(
            () => undefined,
            (error: unknown) => {
              if (!(error instanceof RangeError)) throw error;
              return Number(/at (\d+)/.exec(error.message)![1]);
            },
          );
          if (refused === undefined) continue;
          const version = await store.version(`counter:${id}`);
          if (!alone || of(id).count !== count) continue;
          judged++;
          if (refused !== version) stale++;
        } catch (error) {
          if (!isEventSourceryError(error, "CONCURRENCY") && !isEventSourceryError(error, "BUSY")) {
            throw error;
          }
        } finally {
          note(id, -1);
        }
        if (chance.below(3) === 0) {
          await new Promise((resolve) => setTimeout(resolve, chance.below(5)));
        }
      }
    };
    await Promise.all(Array.from({ length: 4 }, (_, index) => work(index)));
    assert.ok(judged > 0, "nothing was refused");
    assert.equal(stale, 0);
    for (const id of ["0", "1", "2", "3"]) {
      // Each was decided on the state that it stands on.
      const stored = await stores[0]!.load(`counter:${id}`);
      assert.deepEqual(stored.map(({ data }) => data.before), stored.map((_, index) => index));
    }
  });
}
