import { sql } from "drizzle-orm";
import { defineEvent, type Driver, EventStore, Outbox, Subscription } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { test } from "node:test";
import { libsqlCatalog, postgresCatalog, query } from "../support/catalog.ts";
import { program, run } from "../support/command.ts";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";

/** An engine, with what it takes to look behind its driver. */
interface Bench {
  /** Opens another driver, which knows nothing of the first. */
  driver(): Driver;
  /** Runs a statement; `:events`, `:migrations` and `:rewind` stand for what this engine calls them. */
  execute(text: string): Promise<unknown>;
  catalog(): Promise<unknown>;
  readonly url: string | undefined;
  close(): Promise<void>;
}

const engines: Record<string, () => Promise<Bench>> = {
  async postgres() {
    const { db, url, close } = await postgresHandles[0]!.open();
    return {
      driver: () => postgres(db),
      execute: (text) =>
        query(
          db,
          text.replace(/:(events|migrations)/, "event_sourcery.$1")
            .replace(":rewind", "select setval('event_sourcery.position', 1)"),
        ),
      catalog: () => postgresCatalog(db, "event_sourcery"),
      url,
      close,
    };
  },
  async libsql() {
    const { db, url, close } = await libsqlHandles[1]!.open();
    return {
      driver: () => libsql(db),
      execute: (text) =>
        db.run(sql.raw(
          text.replace(/:(events|migrations)/, "es_$1")
            .replace(":rewind", "update sqlite_sequence set seq = 1 where name = 'es_events'"),
        )),
      catalog: () => libsqlCatalog(db),
      url,
      close,
    };
  },
};

const Noted = defineEvent("Noted");
const timeout = 60_000;

/** One call of every operation. */
const uses: readonly ((store: EventStore<ReturnType<typeof Noted>>) => Promise<unknown>)[] = [
  (store) => store.append("a", Noted()),
  (store) => store.load("a"),
  async (store) => await store.streams(),
  (store) => store.position(),
  (store) => store.delete("a"),
  (store) => store.transaction(() => {}),
];

function check(what: string, work: (bench: Bench, engine: string) => Promise<void>): void {
  for (const [engine, open] of Object.entries(engines)) {
    test(`${engine}: ${what}`, { timeout }, async () => {
      const bench = await open();
      try {
        await work(bench, engine);
      } finally {
        await bench.close();
      }
    });
  }
}

check(
  "migrate() by four processes with five clients each makes one schema",
  async (bench, engine) => {
    const processes = await Promise.all(
      Array.from({ length: 4 }, () => run(program("test/support/migrator", engine, bench.url!))),
    );
    for (const { ok, output } of processes) assert.ok(ok, output);
    const made = await bench.catalog();
    await bench.driver().migrate();
    assert.deepEqual(await bench.catalog(), made);
    const alone = await engines[engine]!();
    try {
      await alone.driver().migrate();
      assert.deepEqual(made, await alone.catalog());
    } finally {
      await alone.close();
    }
  },
);

check("migrate() says which tables of a log have vanished", async ({ driver, execute }) => {
  await driver().migrate();
  await new EventStore(driver(), { events: [Noted] }).append("a", Noted());
  await execute("drop table :migrations");
  const gone = (table: string) => ({
    code: "MISSING_SCHEMA",
    message: new RegExp(`of its tables, ${table} have vanished`),
  });
  await assert.rejects(driver().migrate(), gone("migrations"));
});

check("migrate() makes no new table of events beside old checkpoints", async (bench) => {
  const { driver, execute, catalog } = bench;
  await driver().migrate();
  await execute("drop table :events");
  const left = await catalog();
  await assert.rejects(driver().migrate(), { code: "MISSING_SCHEMA", message: /, events have / });
  assert.deepEqual(await catalog(), left);
});

check("migrate() goes on with a migration that was interrupted", async (bench) => {
  const { driver, execute, catalog } = bench;
  await driver().migrate();
  const made = await catalog();
  await execute("drop table :migrations");
  await driver().migrate();
  assert.deepEqual(await catalog(), made);
});

check(
  "every operation says that the tables are missing, until migrate() makes them",
  async ({ driver }) => {
    const store = new EventStore(driver(), { events: [Noted] });
    for (const use of uses) {
      await assert.rejects(use(store), { code: "MISSING_SCHEMA", message: /migrate\(\)/ });
    }
    await driver().migrate();
    for (const use of uses) await use(store);
  },
);

check(
  "a newer schema that allows older code is used as it is",
  async ({ driver, execute, catalog }) => {
    await driver().migrate();
    await execute("insert into :migrations (version, min_reader, min_writer) values (999, 1, 1)");
    const before = await catalog();
    await driver().migrate();
    assert.deepEqual(await catalog(), before);
    const store = new EventStore(driver(), { events: [Noted] });
    assert.equal((await store.append("a", Noted())).version, 1);
  },
);

for (const [reader, writer] of [[999, 1], [1, 999]] as const) {
  check(`a schema for readers of ${reader} and writers of ${writer} is refused`, async (bench) => {
    await bench.driver().migrate();
    await bench.execute(
      `insert into :migrations (version, min_reader, min_writer) values (999, ${reader}, ${writer})`,
    );
    for (const use of uses) {
      const refused = use(new EventStore(bench.driver(), { events: [Noted] }));
      await assert.rejects(refused, { code: "NEWER_SCHEMA", message: /schema version 999:/ });
    }
    await assert.rejects(bench.driver().migrate(), { code: "NEWER_SCHEMA" });
  });
}

