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
  /** The latest state of streams, so that they need not be read from the start. */
  readonly snapshots: object;
  /** The keys that seal personal data, a row a person. */
  readonly subjectKeys: object;
  /** The events that wait for their time. */
  readonly scheduled: object;
  /** The messages that were handled. */
  readonly inbox: object;
  /** The versions of this schema; empty if drizzle-kit created it. */
  readonly migrations: object;
}

const now = sql`(strftime('%Y-%m-%dT%H:%M:%fZ'))`;

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
      // Copied from another log: history, which consumers handle as a replay.
      imported: integer("imported").notNull().default(0),
    }, (events) => [
      uniqueIndex(`${prefix}events_stream`).on(events.tenantId, events.streamId, events.version),
      uniqueIndex(`${prefix}events_id`).on(events.tenantId, events.id),
      index(`${prefix}events_type`).on(events.tenantId, events.type, events.position),
      index(`${prefix}events_published`).on(events.position).where(sql`published`),
      // An event that begins a flow is found by its id: only those that follow have an entry.
      index(`${prefix}events_correlation`).on(
        events.tenantId,
        sql`(metadata ->> 'correlationId')`,
      ).where(sql`(metadata ->> 'correlationId') <> id`),
    ]),
    eventTags: sqliteTable(`${prefix}event_tags`, {
      tenantId: text("tenant_id").notNull(),
      tag: text("tag").notNull(),
      position: integer("position").notNull(),
    }, ({ tenantId, tag, position }) => [primaryKey({ columns: [tenantId, tag, position] })]),
    consumers: sqliteTable(`${prefix}consumers`, {
      ...consumer(),
      lanes: integer("lanes").notNull(),
      filter: text("filter").notNull(),
      position: integer("position").notNull(),
      replay: integer("replay").notNull().default(0),
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
      // What failures of one kind have in common.
      fingerprint: text("fingerprint"),
      firstFailedAt: integer("first_failed_at"),
      failedAt: integer("failed_at").notNull(),
      redriven: integer("redriven").notNull().default(0),
    }, ({ scope, name, version, tenantId, streamId, dueAt }) => [
      primaryKey({ columns: [scope, name, version, tenantId, streamId] }),
      index(`${prefix}parked_due`).on(dueAt),
      index(`${prefix}parked_stream`).on(tenantId, streamId),
    ]),
    snapshots: sqliteTable(`${prefix}snapshots`, {
      tenantId: text("tenant_id").notNull(),
      streamId: text("stream_id").notNull(),
      kind: text("kind").notNull(),
      stateVersion: integer("state_version").notNull(),
      // The event it stands at; the id tells a stream from one of the same name that was deleted.
      version: integer("version").notNull(),
      eventId: text("event_id").notNull(),
      latestAt: text("latest_at").notNull(),
      data: text("data"),
      codec: text("codec"),
      savedAt: text("saved_at").notNull(),
    }, ({ tenantId, streamId, kind, stateVersion }) => [
      primaryKey({ columns: [tenantId, streamId, kind, stateVersion] }),
    ]),
    subjectKeys: sqliteTable(`${prefix}subject_keys`, {
      tenantId: text("tenant_id").notNull(),
      subject: text("subject").notNull(),
      id: text("id").notNull(),
      // The newest first; null once the subject was forgotten.
      keys: text("keys"),
      createdAt: text("created_at").notNull().default(now),
      forgottenAt: text("forgotten_at"),
    }, ({ tenantId, subject, id }) => [
      primaryKey({ columns: [tenantId, subject] }),
      uniqueIndex(`${prefix}subject_keys_id`).on(id),
    ]),
    scheduled: sqliteTable(`${prefix}scheduled`, {
      // The order of those that are due at the same time.
      seq: integer("seq").primaryKey({ autoIncrement: true }),
      tenantId: text("tenant_id").notNull(),
      id: text("id").notNull(),
      streamId: text("stream_id").notNull(),
      dueAt: integer("due_at").notNull(),
      type: text("type").notNull(),
      schemaVersion: integer("schema_version").notNull(),
      data: text("data"),
      metadata: text("metadata").notNull(),
      codec: text("codec"),
      tags: text("tags"),
      published: integer("published").notNull(),
      attempts: integer("attempts").notNull().default(0),
      error: text("error"),
      // Set once it is not tried again.
      failedAt: integer("failed_at"),
    }, ({ tenantId, id, streamId, dueAt, seq }) => [
      uniqueIndex(`${prefix}scheduled_id`).on(tenantId, id),
      index(`${prefix}scheduled_due`).on(dueAt, seq).where(sql`failed_at is null`),
      index(`${prefix}scheduled_stream`).on(tenantId, streamId, dueAt, seq),
    ]),
    inbox: sqliteTable(`${prefix}inbox`, {
      tenantId: text("tenant_id").notNull(),
      name: text("name").notNull(),
      messageId: text("message_id").notNull(),
      handledAt: text("handled_at").notNull().default(now),
    }, ({ tenantId, name, messageId, handledAt }) => [
      primaryKey({ columns: [tenantId, name, messageId] }),
      index(`${prefix}inbox_handled`).on(name, handledAt),
    ]),
    migrations: sqliteTable(`${prefix}migrations`, {
      version: integer("version").primaryKey(),
      minReader: integer("min_reader").notNull(),
      minWriter: integer("min_writer").notNull(),
      appliedAt: text("applied_at").notNull().default(now),
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
 * The snapshots under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const snapshots: object = defaults.snapshots;
/**
 * The keys of personal data under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const subjectKeys: object = defaults.subjectKeys;
/**
 * The scheduled events under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const scheduled: object = defaults.scheduled;
/**
 * The handled messages under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const inbox: object = defaults.inbox;
/**
 * The versions under the default prefix, for drizzle-kit.
 *
 * @category Drivers
 */
export const migrations: object = defaults.migrations;
