import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { EventStore, type Session } from "../../mod.ts";
import { all, events, ids, many, Paid, Placed, Sent, shop, types } from "../support/shop.ts";

const versions = (events: readonly { readonly version: number }[]) =>
  events.map(({ version }) => version);

/** A store with five events in one stream. */
async function five() {
  const store = shop();
  await store.append("a", many(5));
  return store;
}

const ranges = [
  [{}, [1, 2, 3, 4, 5]],
  [{ from: 3 }, [3, 4, 5]],
  [{ to: 2 }, [1, 2]],
  [{ to: 0 }, []],
  [{ from: 2, to: 4 }, [2, 3, 4]],
  [{ from: 4, to: 2 }, []],
  [{ from: 6 }, []],
  [{ limit: 2 }, [1, 2]],
  [{ limit: 0 }, []],
  [{ backwards: true }, [5, 4, 3, 2, 1]],
  [{ backwards: true, limit: 2 }, [5, 4]],
  [{ backwards: true, from: 2, to: 3 }, [3, 2]],
  [{ from: 2, limit: 2 }, [2, 3]],
  [{ from: undefined, to: undefined, limit: undefined, backwards: undefined }, [1, 2, 3, 4, 5]],
  [{ to: 99, limit: 99 }, [1, 2, 3, 4, 5]],
] as const;

test("load() and read() give the versions that are asked for", async () => {
  const store = await five();
  for (const [options, expected] of ranges) {
    assert.deepEqual(versions(await store.load("a", options)), expected);
    assert.deepEqual(versions(await all(store.read("a", options))), expected);
  }
});

test("load() and read() give a long stream in order, forwards and backwards", async () => {
  const store = shop();
  await store.append("a", many(3000));
  const expected = Array.from({ length: 3000 }, (_, index) => index + 1);
  assert.deepEqual(versions(await store.load("a")), expected);
  assert.deepEqual(versions(await all(store.read("a"))), expected);
  assert.deepEqual(versions(await store.load("a", { backwards: true })), expected.toReversed());
  assert.deepEqual(
    versions(await store.load("a", { from: 2, limit: 2048 })),
    expected.slice(1, 2049),
  );
});

/** A store with a stream of 3,000 events, and what it has asked its driver for; `fail` makes the next answers fail. */
async function paged() {
  const inner = memory();
  const store = shop(inner);
  await store.append("a", many(3000));
  const asked = { pages: 0, answered: 0, fail: false };
  const slowly = <Query, Page>(ask: (query: Query) => Promise<Page>) => async (query: Query) => {
    asked.pages++;
    await new Promise((resolve) => setTimeout(resolve, 5));
    asked.answered++;
    if (asked.fail) throw new Error("no answer");
    return await ask(query);
  };
  const watch = (session: Session<undefined>) => {
    session.load = slowly(session.load.bind(session));
    session.scan = slowly(session.scan.bind(session));
  };
  watch(inner);
  const transaction = inner.transaction.bind(inner);
  inner.transaction = (work) =>
    transaction((session) => {
      watch(session);
      return work(session);
    });
  return { store, asked };
}

type Reader = Pick<ReturnType<typeof shop>, "read" | "readAll">;

const readers = [
  ["read()", (store: Reader) => store.read("a")],
  ["readAll()", (store: Reader) => store.readAll()],
] as const;

for (const [name, read] of readers) {
  test(`${name} asks for one page ahead, and for no more`, async () => {
    const { store, asked } = await paged();
    const counts = new Map<number, number>();
    for await (const { version } of read(store)) counts.set(version, asked.pages);
    assert.deepEqual([1, 1024, 1025, 2049, 3000].map((version) => counts.get(version)), [
      ...[2, 2, 3, 3, 3],
    ]);
  });

  test(`${name} that is left waits for the page under way`, async () => {
    const { store, asked } = await paged();
    for await (const { version } of read(store)) if (version === 1025) break;
    assert.deepEqual(asked, { pages: 3, answered: 3, fail: false });
    await assert.rejects(async () => {
      for await (const _ of read(store)) throw new Error("mine");
    }, { message: "mine" });
    assert.equal(asked.answered, asked.pages);
  });

  test(`${name} tells of a page ahead that failed once it is wanted`, async () => {
    const { store, asked } = await paged();
    let seen = 0;
    await assert.rejects(async () => {
      for await (const { version } of read(store)) {
        seen = version;
        asked.fail = true;
      }
    }, /no answer/);
    assert.equal(seen, 1024);
    // Nobody wants the page any more: its failure is not told, and not left unhandled either.
    asked.fail = false;
    for await (const _ of read(store)) {
      asked.fail = true;
      break;
    }
  });
}

