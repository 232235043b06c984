// Events in a file, with libSQL embedded. Run it twice: the second run finds what the first one wrote.
import { createClient } from "@libsql/client";
import { desc, sql } from "drizzle-orm";
import { drizzle, type LibSQLDatabase } from "drizzle-orm/libsql";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { defineEvent, type EventOf, EventStore, type RecordedEvent } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const TrackPlayed = defineEvent<{ track: string; seconds: number }>()("TrackPlayed");
const TrackLiked = defineEvent<{ track: string }>()("TrackLiked");
const events = [TrackPlayed, TrackLiked] as const;
type PlayerEvent = EventOf<typeof events[number]>;

// The read model: a table of your own, in the shape that the screen wants.
const charts = sqliteTable("charts", {
  track: text().primaryKey(),
  plays: integer().notNull(),
  likes: integer().notNull(),
});

type Db = Pick<LibSQLDatabase, "insert">;

async function keepCharts(event: RecordedEvent<PlayerEvent>, { db }: { db: Db }): Promise<void> {
  const plays = Number(event.type === "TrackPlayed");
  const likes = Number(event.type === "TrackLiked");
  await db.insert(charts).values({ track: event.data.track, plays, likes }).onConflictDoUpdate({
    target: charts.track,
    set: { plays: sql`${charts.plays} + ${plays}`, likes: sql`${charts.likes} + ${likes}` },
  });
}

const path = process.argv[2] ?? join(tmpdir(), "event-sourcery-player.db");
const client = createClient({ url: pathToFileURL(path).href });
const db = drizzle(client);
const driver = libsql(db);
await driver.migrate();
const create =
  sql`create table if not exists charts (track text primary key, plays int, likes int)`;
await db.run(create);

// The charts change in the transaction that stores the event: the two are always consistent.
const store = new EventStore(driver, { events, subscriptions: { "*": [keepCharts] } });
const before = await store.version("player:kitchen");

await store.append("player:kitchen", [
  TrackPlayed({ track: "Blue in Green", seconds: 337 }),
  TrackPlayed({ track: "So What", seconds: 562 }),
  TrackLiked({ track: "So What" }),
]);
assert.equal(await store.version("player:kitchen"), before + 3);

// The history, in plain SQL: id, stream, name, time (UTC) and data of each event.
const history = await db.all<Record<string, string>>(sql`
  select id, stream_id, type, created_at, data from es_events
  where stream_id = 'player:kitchen' order by version`);
assert.equal(history.length, before + 3);
const last = history.at(-1)!;
assert.deepEqual([last["type"], last["data"]], ["TrackLiked", '{"track":"So What"}']);
assert(Date.now() - Date.parse(last["created_at"]!) < 60_000);

const read = () => db.select().from(charts).orderBy(desc(charts.likes), charts.track);
const shown = await read();
assert.equal(shown[0]?.track, "So What");

// When the append fails, the charts do not change either.
const failing = store.transaction(async ({ store }) => {
  await store.append("player:kitchen", TrackLiked({ track: "Blue in Green" }));
  throw new Error("the power is gone");
});
await assert.rejects(failing, /power/);
assert.deepEqual(await read(), shown);

// A read model can be dropped and rebuilt from the events, with the same content.
await store.transaction(async ({ store, db }) => {
  await db.delete(charts);
  for await (const event of store.readAll()) await keepCharts(event, { db });
});
assert.deepEqual(await read(), shown);

console.table(shown);
console.log(`${before + 3} events in ${path}, ${before} of them from earlier runs`);
client.close();
