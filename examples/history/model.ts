import type { ResultSet } from "@libsql/client";
import { sql } from "drizzle-orm";
import {
  type BaseSQLiteDatabase,
  integer,
  primaryKey,
  sqliteTable,
  text,
} from "drizzle-orm/sqlite-core";
import type { RecordedEvent } from "event-sourcery";
import type { HistoryEvent } from "./events.ts";

/** A Drizzle handle for libSQL, or a transaction of one. */
export type Db = BaseSQLiteDatabase<"async", ResultSet>;

/** Who committed how often on which day. */
export const activity = sqliteTable("activity", {
  day: text().notNull(),
  author: text().notNull(),
  commits: integer().notNull(),
  merges: integer().notNull(),
}, (table) => [primaryKey({ columns: [table.day, table.author] })]);

/** What contributors are called. */
export const people = sqliteTable("people", {
  id: text().primaryKey(),
  name: text().notNull(),
});

/** When which tag was made. */
export const tags = sqliteTable("tags", {
  name: text().primaryKey(),
  day: text().notNull(),
});

/** Makes the tables of the read model where they are missing. */
export async function prepare(db: Db): Promise<void> {
  await db.run(sql`create table if not exists activity (
    day text not null, author text not null, commits integer not null, merges integer not null,
    primary key (day, author)
  ) without rowid`);
  await db.run(sql`create table if not exists people (id text primary key, name text not null)`);
  await db.run(sql`create table if not exists tags (name text primary key, day text not null)`);
}

/** Keeps the read model: runs inside the transaction that stores the event. */
export async function project(
  event: RecordedEvent<HistoryEvent>,
  { db }: { readonly db: Db },
): Promise<void> {
  const day = event.createdAt.toISOString().slice(0, 10);
  switch (event.type) {
    case "CommitMade":
    case "BranchesMerged": {
      const merges = Number(event.type === "BranchesMerged");
      await db.insert(activity)
        .values({ day, author: event.data.author, commits: 1 - merges, merges })
        .onConflictDoUpdate({
          target: [activity.day, activity.author],
          set: {
            commits: sql`${activity.commits} + excluded.commits`,
            merges: sql`${activity.merges} + excluded.merges`,
          },
        });
      break;
    }
    case "VersionTagged": {
      const { name } = event.data;
      await db.insert(tags).values({ name, day })
        .onConflictDoUpdate({ target: tags.name, set: { day } });
      break;
    }
    case "ContributorJoined":
    case "ContributorRenamed": {
      const id = event.streamId.slice("contributor:".length);
      const { name } = event.data;
      await db.insert(people).values({ id, name })
        .onConflictDoUpdate({ target: people.id, set: { name } });
      break;
    }
  }
}