test("read() and readAll() ask for nothing ahead in a transaction", async () => {
  const { store, asked } = await paged();
  await store.transaction(async ({ store }) => {
    for (const [, read] of readers) {
      asked.pages = 0;
      const counts: number[] = [];
      for await (const { version } of read(store)) counts[version] = asked.pages;
      assert.deepEqual([1, 1024, 1025, 3000].map((version) => counts[version]), [1, 1, 2, 3]);
    }
  });
});

test("read() reads again each time it is iterated over", async () => {
  const store = await five();
  const events = store.read("a", { from: 5 });
  assert.equal((await all(events)).length, 1);
  await store.append("a", Paid());
  assert.equal((await all(events)).length, 2);
});

/** A store with events of several streams, types and tags. */
async function several() {
  const store = shop();
  await store.append("order:1", Placed({ sku: "a" }, { tags: ["x", "y"] }));
  await store.append("parcel:1", Sent(undefined, { tags: ["y"] }));
  await store.append("order:2", [Placed({ sku: "b" }), Paid(undefined, { tags: ["x"] })]);
  await store.append("loose", Sent());
  return store;
}

const filters = [
  [{}, [1, 2, 3, 4, 5]],
  [{ after: 2 }, [3, 4, 5]],
  [{ after: 5 }, []],
  [{ after: 0, limit: 2 }, [1, 2]],
  [{ limit: 0 }, []],
  [{ categories: ["order"] }, [1, 3, 4]],
  [{ categories: ["order", "parcel"] }, [1, 2, 3, 4]],
  [{ categories: [""] }, [5]],
  [{ categories: ["orde"] }, []],
  [{ categories: [] }, []],
  [{ types: ["Sent"] }, [2, 5]],
  [{ types: ["Sent", "Paid"] }, [2, 4, 5]],
  [{ types: ["Nothing"] }, []],
  [{ types: [] }, []],
  [{ tags: ["x"] }, [1, 4]],
  [{ tags: ["x", "y"] }, [1]],
  [{ tags: ["y", "y"] }, [1, 2]],
  [{ tags: [] }, []],
  [{ types: ["Placed"], categories: ["order"], after: 1, limit: 1 }, [3]],
  [{ types: ["Placed"], tags: ["y"], categories: ["parcel"] }, []],
] as const;

test("readAll() gives the events that are asked for, by position", async () => {
  const store = await several();
  for (const [options, expected] of filters) {
    const found = await all(store.readAll(options));
    assert.deepEqual(found.map(({ position }) => position), expected, JSON.stringify(options));
  }
});

test("readAll() gives the log up to where it is when the reading begins", async () => {
  const store = await several();
  const seen: number[] = [];
  for await (const { position } of store.readAll()) {
    seen.push(position);
    await store.append("more", Paid());
  }
  assert.deepEqual(seen, [1, 2, 3, 4, 5]);
});

test("readAll() gives a long log in order", async () => {
  const store = shop();
  for (let index = 0; index < 30; index++) await store.append(`s:${index % 7}`, many(100));
  const positions = (await all(store.readAll())).map(({ position }) => position);
  assert.deepEqual(positions, Array.from({ length: 3000 }, (_, index) => index + 1));
});

test("readAll() inside a transaction gives committed events only", async () => {
  const store = await several();
  await store.transaction(async ({ store }) => {
    await store.append("new", Paid());
    assert.equal((await all(store.readAll())).length, 5);
    assert.equal(await store.position(), 5);
    assert.equal((await store.load("new")).length, 1);
  });
  assert.equal((await all(store.readAll())).length, 6);
});