check("tables of version 1 are refused by migrate() and by every operation", async (bench) => {
  await bench.driver().migrate();
  await bench.execute("delete from :migrations");
  await bench.execute("insert into :migrations (version, min_reader, min_writer) values (1, 1, 1)");
  const before = await bench.catalog();
  const outdated = { code: "OUTDATED_SCHEMA", message: /schema version 1: .* drop the tables/ };
  for (const use of uses) {
    const store = new EventStore(bench.driver(), { events: [Noted] });
    await assert.rejects(use(store), outdated);
    await assert.rejects(new Outbox(store, { publisher() {} }).run(), outdated);
  }
  await assert.rejects(bench.driver().migrate(), outdated);
  assert.deepEqual(await bench.catalog(), before);
});

check("migrate() refuses a log whose next position was given before", async (bench) => {
  await bench.driver().migrate();
  const store = new EventStore(bench.driver(), { events: [Noted] });
  await store.append("a", [Noted(), Noted(), Noted()]);
  await bench.execute(":rewind");
  await assert.rejects(bench.driver().migrate(), {
    code: "STORE_REWOUND",
    message: /its next position follows 1, but position 3 was already given/,
  });
});

check("migrate() and consumers refuse a log that ends before a checkpoint", async (bench) => {
  await bench.driver().migrate();
  const store = new EventStore(bench.driver(), { events: [Noted] });
  await store.append("a", [Noted(), Noted(), Noted()]);
  const read = () => new Subscription(store, { name: "reader", handler() {} }).runOnce();
  assert.equal((await read()).position, 3);
  await store.delete("a");
  await bench.execute(":rewind");
  const rewound = { code: "STORE_REWOUND", message: /follows 1, but position 3 was already given/ };
  await assert.rejects(bench.driver().migrate(), rewound);
  await assert.rejects(read(), rewound);
  await store.append("a", [Noted(), Noted()]);
  await assert.doesNotReject(bench.driver().migrate());
});

check("migrate() takes a log whose last events were deleted", async (bench) => {
  await bench.driver().migrate();
  const store = new EventStore(bench.driver(), { events: [Noted] });
  await store.append("a", Noted());
  await store.append("b", [Noted(), Noted()]);
  await store.delete("b");
  await bench.driver().migrate();
  assert.equal(await store.position(), 3);
  assert.equal((await store.append("b", Noted())).position, 4);
});

/** What a process may do first. */
const firsts: Readonly<Record<string, (store: EventStore<ReturnType<typeof Noted>>) => unknown>> = {
  "append()": (store) => store.append("b", Noted()),
  "append() of many": (store) => store.append("b", [Noted(), Noted()]),
  "load()": (store) => store.load("a"),
  "position()": (store) => store.position(),
  "transaction()": (store) => store.transaction(() => {}),
  "delete()": (store) => store.delete("a"),
  "a consumer": (store) => new Subscription(store, { name: "other", handler() {} }).runOnce(),
};

for (const [held, remove] of [["an event", false], ["a checkpoint", true]] as const) {
  check(
    `the first operation refuses a log that ends before ${held}, until it is repaired`,
    async (bench) => {
      await bench.driver().migrate();
      const store = new EventStore(bench.driver(), { events: [Noted] });
      await store.append("a", [Noted(), Noted(), Noted(), Noted()]);
      const read: number[] = [];
      const reader = (from: typeof store) =>
        new Subscription(from, {
          name: "reader",
          handler: ({ position }) => void read.push(position),
        });
      await reader(store).runOnce();
      if (remove) await store.delete("a");
      await bench.execute(":rewind");
      const stores = Object.values(firsts).map((use) => ({
        use: async (of: typeof store) => await use(of),
        store: new EventStore(bench.driver(), { events: [Noted] }),
      }));
      const rewound = {
        code: "STORE_REWOUND",
        message: /follows 1, but position 4 was already given.*await driver\.repairPosition\(\)/,
      };
      for (const { use, store } of stores) await assert.rejects(use(store), rewound);
      const [repairing, another] = [bench.driver(), bench.driver()];
      const heads = await Promise.all([repairing.repairPosition(), another.repairPosition()]);
      assert.deepEqual([...heads, await repairing.repairPosition()], [4, 4, 4]);
      for (const { use, store } of stores) await use(store); // also those that were refused before
      const { position } = await store.append("c", Noted());
      assert.equal(position, 8);
      await reader(store).runOnce();
      assert.deepEqual(read.slice(4), [5, 6, 7, 8], "nothing was stored where no consumer looks");
      await bench.driver().migrate();
    },
  );
}

check("repairPosition() refuses tables that are missing or too new", async (bench) => {
  await assert.rejects(bench.driver().repairPosition(), { code: "MISSING_SCHEMA" });
  await bench.driver().migrate();
  assert.equal(await bench.driver().repairPosition(), 0);
  await bench.execute(
    "insert into :migrations (version, min_reader, min_writer) values (999, 999, 999)",
  );
  await assert.rejects(bench.driver().repairPosition(), { code: "NEWER_SCHEMA" });
});
