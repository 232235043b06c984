// A read model in your own table, updated exactly once for each event; rebuilt, and replaced while in use.
import { createClient } from "@libsql/client";
import { desc, sql } from "drizzle-orm";
import { drizzle, type LibSQLDatabase } from "drizzle-orm/libsql";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { defineEvent, EventStore, Projection } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const BookSold = defineEvent<{ title: string; copies: number }>()("BookSold");
const BookReturned = defineEvent<{ title: string; copies: number }>()("BookReturned");

// One table for each version of the read model.
const bestsellers = (version: number) =>
  sqliteTable(`bestsellers_${version}`, {
    title: text().primaryKey(),
    copies: integer().notNull(),
  });
const [first, second] = [bestsellers(1), bestsellers(2)];
type Db = Pick<LibSQLDatabase, "insert">;

async function add(table: typeof first, db: Db, title: string, copies: number): Promise<void> {
  await db.insert(table).values({ title, copies }).onConflictDoUpdate({
    target: table.title,
    set: { copies: sql`${table.copies} + excluded.copies` },
  });
}

const folder = mkdtempSync(join(tmpdir(), "event-sourcery-projection-"));
const client = createClient({ url: pathToFileURL(join(folder, "books.db")).href });
const db = drizzle(client);
const driver = libsql(db);
await driver.migrate();
for (const table of [first, second]) {
  await db.run(sql`create table ${table} (title text primary key, copies integer not null)`);
}
const read = (table: typeof first) => db.select().from(table).orderBy(desc(table.copies));

const store = new EventStore(driver, { events: [BookSold, BookReturned] });
const sold = new Projection(store, {
  name: "bestsellers",
  handlers: {
    BookSold: ({ data }, { db }) => add(first, db, data.title, data.copies),
  },
  reset: ({ db }) => db.delete(first),
});

await store.append("book:1", BookSold({ title: "Persuasion", copies: 3 }));
await store.append("book:2", BookSold({ title: "Emma", copies: 2 }));
await sold.runOnce();
const shown = await read(first);
assert.deepEqual(shown, [{ title: "Persuasion", copies: 3 }, { title: "Emma", copies: 2 }]);

// The table was changed by hand; it is rebuilt from the events, with the same content.
await db.update(first).set({ copies: 1000 });
await sold.rebuild();
assert.deepEqual(await read(first), shown);

// It runs beside the requests. A writer can wait until its change is visible: read your own writes.
const stop = new AbortController();
const running = sold.run({ signal: stop.signal });
const { position } = await store.append("book:2", BookSold({ title: "Emma", copies: 5 }));
await sold.waitFor(position);
assert.deepEqual((await read(first))[0], { title: "Emma", copies: 7 });

// A better version, which subtracts returned books, is built beside the old one, still in use. Then readers switch.
const better = new Projection(store, {
  name: "bestsellers",
  version: 2,
  handlers: {
    BookSold: ({ data }, { db }) => add(second, db, data.title, data.copies),
    BookReturned: ({ data }, { db }) => add(second, db, data.title, -data.copies),
  },
});
await store.append("book:2", BookReturned({ title: "Emma", copies: 6 }));
await better.drain();
assert.deepEqual((await read(first))[0], { title: "Emma", copies: 7 });
assert.deepEqual(await read(second), [
  { title: "Persuasion", copies: 3 },
  { title: "Emma", copies: 1 },
]);

// Live, for example to a browser: a follower gets the stored events, then new ones as they arrive.
const follower = new AbortController();
const titles: string[] = [];
for await (const { data } of store.follow({ types: ["BookSold"], signal: follower.signal })) {
  if (titles.push(data.title) === 3) {
    await store.append("book:3", BookSold({ title: "Middlemarch", copies: 1 }));
  }
  if (titles.length === 4) follower.abort();
}
assert.deepEqual(titles, ["Persuasion", "Emma", "Emma", "Middlemarch"]);
stop.abort();
await running;

// Inline, the same handlers run inside the append: never behind, at the cost of slower appends.
const counted = new Map<string, number>();
const count = new Projection(store, {
  name: "count",
  inline: true,
  handlers: {
    BookSold: ({ data: { title, copies } }) =>
      void counted.set(title, (counted.get(title) ?? 0) + copies),
  },
  reset: () => counted.clear(),
});
await count.rebuild(); // with the events appended before
await store.append("book:3", BookSold({ title: "Middlemarch", copies: 1 }));
assert.deepEqual(Object.fromEntries(counted), { Persuasion: 3, Emma: 7, Middlemarch: 2 });

console.table(await read(second));
console.log("Three read models of one log: version 1, version 2, inline");
client.close();
rmSync(folder, { recursive: true });
