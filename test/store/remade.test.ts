// A stream that is deleted, and made again under its name, while it is read page by page.
import {
  ConcurrencyError,
  decider,
  defineEvent,
  type Driver,
  type EventOf,
  EventStore,
  type SnapshotOptions,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";

const timeout = 60_000;
const Told = defineEvent<string>()("Told");
const told = (count: number, text: string) => Array.from({ length: count }, () => Told(text));

/** A driver that does something after the next page of a stream was read. */
function between(driver: Driver, then: { work?: (() => Promise<unknown>) | undefined }): Driver {
  const pause = async () => {
    const { work } = then;
    then.work = undefined;
    await work?.();
  };
  return new Proxy(driver, {
    get(target, member) {
      if (member === "load") {
        return async (query: Parameters<Driver["load"]>[0]) => {
          const page = await target.load(query);
          await pause();
          return page;
        };
      }
      if (member === "snapshots") {
        const own = target.snapshots!;
        const load = async (query: Parameters<typeof own.load>[0]) => {
          const page = await own.load(query);
          await pause();
          return page;
        };
        return { load, save: own.save.bind(own), drop: own.drop.bind(own) };
      }
      const value: unknown = Reflect.get(target, member, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const places: Record<string, () => Promise<Driver>> = { memory: async () => memory() };
for (const handle of postgresHandles.filter(({ name }) => /postgres.js on embedded/.test(name))) {
  places[handle.name] = async () => {
    const { db, close } = await handle.open();
    after(close);
    return postgres(db);
  };
}
for (const handle of libsqlHandles.filter(({ name }) => name === "libSQL file")) {
  places[handle.name] = async () => {
    const { db, prefix, close } = await handle.open();
    after(close);
    return libsql(db, { prefix });
  };
}

for (const [name, make] of Object.entries(places)) {
  test(`${name}: a stream that is made again between two pages is not read as one`, {
    timeout,
  }, async () => {
    const inner = await make();
    await inner.migrate();
    const then: { work?: () => Promise<unknown> } = {};
    const store = new EventStore(between(inner, then), { events: [Told] });
    const other = new EventStore(inner, { events: [Told] });
    const remake = (count: number) => async () => {
      await other.delete("talk:a");
      await other.append("talk:a", told(count, "new"));
    };
    const countingWith = (snapshots?: SnapshotOptions) =>
      decider({
        ...{ category: "talk", snapshots, initialState: () => ({ old: 0, new: 0 }) },
        evolve: (state, { data }: EventOf<typeof Told>) => ({
          ...state,
          [data]: state[data as "old" | "new"] + 1,
        }),
        decide: (_: "tell") => Told("new"),
      });
    for (const snapshots of [undefined, { every: 5000 }]) {
      await other.delete("talk:a");
      await other.append("talk:a", told(1030, "old"));
      then.work = remake(1040);
      const { state } = await countingWith(snapshots).handle(store, "a", "tell");
      assert.deepEqual(state, { old: 0, new: 1041 });
    }
    // By a reader alone: forwards, backwards, and where the new stream is shorter.
    for (const [options, count] of [[{}, 1040], [{ backwards: true }, 1040], [{}, 3]] as const) {
      await remake(1030)();
      then.work = remake(count);
      await assert.rejects(store.load("talk:a", options), (error) => {
        assert.ok(error instanceof ConcurrencyError);
        assert.match(error.message, /^Cannot read stream "talk:a": it was deleted after version/);
        return true;
      });
    }
    // What is only longer by then is read to its end, and no event twice.
    await remake(1030)();
    then.work = () => other.append("talk:a", told(2, "new"));
    const versions = (await store.load("talk:a")).map(({ version }) => version);
    assert.deepEqual(versions, Array.from({ length: 1032 }, (_, index) => index + 1));
  });

  test(`${name}: so are events of which a page holds only one`, { timeout }, async () => {
    const inner = await make();
    await inner.migrate();
    const then: { work?: () => Promise<unknown> } = {};
    const store = new EventStore(between(inner, then), { events: [Told] });
    const large = "x".repeat(1_500_000);
    const fill = async () => {
      await inner.delete("", "talk:a");
      for (let count = 0; count < 3; count++) await store.append("talk:a", Told(large));
    };
    await fill();
    for (const backwards of [false, true]) {
      const found = await store.load("talk:a", { backwards, limit: 3 });
      const versions = found.map(({ version }) => version);
      assert.deepEqual(versions, backwards ? [3, 2, 1] : [1, 2, 3]);
      assert.equal((await store.load("talk:a", { backwards, limit: 2 })).length, 2);
    }
    if (name === "memory") return; // its pages are not measured
    // The first page, that with its event alone, and then the next.
    for (const pages of [1, 2, 3]) {
      const after = (left: number) => async () => {
        if (left > 1) then.work = after(left - 1);
        else await fill();
      };
      then.work = after(pages);
      await assert.rejects(store.load("talk:a"), ConcurrencyError, `after ${pages} pages`);
    }
  });
}
