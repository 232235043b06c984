import type { ResultSet } from "@libsql/client";
import { sql } from "drizzle-orm";
import {
  type BaseSQLiteDatabase,
  integer,
  primaryKey,
  sqliteTable,
  text,
} from "drizzle-orm/sqlite-core";
import { type EventStore, Projection } from "event-sourcery";
import { lease } from "./catchup.ts";
import type { HistoryEvent } from "./events.ts";

/** A Drizzle handle for libSQL, or a transaction of one. */
export type Db = BaseSQLiteDatabase<"async", ResultSet>;

/** The number of commits for each contributor and day. */
export const activity = sqliteTable("activity", {
  day: text().notNull(),
  author: text().notNull(),
  commits: integer().notNull(),
  merges: integer().notNull(),
}, (table) => [primaryKey({ columns: [table.day, table.author] })]);

/** The names of contributors. */
export const people = sqliteTable("people", {
  id: text().primaryKey(),
  name: text().notNull(),
});

/** The times of tags. */
export const tags = sqliteTable("tags", {
  name: text().primaryKey(),
  day: text().notNull(),
});

/** Creates the tables of the read model if they do not exist. */
export async function prepare(db: Db): Promise<void> {
  await db.run(sql`create table if not exists activity (
    day text not null, author text not null, commits integer not null, merges integer not null,
    primary key (day, author)
  ) without rowid`);
  await db.run(sql`create table if not exists people (id text primary key, name text not null)`);
  await db.run(sql`create table if not exists tags (name text primary key, day text not null)`);
}

/** Updates the read model; `rebuild` builds it again from all events. */
export function readModel(store: EventStore<HistoryEvent, Db>): Projection<HistoryEvent, Db> {
  return new Projection<HistoryEvent, Db>(store, {
    name: "charts",
    lease,
    batchSize: 1000,
    handlers: {
      CommitMade: ({ createdAt, data: { author } }, { db }) =>
        count(db, { day: dayOf(createdAt), author, commits: 1, merges: 0 }),
      BranchesMerged: ({ createdAt, data: { author } }, { db }) =>
        count(db, { day: dayOf(createdAt), author, commits: 0, merges: 1 }),
      async VersionTagged({ createdAt, data: { name } }, { db }) {
        const day = dayOf(createdAt);
        await db.insert(tags).values({ name, day })
          .onConflictDoUpdate({ target: tags.name, set: { day } });
      },
      ContributorJoined: ({ streamId, data: { name } }, { db }) => call(db, streamId, name),
      ContributorRenamed: ({ streamId, data: { name } }, { db }) => call(db, streamId, name),
    },
    async reset({ db }) {
      for (const table of [activity, people, tags]) await db.delete(table);
    },
  });
}

async function count(db: Db, row: typeof activity.$inferInsert): Promise<void> {
  await db.insert(activity).values(row).onConflictDoUpdate({
    target: [activity.day, activity.author],
    set: {
      commits: sql`${activity.commits} + excluded.commits`,
      merges: sql`${activity.merges} + excluded.merges`,
    },
  });
}

async function call(db: Db, contributor: string, name: string): Promise<void> {
  const id = contributor.slice("contributor:".length);
  await db.insert(people).values({ id, name })
    .onConflictDoUpdate({ target: people.id, set: { name } });
}

function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
