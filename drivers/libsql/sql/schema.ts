import { sql } from "drizzle-orm";
import {
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

/**
 * The tables of an event store, for drizzle-kit: opaque, since Drizzle's types are not part of this library's.
 *
 * @category Drivers
 */
export interface LibsqlTables {
  /** The log: an event a row, never updated. */
  readonly events: object;
  /** The tags of tagged events. */
  readonly eventTags: object;
  /** The consumers, each with its definition. */
  readonly consumers: object;
  /** The lanes of consumers: checkpoint, owner and lease of each. */
  readonly checkpoints: object;
  /** The parked streams of consumers. */
  readonly parked: object;
  /** The versions of this schema; empty if drizzle-kit created it. */
  readonly migrations: object;
}

/** The columns of the consumer that a row belongs to. */
const consumer = () => ({
  scope: text("scope").notNull(),
  name: text("name").notNull(),
  version: integer("version").notNull(),
});

/**
 * Returns the tables with a prefix, to be exported from a file that drizzle-kit reads.
 *
 * @param prefix The prefix of the tables' names, as given to `libsql(db, { prefix })`. @default "es_"
 * @category Drivers
 */
export function libsqlTables(prefix: string = "es_"): LibsqlTables {
  return {
    events: sqliteTable(`${prefix}events`, {
      // AUTOINCREMENT: a position is never reused, not even after the last event was deleted.
      position: integer("position").primaryKey({ autoIncrement: true }),
      tenantId: text("tenant_id").notNull(),
      streamId: text("stream_id").notNull(),
      version: integer("version").notNull(),
      category: text("category").notNull(),
      slot: integer("slot").notNull(),
      id: text("id").notNull(),
      type: text("type").notNull(),
      schemaVersion: integer("schema_version").notNull(),
      createdAt: text("created_at").notNull(),
      data: text("data"),
      metadata: text("metadata").notNull(),
      codec: text("codec"),
      tags: text("tags"),
      published: integer("published").notNull(),
    }, (events) => [
      uniqueIndex(`${prefix}events_stream`).on(events.tenantId, events.streamId, events.version),
      uniqueIndex(`${prefix}events_id`).on(events.tenantId, events.id),
      index(`${prefix}events_published`).on(events.position).where(sql`published`),
    ]),
    eventTags: sqliteTable(`${prefix}event_tags`, {
      tag: text("tag").notNull(),
      position: integer("position").notNull(),
    }, (tags) => [primaryKey({ columns: [tags.tag, tags.position] })]),
    consumers: sqliteTable(`${prefix}consumers`, {
      ...consumer(),
      lanes: integer("lanes").notNull(),
      filter: text("filter").notNull(),
      position: integer("position").notNull(),
      // The last sign of life of a process that runs it, and the error that last ended a run.
      seenAt: integer("seen_at"),
      errorCode: text("error_code"),
      error: text("error"),
    }, ({ scope, name, version }) => [primaryKey({ columns: [scope, name, version] })]),
    checkpoints: sqliteTable(`${prefix}checkpoints`, {
      ...consumer(),
      lane: integer("lane").notNull(),
      position: integer("position").notNull(),
      epoch: integer("epoch").notNull(),
      owner: text("owner"),
      // Instants that are compared are milliseconds since 1970.
      leasedUntil: integer("leased_until"),
      crashes: integer("crashes").notNull(),
      stalled: integer("stalled").notNull(),
    }, ({ scope, name, version, lane }) => [primaryKey({ columns: [scope, name, version, lane] })]),
    parked: sqliteTable(`${prefix}parked`, {
      ...consumer(),
      tenantId: text("tenant_id").notNull(),
      streamId: text("stream_id").notNull(),
      slot: integer("slot").notNull(),
      position: integer("position").notNull(),
      attempts: integer("attempts").notNull(),
      dueAt: integer("due_at"),
      error: text("error"),
      failedAt: integer("failed_at").notNull(),
    }, ({ scope, name, version, tenantId, streamId, dueAt }) => [
      primaryKey({ columns: [scope, name, version, tenantId, streamId] }),
      index(`${prefix}parked_due`).on(dueAt),
      index(`${prefix}parked_stream`).on(tenantId, streamId),
    ]),
    migrations: sqliteTable(`${prefix}migrations`, {
      version: integer("version").primaryKey(),
      minReader: integer("min_reader").notNull(),
      minWriter: integer("min_writer").notNull(),
      appliedAt: text("applied_at").notNull().default(sql`(strftime('%Y-%m-%dT%H:%M:%fZ'))`),
    }),
  };
}

const defaults: LibsqlTables = libsqlTables();

/**
 * The log under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const events: object = defaults.events;
/**
 * The tags under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const eventTags: object = defaults.eventTags;
/**
 * The consumers under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const consumers: object = defaults.consumers;
/**
 * The lanes of consumers under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const checkpoints: object = defaults.checkpoints;
/**
 * The parked streams under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const parked: object = defaults.parked;
/**
 * The versions under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const migrations: object = defaults.migrations;
