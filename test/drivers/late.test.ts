// What Postgres must do for conditions beyond the contract: other appends commit later than their positions say, hold
// locks, and run in transactions of any isolation.
import {
  ConcurrencyError,
  defineEvent,
  EventStore,
  isEventSourceryError,
  type JoinedStore,
} from "event-sourcery";
import { postgres, type PostgresOptions } from "event-sourcery/postgres";
import { drizzle } from "drizzle-orm/postgres-js";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import client from "postgres";
import { mostKeys } from "../../drivers/postgres/keys.ts";
import { guard } from "../../drivers/postgres/sql/match.ts";
import { gate } from "../support/gate.ts";
import { createDatabase, type Database, postgresServers } from "../support/postgres.ts";

const timeout = 60_000;
const Noted = defineEvent<number>()("Noted");
const events = [Noted] as const;
const red = { tags: ["red"] } as const;
const tagged = (data: number, ...tags: readonly string[]) => Noted(data, { tags });

for (const server of postgresServers) {
  let database: Database;
  let connection: ReturnType<typeof client>;
  let schemas = 0;

  before(async () => {
    database = await createDatabase(server);
    connection = client(database.url, { max: 10, onnotice: () => {}, fetch_types: false });
  });
  after(async () => {
    await connection.end({ timeout: 1 });
    await database.drop();
  });

  const open = async (options: PostgresOptions = {}) => {
    const schema = `l${++schemas}`;
    const driver = postgres(drizzle(connection), { schema, ...options });
    await driver.migrate();
    return { driver, schema, store: new EventStore(driver, { events }) };
  };
  type Store = Awaited<ReturnType<typeof open>>["store"];

  /** Appends in a transaction that stays open until it is told how to end. */
  const hold = async (store: Store, event: ReturnType<typeof Noted>) => {
    const appended = gate();
    const end = gate();
    let failure: Error | undefined;
    const ended = store.transaction(async ({ store }) => {
      await store.append("held", event);
      appended.open();
      await end.passed;
      if (failure !== undefined) throw failure;
    });
    ended.catch(() => {});
    await appended.passed;
    return {
      async commit() {
        end.open();
        await ended;
      },
      async rollBack() {
        failure = new Error("changed its mind");
        end.open();
        await ended.catch(() => {});
      },
    };
  };

  test(
    `${server}: a match that commits late, below those that were read, refuses`,
    { timeout },
    async () => {
      for (const commits of [true, false]) {
        const { store } = await open();
        const held = await hold(store, tagged(1, "red"));
        await store.append("s", tagged(2, "red"));
        const { events, condition } = await store.query(red);
        assert.deepEqual(events.map(({ data }) => data), [2]);
        assert.deepEqual(condition.seen, [2]);
        const append = store.append("s", tagged(3, "red"), { condition });
        append.catch(() => {});
        await (commits ? held.commit() : held.rollBack());
        if (!commits) await append;
        else {
          await assert.rejects(
            append,
            (error) =>
              error instanceof ConcurrencyError && error.condition?.position === 1 &&
              error.condition.streamId === "held",
          );
        }
      }
    },
  );

  test(
    `${server}: a match that stays open ends the wait by BusyError, and holds up no other append`,
    {
      timeout,
    },
    async () => {
      const { store } = await open({ busyTimeout: 600 });
      const { condition } = await store.query(red);
      const held = await hold(store, tagged(1, "red"));
      const waiting = assert.rejects(
        store.append("s", tagged(2, "red"), { condition }),
        (error) => isEventSourceryError(error, "BUSY"),
      );
      // Behind an exclusive lock that waits without a pause, none of these would be stored before it gives up.
      let stored = 0;
      let over = false;
      void waiting.finally(() => over = true);
      while (!over) {
        await store.append("t", tagged(3, "red"));
        stored++;
      }
      await waiting;
      assert.ok(stored > 10, `${stored} appends`);
      await held.commit();
      assert.equal(await store.version("s"), 0);
    },
  );

  test(
    `${server}: one sees what one has stored, although an older append is open`,
    { timeout },
    async () => {
      const { store } = await open();
      const held = await hold(store, tagged(1, "blue"));
      await store.append("s", tagged(2, "red"));
      const { condition } = await store.query(red);
      await store.append("s", tagged(3, "red"), { condition });
      await held.commit();
      const again = (await store.query(red)).condition;
      await store.append("s", tagged(4, "red"), { condition: again });
    },
  );

  test(
    `${server}: what counts as settled was known before the read began`,
    { timeout },
    async () => {
      const { store, driver } = await open();
      await store.append("s", tagged(1, "red"));
      assert.equal((await store.query(red)).condition.after, 1);
      await store.append("s", tagged(2, "red"));
      const { condition } = await store.query(red);
      assert.deepEqual([condition.after, condition.seen], [1, [2]]);
      assert.equal(await driver.settled(), 2);
      assert.deepEqual((await store.query(red)).condition.after, 2);
    },
  );

  test(`${server}: an append waits for a condition that is being checked, and comes after it`, {
    timeout,
  }, async () => {
    const { store } = await open();
    const { condition } = await store.query(red);
    const checked = gate();
    const end = gate();
    const claim = store.transaction(async ({ store }) => {
      const { position } = await store.append("s", tagged(1, "red"), { condition });
      checked.open();
      await end.passed;
      return position;
    });
    await checked.passed;
    const waiting = [
      store.append("t", tagged(2, "red")),
      store.appendAll([
        { streamId: "u", events: tagged(3, "red") },
        { streamId: "v", events: tagged(4, "blue") },
      ]),
    ];
    const other = await store.append("w", tagged(5, "blue"));
    assert.equal(await Promise.race([Promise.any(waiting), "waits"]), "waits");
    end.open();
    const position = await claim;
    assert.equal(other.position, position + 1);
    for (const result of (await Promise.all(waiting)).flat()) {
      assert.ok((result as { position: number }).position > position);
    }
  });

  test(
    `${server}: the same events again win over their condition, which they match`,
    { timeout },
    async () => {
      const { store } = await open();
      const { condition } = await store.query(red);
      const event = tagged(1, "red");
      const first = await store.append("s", event, { condition });
      assert.deepEqual(await store.append("s", event, { condition }), first);
    },
  );

  test(`${server}: where a check would see an old state, it is refused before anything is sent`, {
    timeout,
  }, async () => {
    const { store, driver } = await open();
    const { condition } = await store.query(red);
    const db = drizzle(connection);
    for (const isolationLevel of ["repeatable read", "serializable"] as const) {
      await db.transaction(async (tx) => {
        const joined: JoinedStore<ReturnType<typeof Noted>, unknown> = store.using(tx as never);
        await assert.rejects(
          joined.append("s", tagged(1, "red"), { condition }),
          (error) =>
            isEventSourceryError(error, "UNSUPPORTED") && error.message.includes(isolationLevel),
        );
        await joined.append("s", tagged(2, "blue"));
      }, { isolationLevel });
    }
    assert.equal(await store.version("s"), 2);
    await connection.unsafe(
      "do $$ begin execute format('alter database %I set default_transaction_isolation = serializable', current_database()); end $$",
    );
    const serializable = client(database.url, { max: 2, onnotice: () => {}, fetch_types: false });
    try {
      const other = postgres(drizzle(serializable), { schema: `l${schemas}` });
      const there = new EventStore(other, { events });
      await there.append("s", tagged(3, "red"), { condition });
      await assert.rejects(
        there.append("s", tagged(4, "red"), { condition }),
        (error) => isEventSourceryError(error, "CONCURRENCY"),
      );
    } finally {
      await serializable.end({ timeout: 1 });
      await connection.unsafe(
        "do $$ begin execute format('alter database %I reset default_transaction_isolation', current_database()); end $$",
      );
    }
    assert.ok(driver.capabilities.conditions);
  });

  test(
    `${server}: of two transactions that append and then ask about it, one ends`,
    { timeout },
    async () => {
      const { store } = await open();
      const both = [gate(), gate()];
      const run = (own: number) =>
        store.transaction(async ({ store }) => {
          await store.append(`s:${own}`, tagged(own, "red"));
          both[own]!.open();
          await Promise.all(both.map(({ passed }) => passed));
          const { condition } = await store.query(red);
          await store.append(`t:${own}`, tagged(own, "red"), { condition });
        });
      const results = await Promise.allSettled([run(0), run(1)]);
      const failed = results.flatMap((result) =>
        result.status === "rejected" ? [result.reason] : []
      );
      assert.ok(failed.length >= 1);
      assert.ok(
        failed.some((error) => error instanceof ConcurrencyError && error.transactionAborted),
        String(failed),
      );
    },
  );

  test(
    `${server}: appends with more keys than are locked one by one and conditions wait for each other`,
    {
      timeout,
    },
    async () => {
      const { store } = await open({ busyTimeout: 400 });
      const { condition } = await store.query(red);
      const many = (own: number) =>
        Array.from({ length: mostKeys + 1 }, (_, index) => tagged(index, `${own}:${index}`));
      const appended = gate();
      const end = gate();
      const wide = store.transaction(async ({ store }) => {
        await store.append("wide", many(1));
        appended.open();
        await end.passed;
      });
      await appended.passed;
      await store.append("other", many(2));
      await store.append("plain", tagged(1, "red"));
      await assert.rejects(
        store.append("s", tagged(2, "green"), {
          condition: { ...condition, query: { tags: ["green"] } },
        }),
        (error) => isEventSourceryError(error, "BUSY"),
      );
      end.open();
      await wide;
      const { condition: later } = await store.query({ tags: ["1:7"] });
      await store.append("s", [...many(1), ...many(3)], { condition: later });
      await assert.rejects(
        store.append("s", tagged(3, "green"), { condition: later }),
        (error) => isEventSourceryError(error, "CONCURRENCY"),
      );
    },
  );

  test(
    `${server}: a condition of a log that went further than this one is refused`,
    { timeout },
    async () => {
      const { store } = await open();
      await store.append("s", tagged(1, "red"));
      await assert.rejects(
        store.append("s", tagged(2, "red"), { condition: { query: red, after: 5 } }),
        (error) => isEventSourceryError(error, "STORE_REWOUND"),
      );
      assert.equal(await store.version("s"), 1);
    },
  );

  test(`${server}: a check reads by indexes from its position on`, { timeout }, async () => {
    const { schema, store } = await open();
    await store.append(
      "s",
      Array.from({ length: 2000 }, (_, index) => tagged(index, "all", `own:${index}`)),
    );
    await connection.unsafe(`analyze ${schema}.events; analyze ${schema}.event_tags`);
    const places = { tenant: "''", items: "$1", after: "$2", seen: "$3" };
    for (const shape of ["0.1", "0.2", "2.0", "1.2 0.1"]) {
      const text = `explain select 1 where ${guard(`"${schema}"`, shape, places)}`;
      const items = '[{"types":["Noted","Other"],"tags":["all","own:7"]},{"tags":["all"]}]';
      const rows = await connection.unsafe(
        text,
        [items, "1990", "[]"],
      );
      const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
      assert.doesNotMatch(plan, /Seq Scan on (events|event_tags)|JIT/, `${shape}\n${plan}`);
    }
  });
}
