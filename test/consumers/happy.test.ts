// What goes well leaves no trace but the checkpoint: no row a message, which would have to be cleaned up.
import { EventStore, Outbox } from "event-sourcery";
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Noted } from "../support/relay.ts";
import { engines, type Stage, stage } from "../support/stage.ts";

const messages = 600;
const streams = 20;

for (const engine of engines) {
  test(`Outbox on ${engine} keeps no row a message when all goes well`, {
    timeout: 120_000,
  }, async () => {
    await using shared = await stage(engine);
    const store = new EventStore(shared.driver, { events: [Noted] });
    const sent: number[] = [];
    let midway: Rows | undefined;
    const outbox = new Outbox(store, {
      lanes: 3,
      async publisher({ data }) {
        sent.push(data);
        if (sent.length === messages / 2) midway = await rowsOf(shared);
      },
    });
    await store.publish("s:first", Noted(0));
    await outbox.drain();
    const before = await rowsOf(shared);
    for (let number = 1; number <= messages; number++) {
      await store.publish(`s:${number % streams}`, Noted(number));
    }
    await outbox.drain();
    assert.deepEqual(
      sent.toSorted((a, b) => a - b),
      Array.from({ length: messages + 1 }, (_, number) => number),
    );
    const { events, ...others } = before;
    assert.deepEqual(await rowsOf(shared), { ...others, events: events! + messages });
    assert.deepEqual(midway, await rowsOf(shared));
    assert.equal(before["parked"], 0);
    assert.equal(before["checkpoints"], 3);
    assert.deepEqual(await outbox.parked(), []);
    const { lag, retrying, parked } = await outbox.status();
    assert.deepEqual([lag, retrying, parked], [0, 0, 0]);
  });
}

/** How many rows each table has, by its name without a prefix. */
type Rows = Readonly<Record<string, number>>;

/** Counts the rows of all tables there are, not only of those that the library says it has. */
async function rowsOf({ engine, driver, execute }: Stage): Promise<Rows> {
  const tables = await execute(
    driver.db,
    engine === "libsql" ? sql`select name from sqlite_master where type = 'table'` : sql`
      select quote_ident(table_schema) || '.' || quote_ident(table_name) as name
      from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema')`,
  ) as readonly { readonly name: string }[];
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await execute(driver.db, sql.raw(`select count(*) as rows from ${name}`)) as //
    readonly { readonly rows: number | string }[];
    counts[name.replace(/^(event_sourcery\.|es_)/, "")] = Number(row!.rows);
  }
  return counts;
}
