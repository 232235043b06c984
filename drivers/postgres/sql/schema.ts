import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  json,
  PgSchema,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";

/**
 * The tables of an event store, for drizzle-kit: opaque, since Drizzle's types are not part of this library's.
 *
 * @category Drivers
 */
export interface PostgresTables {
  /** The schema that holds them. */
  readonly schema: object;
  /** The sequence of the positions in the log, from 1. */
  readonly position: object;
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
  /** Always empty: its locks keep appends with very many tags and conditions apart. */
  readonly boundary: object;
  /** The versions of this schema; if drizzle-kit created it, at most 0, which records that the fence was chosen. */
  readonly migrations: object;
}

/** Text that sorts by its bytes, as in SQLite, whatever the database's default collation is. */
const name = customType<{ data: string }>({ dataType: () => 'text collate "C"' });

const instant = (column: string) => timestamp(column, { withTimezone: true, precision: 3 });

/** The columns of the consumer that a row belongs to. */
const consumer = () => ({
  scope: name("scope").notNull(),
  name: name("name").notNull(),
  version: integer("version").notNull(),
});

/**
 * Returns the tables of a schema, to be exported from a file that drizzle-kit reads.
 *
 * @param schema The schema's name, as given to `postgres(db, { schema })`. @default "event_sourcery"
 * @category Drivers
 */
