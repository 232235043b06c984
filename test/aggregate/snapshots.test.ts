// A load by a snapshot gives what a full replay gives, and whatever goes wrong with one costs nobody anything.
import {
  Aggregate,
  type AggregateClass,
  ConnectionError,
  decider,
  defineEvent,
  type Driver,
  type EventOf,
  EventStore,
  importEvents,
  isEventSourceryError,
  type NewSnapshot,
  Repository,
  type Session,
  SnapshotError,
  type Snapshots,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";
import { Chance, seed } from "../support/seed.ts";

const timeout = 60_000;
const Listed = defineEvent<{ item: string; at: Date }>()("Listed");
const Cleared = defineEvent("Cleared");
const events = [Listed, Cleared] as const;
type ListEvent = EventOf<typeof Listed | typeof Cleared>;
interface ListState {
  items: { item: string; at: Date }[];
  seen: Map<string, bigint>;
}

class List extends Aggregate<ListEvent> {
  static readonly category: string = "list";
  static readonly stateVersion: number = 1;
  #state: ListState = { items: [], seen: new Map() };

  get state(): ListState {
    return this.#state;
  }

  protected apply(event: ListEvent): void {
    if (event.type === "Cleared") this.#state.items = [];
    else {
      this.#state.items.push({ ...event.data });
      const { item } = event.data;
      this.#state.seen.set(item, (this.#state.seen.get(item) ?? 0n) + 1n);
    }
  }

  protected override snapshot(): unknown {
    return this.#state;
  }

  protected override restore(state: unknown): void {
    this.#state = state as ListState;
  }

  add(item: string): number {
    this.emit(Listed({ item, at: new Date(0) }));
    return this.#state.items.length;
  }

  /** Changes the state without an event, as a careless command does, and refuses. */
  spoil(): void {
    this.#state.items.push({ item: "spoilt", at: new Date(1) });
    throw new RangeError("refused");
  }
}

/** Changes what a driver's snapshots do. */
function keeping(driver: Driver, change: (own: Snapshots) => Partial<Snapshots>): Driver {
  const wrap = <S extends Session>(session: S): S =>
    new Proxy(session, {
      get(target, member) {
        const value: unknown = Reflect.get(target, member, target);
        if (member === "snapshots") {
          const own = value as Snapshots;
          return {
            load: (query) => own.load(query),
            save: (row) => own.save(row),
            drop: (tenantId, streamIds) => own.drop(tenantId, streamIds),
            ...change(own),
          } satisfies Snapshots;
        }
        if (member === "transaction") {
          return (work: (session: Session) => Promise<unknown>) =>
            target.transaction((inner) => work(wrap(inner)));
        }
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  return wrap(driver);
}

/** A store, and what it was told by `onError`. */
function open(driver: Driver = memory(), options: { unknownEvents?: "keep" } = {}) {
  const errors: unknown[] = [];
  const store = new EventStore(driver, {
    ...{ events, ...options },
    onError: (error, { phase }) => void errors.push(phase === "snapshot" ? error : phase),
  });
  return { store, errors };
}

const lists = (store: EventStore<ListEvent>, every = 5, of: AggregateClass<List> = List) =>
  new Repository(store, of as typeof List, { snapshots: { every } });

const queryOf = (streamId: string, stateVersion = 1) => ({
  ...{ tenantId: "", streamId, kind: "aggregate", stateVersion },
  ...{ to: Number.MAX_SAFE_INTEGER, at: undefined, limit: 100 },
});

/** Two drivers on one database, and what drops its table of snapshots. */
type Place = readonly [Driver, Driver, drop: () => Promise<unknown>];
const places: Record<string, () => Promise<Place>> = {
  memory: async () => {
    const driver = memory();
    return [driver, driver, async () => {}];
  },
};
for (const handle of postgresHandles.filter(({ name }) => /postgres.js on embedded/.test(name))) {
  places[handle.name] = async () => {
    const { db, another, close } = await handle.open();
    after(close);
    const drop = async () => await db.execute(sql`drop table event_sourcery.snapshots`);
    return [postgres(db), postgres(await another!()), drop];
  };
}
for (const handle of libsqlHandles.filter(({ name }) => name === "libSQL file")) {
  places[handle.name] = async () => {
    const { db, another, prefix, close } = await handle.open();
    after(close);
    const drop = () => db.run(sql.raw(`drop table "${prefix}snapshots"`));
    return [libsql(db, { prefix }), libsql(await another!(), { prefix }), drop];
  };
}

for (const [name, make] of Object.entries(places)) {
  test(`${name}: a load equals a full replay, whatever is stored meanwhile (SEED=${seed})`, {
    timeout,
  }, async () => {
    const [one, another] = await make();
    await one.migrate();
    const drivers = [one, another];
    // Half of the snapshots are kept late, when their stream may be gone or longer.
    const chance = new Chance(seed);
    const late = drivers.map((driver) =>
      keeping(driver, (own) => ({
        async save(row: NewSnapshot) {
          if (chance.below(2) === 0) {
            await new Promise((resolve) => setTimeout(resolve, chance.below(8)));
          }
          await own.save(row);
        },
      }))
    );
    // Two releases, each with stores of its own.
    const releases = [0, 1].map(() => late.map((driver) => open(driver).store));
    const stores = releases[0]!;
    let restored = 0;
    class Counting extends List {
      protected override restore(state: unknown): void {
        restored++;
        super.restore(state);
      }
    }
    class Newer extends Counting {
      static override readonly stateVersion = 2;
    }
    const plain = new Repository(stores[0]!, List);
    const end = performance.now() + 1200;
    const wrong: string[] = [];
    let judged = 0;
    /** How many changes of a stream are under way, and how often one has begun or ended. */
    const streams = new Map<string, { open: number; count: number }>();
    const changesOf = (id: string) => streams.get(id) ?? { open: 0, count: 0 };
    const changing = async (id: string, change: () => Promise<void>) => {
      const note = (by: number) => {
        const { open, count } = changesOf(id);
        streams.set(id, { open: open + by, count: count + 1 });
      };
      note(1);
      try {
        await change();
      } catch (error) {
        if (!isEventSourceryError(error, "CONCURRENCY") && !isEventSourceryError(error, "BUSY")) {
          throw error;
        }
      } finally {
        note(-1);
      }
    };
    const work = async (index: number) => {
      const own = new Chance(seed + index);
      while (performance.now() < end) {
        const id = String(own.below(3));
        const release = own.below(4) === 0 ? 1 : 0;
        const store = releases[release]![own.below(2)]!;
        const repository = lists(store, 3, release === 1 ? Newer : Counting);
        const kind = own.below(12);
        if (kind < 8) {
          await changing(id, async () => {
            if (kind === 0) return await store.delete(`list:${id}`);
            if (kind >= 5) return void await repository.aggregate(id, (list) => list.add("x"));
            const createdAt = new Date(Date.UTC(2026, 0, 1 + own.below(20)));
            const listed = Listed({ item: `i${own.below(4)}`, at: createdAt }, { createdAt });
            await store.append(`list:${id}`, listed);
          });
        } else {
          const asOf = kind === 8
            ? { version: 1 + own.below(10) }
            : kind === 9
            ? { at: new Date(Date.UTC(2026, 0, 1 + own.below(25))) }
            : {};
          const { open, count } = changesOf(id);
          const loaded = (await repository.load(id, asOf))?.state;
          const replayed = (await plain.load(id, asOf))?.state;
          // What was stored in between may be in it or not.
          if (open > 0 || changesOf(id).count !== count) continue;
          judged++;
          if (!isDeepStrictEqual(loaded, replayed)) wrong.push(id);
        }
      }
    };
    await Promise.all([1, 2, 3, 4].map(work));
    assert.deepEqual(wrong, []);
    assert.ok(restored > 0 && judged > 0, `${restored} snapshots used, ${judged} loads judged`);
  });
}

test("a command on a long stream reads one page, and what it restored is its own to change", async () => {
  let loads = 0;
  const driver = memory();
  const { store } = open(keeping(driver, (own) => ({
    load(query) {
      loads++;
      return own.load(query);
    },
  })));
  await store.append(
    "list:a",
    Array.from(
      { length: 2000 },
      (_, index) => Listed({ item: String(index % 7), at: new Date(index) }),
    ),
  );
  const repository = lists(store);
  await repository.load("a");
  loads = 0;
  assert.equal(await repository.aggregate("a", (list) => list.add("x")), 2001);
  assert.equal(loads, 1);
  const page = await driver.snapshots!.load(queryOf("list:a"));
  assert.deepEqual([page.snapshot?.version, page.events.length], [2000, 1]);
  const list = await repository.load("a");
  assert.equal(list!.state.seen.get("x"), 1n);
  assert.equal(list!.version, 2001);
});

test("what is kept is what was loaded, whatever the command did to it", async () => {
  const { store } = open();
  await store.append(
    "list:a",
    Array.from({ length: 9 }, () => Listed({ item: "x", at: new Date(0) })),
  );
  await assert.rejects(lists(store).aggregate("a", (list) => list.spoil()), RangeError);
  assert.equal((await lists(store).load("a"))!.state.items.length, 9);
  const page = await store.transaction(async () => {}).then(() => lists(store).load("a"));
  assert.ok(page!.state.items.every(({ item }) => item === "x"));
});

test("a context tells when the first and the last event were created, by a snapshot, too", async () => {
  const { store } = open();
  const at = (day: number) => ({ createdAt: new Date(Date.UTC(2026, 0, day)) });
  await store.append("list:a", [1, 2, 3, 4, 5, 6].map((day) => Cleared(undefined, at(day))));
  await lists(store).load("a");
  await store.append("list:a", Cleared(undefined, at(9)));
  await lists(store).aggregate("a", (_, { createdAt, updatedAt, version }) => {
    assert.deepEqual([createdAt, updatedAt, version], [at(1).createdAt, at(9).createdAt, 7]);
  });
});

test("a snapshot that cannot be kept is reported once, until one is, and the command succeeds", async () => {
  let broken = true;
  const driver = memory();
  const { store, errors } = open(keeping(driver, (own) => ({
    async save(row) {
      if (broken) throw new Error("read-only");
      await own.save(row);
    },
  })));
  const repository = lists(store, 1);
  for (let count = 1; count <= 4; count++) {
    assert.equal(await repository.aggregate("a", (list) => list.add("x")), count);
  }
  assert.equal(errors.length, 1);
  assert.ok(errors[0] instanceof SnapshotError);
  assert.deepEqual([errors[0].code, errors[0].streamId, errors[0].kind], [
    "SNAPSHOT",
    "list:a",
    "aggregate",
  ]);
  broken = false;
  await repository.aggregate("a", (list) => list.add("x"));
  broken = true;
  await repository.aggregate("a", (list) => list.add("x"));
  assert.equal(errors.length, 2);
});

for (const [name, make] of Object.entries(places).filter(([name]) => name !== "memory")) {
  test(`${name}: a table that is gone is reported, and costs no command and no load`, {
    timeout,
  }, async () => {
    const [driver, , drop] = await make();
    await driver.migrate();
    const { store, errors } = open(driver);
    const repository = lists(store, 2);
    for (let count = 1; count <= 5; count++) {
      await repository.aggregate("a", (list) => list.add("x"));
    }
    await drop();
    for (let count = 6; count <= 8; count++) {
      assert.equal(await repository.aggregate("a", (list) => list.add("x")), count);
    }
    assert.equal((await repository.load("a"))!.version, 8);
    assert.equal((await repository.load("a", { version: 7 }))!.version, 7);
    assert.deepEqual(errors.map((error) => error instanceof SnapshotError), [true]);
    assert.match(String(errors[0]), /cannot be read/);
  });
}

test("a lost connection is told as such, and nothing is replayed for it", async () => {
  let asked = 0;
  const driver = keeping(memory(), () => ({
    async load() {
      asked++;
      throw new ConnectionError();
    },
  }));
  const { store, errors } = open(driver);
  await store.append("list:a", Cleared());
  await assert.rejects(lists(store).load("a"), { code: "CONNECTION" });
  assert.deepEqual([asked, errors], [1, []]);
});

test("a command answers when its snapshot is kept", async () => {
  let kept = 0;
  const { store } = open(keeping(memory(), (own) => ({
    async save(row) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await own.save(row);
      kept++;
    },
  })));
  await store.append("list:a", Array.from({ length: 9 }, () => Cleared()));
  await lists(store).aggregate("a", (list) => list.add("x"));
  assert.equal(kept, 1);
  await store.append("list:b", Array.from({ length: 9 }, () => Cleared()));
  await assert.rejects(lists(store).aggregate("b", (list) => list.spoil()), RangeError);
  assert.equal(kept, 2);
  await store.append("list:c", Array.from({ length: 9 }, () => Cleared()));
  await lists(store).load("c");
  assert.equal(kept, 3);
  await lists(store, 100).load("c");
  await lists(store).load("c", { version: 9 });
  assert.equal(kept, 3);
});

test("in a transaction a snapshot waits for the commit, and is not kept after a rollback", async () => {
  const driver = memory();
  const saved: boolean[] = [];
  let inside = false;
  const { store } = open(keeping(driver, (own) => ({
    async save(row) {
      saved.push(inside);
      await own.save(row);
    },
  })));
  await store.append("list:a", Array.from({ length: 9 }, () => Cleared()));
  await assert.rejects(
    store.transaction(async ({ store }) => {
      await lists(store as unknown as EventStore<ListEvent>).aggregate(
        "a",
        (list) => list.add("x"),
      );
      throw new RangeError("no");
    }),
    RangeError,
  );
  assert.deepEqual(saved, []);
  await store.transaction(async ({ store }) => {
    inside = true;
    await lists(store as unknown as EventStore<ListEvent>).aggregate("a", (list) => list.add("x"));
    inside = false;
  });
  assert.deepEqual(saved, [false]);
});

test("no snapshot goes beyond an event that this release does not know", async () => {
  const driver = memory();
  const Newer = defineEvent("Newer");
  const newer = new EventStore(driver, { events: [Listed, Cleared, Newer] });
  await newer.append("list:a", [Cleared(), Newer(), ...Array.from({ length: 9 }, () => Cleared())]);
  const { store } = open(driver, { unknownEvents: "keep" });
  await lists(store).load("a");
  assert.equal((await driver.snapshots!.load(queryOf("list:a"))).snapshot, undefined);
});

test("an import leaves no snapshot of a stream that was deleted, even if it ends half-way", async () => {
  for (const ended of [true, false]) {
    const driver = memory();
    const { store } = open(driver);
    const history = Array.from({ length: 6 }, (_, index) => ({
      streamId: "list:a",
      event: Listed({ item: "new", at: new Date(0) }, { id: `e${index}` }),
    }));
    await store.append("list:a", history.map(({ event: { id } }) => Cleared(undefined, { id })));
    await lists(store).load("a");
    const { snapshot } = await driver.snapshots!.load(queryOf("list:a"));
    const keepLate = () =>
      driver.snapshots!.save({
        ...{ ...queryOf("list:a"), ...snapshot!, savedAt: new Date().toISOString() },
        ...{ data: JSON.stringify(snapshot!.data), codec: JSON.stringify(snapshot!.codec) },
      });
    await store.delete("list:a");
    await keepLate();
    let drops = 0;
    const importing = keeping(driver, (own) => ({
      async drop(tenantId, streamIds) {
        // Before the events are stored, and after.
        if (++drops === 2 && ended) throw new Error("killed");
        await own.drop(tenantId, streamIds);
        if (drops === 1 && !ended) await keepLate();
      },
    }));
    const imported = importEvents(open(importing).store, history);
    if (ended) await assert.rejects(imported, /killed/);
    else await imported;
    assert.equal((await lists(store).load("a"))!.state.items.length, 6);
  }
});

test("a snapshot that cannot be restored is as good as none, and reported", async () => {
  class Picky extends List {
    protected override restore(state: unknown): void {
      super.restore(state);
      throw new Error("not like this");
    }
  }
  for (const broken of ["restore", "codec", "data"]) {
    const driver = memory();
    const { store, errors } = open(driver);
    await store.append(
      "list:a",
      Array.from({ length: 9 }, () => Listed({ item: "x", at: new Date(0) })),
    );
    await lists(store).load("a");
    const { snapshot } = await driver.snapshots!.load(queryOf("list:a"));
    if (broken !== "restore") {
      await driver.snapshots!.drop("", ["list:a"]);
      await driver.snapshots!.save({
        ...{ ...queryOf("list:a"), ...snapshot!, savedAt: new Date().toISOString() },
        data: broken === "data" ? "[]" : JSON.stringify(snapshot!.data),
        codec: broken === "codec" ? '{"/data/state":"noted"}' : null,
      });
    }
    assert.deepEqual(errors, []);
    const later = open(driver);
    const list = await lists(later.store, 5, broken === "restore" ? Picky : List).load("a");
    assert.deepEqual([list!.state.items.length, list!.version], [9, 9]);
    assert.ok(later.errors[0] instanceof SnapshotError, broken);
  }
});

test("a state that is not plain, or too large, is reported with its path and not kept", async () => {
  class Odd extends List {
    protected override snapshot(): unknown {
      return { inner: { list: new List() } };
    }
  }
  class Large extends List {
    protected override snapshot(): unknown {
      return "x".repeat(1024 * 1024);
    }
  }
  class Throwing extends List {
    protected override snapshot(): unknown {
      throw new Error("secret 4711");
    }
  }
  class Silent extends List {
    protected override snapshot(): unknown {
      return undefined;
    }
  }
  const cases = [[Odd, /inner\.list/], [Large, /more than 1048576/], [Throwing, /threw/], [
    Silent,
    undefined,
  ]] as const;
  for (const [of, message] of cases) {
    const driver = memory();
    const { store, errors } = open(driver);
    await store.append("list:a", Array.from({ length: 9 }, () => Cleared()));
    assert.equal(await lists(store, 5, of).aggregate("a", (list) => list.add("x")), 1);
    assert.equal((await driver.snapshots!.load(queryOf("list:a"))).snapshot, undefined);
    assert.equal(errors.length, message === undefined ? 0 : 1);
    if (message === undefined) continue;
    assert.match(String(errors[0]), message);
    assert.doesNotMatch(String(errors[0]), /4711/);
  }
});

test("a state of another version is not used, and that of two releases before is removed", async () => {
  const driver = memory();
  const { store } = open(driver);
  await store.append(
    "list:a",
    Array.from({ length: 9 }, () => Listed({ item: "x", at: new Date(0) })),
  );
  const versioned = (version: number) =>
    class List2 extends List {
      static override readonly stateVersion = version;
      protected override snapshot(): unknown {
        return { version, state: this.state };
      }
      protected override restore(state: unknown): void {
        assert.equal((state as { version: number }).version, version);
        super.restore((state as { state: unknown }).state);
      }
    };
  for (const version of [1, 2, 3]) {
    const repository = lists(store, 5, versioned(version));
    for (let times = 0; times < 2; times++) {
      assert.equal((await repository.load("a"))!.state.items.length, 9);
    }
  }
  const kept = [1, 2, 3].map(async (stateVersion) =>
    (await driver.snapshots!.load(queryOf("list:a", stateVersion))).snapshot?.version
  );
  assert.deepEqual(await Promise.all(kept), [undefined, 9, 9]);
});

test("a repository refuses snapshots that cannot work", () => {
  class Without extends Aggregate<ListEvent> {
    protected apply(): void {}
  }
  class Half extends Without {
    protected override snapshot(): unknown {
      return {};
    }
  }
  class Other extends List {}
  const { store } = open();
  const options = { snapshots: {} };
  assert.throws(
    () => new Repository(store, Without, options),
    /snapshot\(\) and restore\(\): snapshot is missing/,
  );
  assert.throws(() => new Repository(store, Half, options), /restore is missing/);
  void new Repository(store, List, options);
  void new Repository(store, List, options);
  assert.throws(() => new Repository(store, Other, options), /kind of its own/);
  void new Repository(store, Other, { snapshots: { kind: "other" } });
  for (const every of [0, -1, 1.5, NaN]) {
    assert.throws(() => new Repository(store, List, { snapshots: { every } }), RangeError);
  }
  assert.throws(
    () => new Repository(store, List, { snapshots: { every: "1" as never } }),
    TypeError,
  );
  assert.throws(() => new Repository(store, List, { snapshots: null as never }), TypeError);
  assert.throws(() => new Repository(store, List, { snapshots: { kind: "" } }), RangeError);
  const none = new Proxy(memory(), {
    get(target, member) {
      const value: unknown = member === "snapshots"
        ? undefined
        : Reflect.get(target, member, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  assert.throws(() => lists(open(none).store), { code: "UNSUPPORTED" });
});

test("a decider keeps its states, too", async () => {
  const driver = memory();
  const { store } = open(driver);
  let folded = 0;
  const counter = (stateVersion: number) =>
    decider({
      ...{ category: "list", stateVersion, snapshots: { every: 5 } },
      initialState: () => ({ count: 0n }),
      evolve(state, _event: ListEvent) {
        folded++;
        return { count: state.count + 1n };
      },
      decide: (item: string) => Listed({ item, at: new Date(0) }),
    });
  for (let count = 1; count <= 30; count++) {
    const { state, version } = await counter(1).handle(store, "a", "x");
    assert.deepEqual([state.count, version], [BigInt(count), count]);
  }
  assert.ok(folded < 200, `${folded} events folded`);
  const kept = await driver.snapshots!.load({ ...queryOf("list:a"), kind: "decider" });
  assert.ok(kept.snapshot!.version >= 25);
  folded = 0;
  assert.equal((await counter(2).handle(store, "a", "x")).state.count, 31n);
  assert.equal(folded, 31);
  assert.throws(() =>
    decider({
      ...{ snapshots: { every: 0 }, initialState: () => 0, evolve: () => 0, decide: () => [] },
    }), RangeError);
});
