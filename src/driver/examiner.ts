import type { ConsumerKey, LaneKey, StreamKey } from "./keys.ts";

/**
 * Looks for damage in a database: it shows what is stored as it is stored, even where the tables are in a state in which
 * all other operations refuse to work. It only reads.
 *
 * @category Drivers
 */
export interface Examiner {
  /** Compares the tables with those that this version of the driver makes. */
  tables(): Promise<ExaminedTables>;

  /** Looks at everything but the events; all tables and columns must be there. */
  state(): Promise<ExaminedState>;

  /** Reads a page of the log by position, settled or not. */
  events(query: ExaminedRange): Promise<ExaminedPage>;

  /** Walks the table of tags in the order of tenant, tag and position. */
  tags(query: ExaminedTagRange): Promise<ExaminedTags>;

  /** Lists the names of types that are stored, of all tenants. */
  types(): Promise<readonly ExaminedType[]>;
}

/**
 * What differs from the tables that the driver makes.
 *
 * @category Drivers
 */
export interface ExaminedTables {
  /** The version of the tables; undefined where drizzle-kit has made them, which records none. */
  readonly version: number | undefined;
  /** The version that this driver makes. */
  readonly latest: number;
  /** The lowest version of the driver that may use the tables; undefined as `version`. */
  readonly needed: number | undefined;
  /** What is not there, or cannot be used, such as an index that was never completed. */
  readonly missing: readonly {
    /** What it is. */
    readonly kind: "table" | "column" | "index" | "sequence";
    /** Its name; a column's with its table and a dot before it. */
    readonly name: string;
  }[];
}

/**
 * What a database holds beside the events. Each list has at most 100 entries.
 *
 * @category Drivers
 */
export interface ExaminedState {
  /** The last position that was given. */
  readonly head: number;
  /** The highest position of an event; 0 if there is none. */
  readonly last: number;
  /** The position up to which the log is settled. */
  readonly settled: number;
  /** Consumers that are beyond both `head` and `last`. */
  readonly ahead: readonly (ConsumerKey & {
    /** The lane; undefined where it is the position that all lanes began at. */
    readonly lane: number | undefined;
    /** The position. */
    readonly position: number;
  })[];
  /** Parked streams that have no event. */
  readonly orphans: readonly (ConsumerKey & StreamKey)[];
  /** Leases that ended more than a day ago, and were never given back or taken over. */
  readonly leases: readonly (LaneKey & {
    /** When it ended, in milliseconds since 1970. */
    readonly leasedUntil: number;
  })[];
  /** The oldest open transaction that has appended; undefined if there is none, or the database cannot tell. */
  readonly writer: ExaminedWriter | undefined;
  /** The database's time, in milliseconds since 1970. */
  readonly now: number;
  /** The role of this connection; undefined where the database has none. */
  readonly role: ExaminedRole | undefined;
}

/**
 * An open transaction that has appended.
 *
 * @category Drivers
 */
export interface ExaminedWriter {
  /** Names it as the database does, such as `process 4711`, without anything of its statements. */
  readonly name: string;
  /** When it began, in milliseconds since 1970; undefined where this role may not see it. */
  readonly since: number | undefined;
}

/**
 * What a role may do to events that are stored.
 *
 * @category Drivers
 */
export interface ExaminedRole {
  /** The role's name. */
  readonly name: string;
  /** What it may do that changes history, such as `update`; empty if it cannot. */
  readonly may: readonly string[];
  /** The statement that takes this away from it; undefined where no statement can, as from a superuser. */
  readonly revoke: string | undefined;
}

/**
 * A part of the log.
 *
 * @category Drivers
 */
export interface ExaminedRange {
  /** Only events after this position. */
  readonly after: number;
  /** Only events up to this position. */
  readonly until: number;
  /** The greatest number of events wanted. */
  readonly limit: number;
}

/**
 * A page of the log, as it is stored.
 *
 * @category Drivers
 */
export interface ExaminedPage {
  /** The events by position; large ones may end a page before its limit, but not before its first. */
  readonly events: readonly ExaminedEvent[];
  /** The position up to which the log was read: `until` at its end. */
  readonly scanned: number;
}

/**
 * An event as it is stored, JSON as text, and what its neighbours are. Any of it may be damaged.
 *
 * @category Drivers
 */
export interface ExaminedEvent extends StreamKey {
  /** Its position. */
  readonly position: number;
  /** Its version. */
  readonly version: number;
  /** The category that is stored for its stream. */
  readonly category: string;
  /** The slot that is stored for its stream. */
  readonly slot: number;
  /** Its id. */
  readonly id: string;
  /** The name of its type. */
  readonly type: string;
  /** The version of the type's schema. */
  readonly schemaVersion: number;
  /** When it was created, as text. */
  readonly createdAt: string;
  /** JSON text; null where the event has no data. */
  readonly data: string | null;
  /** JSON text. */
  readonly metadata: string;
  /** JSON text; null for plain JSON. */
  readonly codec: string | null;
  /** JSON text; null without tags. */
  readonly tags: string | null;
  /** Whether outboxes hand it over. */
  readonly published: boolean;
  /** Whether it was imported. */
  readonly imported: boolean;
  /** The position of the event of its stream with the version before; undefined if there is none. */
  readonly previous: number | undefined;
  /** Those of its tags by which it is not found. */
  readonly untagged: readonly string[];
  /** The event that its metadata names as its cause; undefined if there is none. */
  readonly cause: {
    /** Its position. */
    readonly position: number;
    /** Its correlation id. */
    readonly correlationId: string | undefined;
  } | undefined;
}

/**
 * An entry of the table of tags.
 *
 * @category Drivers
 */
export interface ExaminedTag {
  /** The tenant. */
  readonly tenantId: string;
  /** The tag. */
  readonly tag: string;
  /** The position of the event that has it. */
  readonly position: number;
}

/**
 * A part of the table of tags.
 *
 * @category Drivers
 */
export interface ExaminedTagRange {
  /** Only entries that come after this one; from the first if undefined. */
  readonly after: ExaminedTag | undefined;
  /** Of them, the greatest number that is walked over. */
  readonly limit: number;
}

/**
 * What was found on a part of the table of tags.
 *
 * @category Drivers
 */
export interface ExaminedTags {
  /** Entries for which there is no event with that tag; at most 100. */
  readonly surplus: readonly ExaminedTag[];
  /** The last entry that was walked over; undefined at the end. */
  readonly last: ExaminedTag | undefined;
}

/**
 * A type whose events are stored.
 *
 * @category Drivers
 */
export interface ExaminedType {
  /** Its name, as stored. */
  readonly type: string;
  /** The highest schema version among the newest 1,000 events of the type in each tenant. */
  readonly schemaVersion: number;
}
