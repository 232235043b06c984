import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  json,
  PgSchema,
  primaryKey,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";

/** The tables of an event store, for drizzle-kit: opaque, since Drizzle's own types are no part of this library's. */
export interface PostgresTables {
  /** The schema that holds them. */
  readonly schema: object;
  /** Gives the positions of the log, from 1. */
  readonly position: object;
  /** The log: an event a row, never updated. */
  readonly events: object;
  /** The tags of tagged events. */
  readonly eventTags: object;
  /** The versions of this schema; empty where drizzle-kit made it. */
  readonly migrations: object;
}

/** Text in the order of its bytes, as SQLite orders it, whatever the database's own order is. */
const name = customType<{ data: string }>({ dataType: () => 'text collate "C"' });

/**
 * Gives the tables as they are in a schema, to be exported from a file that drizzle-kit reads.
 *
 * @param schema The schema's name, as given to `postgres(db, { schema })`. @default "event_sourcery"
 */
export function postgresTables(schema: string = "event_sourcery"): PostgresTables {
  const space = new PgSchema(schema);
  return {
    schema: space,
    position: space.sequence("position"),
    events: space.table("events", {
      // No default: an insert that does not take part in the append fence fails instead of being skipped by readers.
      position: bigint("position", { mode: "number" }).primaryKey(),
      tenantId: name("tenant_id").notNull(),
      streamId: name("stream_id").notNull(),
      version: integer("version").notNull(),
      category: name("category").notNull(),
      id: name("id").notNull(),
      type: name("type").notNull(),
      schemaVersion: integer("schema_version").notNull(),
      createdAt: timestamp("created_at", { withTimezone: true, precision: 3 }).notNull(),
      // json, not jsonb: jsonb reorders keys, turns -0 into 0 and reads a quarter slower.
      data: json("data"),
      metadata: json("metadata").notNull(),
      codec: json("codec"),
      tags: json("tags"),
      published: boolean("published").notNull(),
    }, (events) => [
      uniqueIndex("events_stream").on(events.tenantId, events.streamId, events.version),
      uniqueIndex("events_id").on(events.tenantId, events.id),
      index("events_published").on(events.position).where(sql`${events.published}`),
    ]),
    eventTags: space.table("event_tags", {
      tag: name("tag").notNull(),
      position: bigint("position", { mode: "number" }).notNull(),
    }, (tags) => [primaryKey({ name: "event_tags_pkey", columns: [tags.tag, tags.position] })]),
    migrations: space.table("migrations", {
      version: integer("version").primaryKey(),
      minReader: integer("min_reader").notNull(),
      minWriter: integer("min_writer").notNull(),
      appliedAt: timestamp("applied_at", { withTimezone: true, precision: 3 }).notNull()
        .defaultNow(),
    }),
  };
}

const defaults: PostgresTables = postgresTables();

/** The default schema, for drizzle-kit. */
export const schema: object = defaults.schema;
/** The sequence of positions in the default schema, for drizzle-kit. */
export const position: object = defaults.position;
/** The log in the default schema, for drizzle-kit. */
export const events: object = defaults.events;
/** The tags in the default schema, for drizzle-kit. */
export const eventTags: object = defaults.eventTags;
/** The versions of the default schema, for drizzle-kit. */
export const migrations: object = defaults.migrations;