export function postgresTables(schema: string = "event_sourcery"): PostgresTables {
  const space = new PgSchema(schema);
  return {
    schema: space,
    position: space.sequence("position"),
    events: space.table("events", {
      // No default: an insert that bypasses the append fence fails, instead of being skipped by readers.
      position: bigint("position", { mode: "number" }).primaryKey(),
      tenantId: name("tenant_id").notNull(),
      streamId: name("stream_id").notNull(),
      version: integer("version").notNull(),
      category: name("category").notNull(),
      slot: integer("slot").notNull(),
      id: name("id").notNull(),
      type: name("type").notNull(),
      schemaVersion: integer("schema_version").notNull(),
      createdAt: instant("created_at").notNull(),
      // json, not jsonb: jsonb reorders keys, turns -0 into 0 and reads a quarter slower.
      data: json("data"),
      metadata: json("metadata").notNull(),
      codec: json("codec"),
      tags: json("tags"),
      published: boolean("published").notNull(),
      // Copied from another log: history, which consumers handle as a replay.
      imported: boolean("imported").notNull().default(false),
    }, (events) => [
      uniqueIndex("events_stream").on(events.tenantId, events.streamId, events.version),
      uniqueIndex("events_id").on(events.tenantId, events.id),
      index("events_type").on(events.tenantId, events.type, events.position),
      index("events_published").on(events.position).where(sql`${events.published}`),
      // An event that begins a flow is found by its id: only those that follow have an entry.
      index("events_correlation").on(events.tenantId, sql`(${events.metadata} ->> 'correlationId')`)
        .where(sql`(${events.metadata} ->> 'correlationId') <> ${events.id}`),
    ]),
    eventTags: space.table("event_tags", {
      tenantId: name("tenant_id").notNull(),
      tag: name("tag").notNull(),
      position: bigint("position", { mode: "number" }).notNull(),
    }, (tags) => [
      primaryKey({ name: "event_tags_pkey", columns: [tags.tenantId, tags.tag, tags.position] }),
    ]),
    consumers: space.table("consumers", {
      ...consumer(),
      lanes: integer("lanes").notNull(),
      filter: text("filter").notNull(),
      position: bigint("position", { mode: "number" }).notNull(),
      replay: bigint("replay", { mode: "number" }).notNull().default(0),
      // The last sign of life of a process that runs it, and the error that last ended a run.
      seenAt: instant("seen_at"),
      errorCode: text("error_code"),
      error: text("error"),
    }, ({ scope, name, version }) => [
      primaryKey({ name: "consumers_pkey", columns: [scope, name, version] }),
    ]),
    checkpoints: space.table("checkpoints", {
      ...consumer(),
      lane: integer("lane").notNull(),
      position: bigint("position", { mode: "number" }).notNull(),
      epoch: bigint("epoch", { mode: "number" }).notNull(),
      owner: text("owner"),
      leasedUntil: instant("leased_until"),
      crashes: integer("crashes").notNull(),
      stalled: boolean("stalled").notNull(),
    }, ({ scope, name, version, lane }) => [
      primaryKey({ name: "checkpoints_pkey", columns: [scope, name, version, lane] }),
    ]),
    parked: space.table("parked", {
      ...consumer(),
      tenantId: name("tenant_id").notNull(),
      streamId: name("stream_id").notNull(),
      slot: integer("slot").notNull(),
      position: bigint("position", { mode: "number" }).notNull(),
      attempts: integer("attempts").notNull(),
      dueAt: instant("due_at"),
      error: text("error"),
      // What failures of one kind have in common.
      fingerprint: text("fingerprint"),
      firstFailedAt: instant("first_failed_at"),
      failedAt: instant("failed_at").notNull(),
      redriven: integer("redriven").notNull().default(0),
    }, ({ scope, name, version, tenantId, streamId, dueAt }) => [
      primaryKey({ name: "parked_pkey", columns: [scope, name, version, tenantId, streamId] }),
      index("parked_due").on(dueAt),
      index("parked_stream").on(tenantId, streamId),
    ]),
    snapshots: space.table("snapshots", {
      tenantId: name("tenant_id").notNull(),
      streamId: name("stream_id").notNull(),
      kind: name("kind").notNull(),
      stateVersion: integer("state_version").notNull(),
      // The event it stands at; the id tells a stream from one of the same name that was deleted.
      version: integer("version").notNull(),
      eventId: name("event_id").notNull(),
      latestAt: instant("latest_at").notNull(),
      data: json("data"),
      codec: json("codec"),
      savedAt: instant("saved_at").notNull(),
    }, ({ tenantId, streamId, kind, stateVersion }) => [
      primaryKey({ name: "snapshots_pkey", columns: [tenantId, streamId, kind, stateVersion] }),
    ]),
    subjectKeys: space.table("subject_keys", {
      tenantId: name("tenant_id").notNull(),
      subject: name("subject").notNull(),
      id: name("id").notNull(),
      // The newest first; null once the subject was forgotten.
      keys: text("keys"),
      createdAt: instant("created_at").notNull().defaultNow(),
      forgottenAt: instant("forgotten_at"),
    }, ({ tenantId, subject, id }) => [
      primaryKey({ name: "subject_keys_pkey", columns: [tenantId, subject] }),
      uniqueIndex("subject_keys_id").on(id),
    ]),
    scheduled: space.table("scheduled", {
      tenantId: name("tenant_id").notNull(),
      id: name("id").notNull(),
      streamId: name("stream_id").notNull(),
      dueAt: instant("due_at").notNull(),
      // The order of those that are due at the same time.
      seq: bigint("seq", { mode: "number" }).notNull().generatedAlwaysAsIdentity(),
      type: name("type").notNull(),
      schemaVersion: integer("schema_version").notNull(),
      data: json("data"),
      metadata: json("metadata").notNull(),
      codec: json("codec"),
      tags: json("tags"),
      published: boolean("published").notNull(),
      attempts: integer("attempts").notNull().default(0),
      error: text("error"),
      failedAt: instant("failed_at"), // set once it is not tried again
    }, ({ tenantId, id, streamId, dueAt, seq, failedAt }) => [
      primaryKey({ name: "scheduled_pkey", columns: [tenantId, id] }),
      index("scheduled_due").on(dueAt, seq).where(sql`${failedAt} is null`),
      index("scheduled_stream").on(tenantId, streamId, dueAt, seq),
    ]),
    inbox: space.table("inbox", {
      tenantId: name("tenant_id").notNull(),
      name: name("name").notNull(),
      messageId: name("message_id").notNull(),
      handledAt: instant("handled_at").notNull().defaultNow(),
    }, (inbox) => [
      primaryKey({ name: "inbox_pkey", columns: [inbox.tenantId, inbox.name, inbox.messageId] }),
      index("inbox_handled").on(inbox.name, inbox.handledAt),
    ]),
    boundary: space.table("boundary", { nothing: integer("nothing") }),
    migrations: space.table("migrations", {
      version: integer("version").primaryKey(),
      minReader: integer("min_reader").notNull(),
      minWriter: integer("min_writer").notNull(),
      appliedAt: instant("applied_at").notNull().defaultNow(),
    }),
  };
}

const defaults: PostgresTables = postgresTables();

/**
 * The default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const schema: object = defaults.schema;
/**
 * The sequence of positions in the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const position: object = defaults.position;
/**
 * The log in the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const events: object = defaults.events;
/**
 * The tags in the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const eventTags: object = defaults.eventTags;
/**
 * The consumers of the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const consumers: object = defaults.consumers;
/**
 * The lanes of consumers in the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const checkpoints: object = defaults.checkpoints;
/**
 * The parked streams of the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const parked: object = defaults.parked;
/**
 * The snapshots in the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const snapshots: object = defaults.snapshots;
/**
 * The keys of personal data in the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const subjectKeys: object = defaults.subjectKeys;
/**
 * The scheduled events in the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const scheduled: object = defaults.scheduled;
/**
 * The handled messages in the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const inbox: object = defaults.inbox;
/**
 * The table whose locks keep very great appends and conditions apart, in the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const boundary: object = defaults.boundary;
/**
 * The versions of the default schema, for drizzle-kit.
 *
 * @category Drivers
 */
export const migrations: object = defaults.migrations;