test("fold() makes a value of a stream", async () => {
  const store = await several();
  const skus = (found: readonly string[], event: { readonly data: unknown }) =>
    event.data === undefined ? found : [...found, JSON.stringify(event.data)];
  assert.deepEqual(await store.fold("order:2", [], skus), ['{"sku":"b"}']);
  assert.deepEqual(await store.fold("nothing", ["initial"], skus), ["initial"]);
});

test("fold() stops at a version when it is given one", async () => {
  const store = await five();
  const count = (sum: number) => sum + 1;
  assert.equal(await store.fold("a", 0, count, { to: 3 }), 3);
  assert.equal(await store.fold("a", 0, count, { to: 0 }), 0);
  assert.equal(await store.fold("a", 0, count, { to: 9 }), 5);
});

test("fold() stops before the first event that was created later when it is given an instant", async () => {
  const store = shop();
  const created = (minute: number) => Paid(undefined, { createdAt: new Date(minute * 60_000) });
  await store.append("a", [created(1), created(2), created(5), created(3), created(6)]);
  const count = (sum: number) => sum + 1;
  for (
    const [minute, expected] of [[0, 0], [1, 1], [1.5, 1], [2, 2], [4, 2], [5, 4], [9, 5]] as const
  ) {
    const at = new Date(minute * 60_000);
    assert.equal(await store.fold("a", 0, count, { at }), expected);
  }
  assert.equal(await store.fold("a", 0, count, { at: new Date(60_000 * 9), to: 2 }), 2);
});

test("version() gives the last version, or 0 when there is no stream", async () => {
  const store = await five();
  assert.deepEqual([await store.version("a"), await store.version("b")], [5, 0]);
});

test("position() gives the settled position, or 0 when the log is empty", async () => {
  const store = shop();
  assert.equal(await store.position(), 0);
  const { position } = await store.append("a", many(3));
  assert.equal(await store.position(), position);
});

test("streams() lists ids in the order of their bytes, with version and times", async () => {
  const store = shop();
  const at = (minute: number) => ({ createdAt: new Date(minute * 60_000) });
  await store.append("order:b", [Paid(undefined, at(1)), Paid(undefined, at(2))]);
  for (const name of ["order:\u{1f600}", "order:\uffff", "order:a", "other", "order"]) {
    await store.append(name, Paid(undefined, at(3)));
  }
  const listed = await store.streams();
  const names = ["order", "order:a", "order:b", "order:\uffff", "order:\u{1f600}", "other"];
  assert.deepEqual(listed.map(({ streamId }) => streamId), names);
  assert.deepEqual(listed[2], {
    streamId: "order:b",
    version: 2,
    createdAt: new Date(60_000),
    updatedAt: new Date(120_000),
  });
});

test("streams() lists one category when it is given one", async () => {
  const store = await several();
  const names = async (category?: string) =>
    (await store.streams({ category })).map(({ streamId }) => streamId);
  assert.deepEqual(await names("order"), ["order:1", "order:2"]);
  assert.deepEqual(await names(""), ["loose"]);
  assert.deepEqual(await names("none"), []);
  assert.equal((await names()).length, 4);
});

test("streams() gives the same when it is iterated over", async () => {
  const store = new EventStore(memory(), { events });
  for (let index = 0; index < 2500; index++) await store.append(`s:${index}`, Paid());
  const listed = await store.streams();
  const iterated: unknown[] = [];
  for await (const stream of store.streams()) iterated.push(stream);
  assert.equal(iterated.length, 2500);
  assert.deepEqual(iterated, listed);
});

test("load() gives what was stored in the order it was stored", async () => {
  const store = shop();
  const given = [Placed({ sku: "a" }), Paid(), Sent()];
  await store.append("a", given);
  const loaded = await store.load("a");
  assert.deepEqual(ids(loaded), ids(given));
  assert.deepEqual(types(loaded), ["Placed", "Paid", "Sent"]);
});
