import type { MatchItem } from "../../mod.ts";

/** A statement of SQL. */
export interface Statement {
  /** The name that it is prepared under; undefined if it is not prepared. */
  readonly name: string | undefined;
  readonly text: string;
  /** The names of its columns, in order, by which its rows are read; absent if only the number of rows matters. */
  readonly columns?: readonly string[] | undefined;
}

/** The statements that both engines have, with the same parameters in the same order, all of them text. */
export interface Statements {
  /** tenant, JSON array of stream ids, JSON array of event ids → one `Refusal`. */
  readonly explain: Statement;
  /** tenant, stream, from, to, limit → one `PageColumns`. */
  readonly load: Statement;
  /** As `load`, the newest first. */
  readonly loadBackwards: Statement;
  /** tenant, category or null, after, the first id, an id above the last, limit → one `StreamColumns`. */
  readonly streams: Statement;
  /**
   * after, until, limit, tenant, JSON arrays of categories, types and tags, stream, JSON array of lane and number of
   * lanes; null without a filter → `PageColumns`.
   */
  readonly scan: (filters: ScanFilters) => Statement;
  /** tenant, id → one `PageColumns`. */
  readonly find: Statement;
  /** tenant, correlation id, after, limit → one `PageColumns`. */
  readonly correlated: Statement;
  /** JSON array of positions → one `ProbeColumns`. */
  readonly positions: Statement;
  /** The statements of consumers. */
  readonly checkpoints: CheckpointStatements;
  readonly snapshots: SnapshotStatements;
  readonly subjects: SubjectStatements;
  readonly inbox: InboxStatements;
  readonly schedule: ScheduleStatements;
}

/** The statements of conditions, all but the append itself. */
export interface ConditionStatements {
  /** tenant, JSON array of items, after, limit → one `PageColumns` with `settled`. */
  readonly query: (items: readonly MatchItem[]) => Statement;
  /** tenant, JSON array of items, after, JSON array of seen → `found`, a JSON array; no row if nothing matches. */
  readonly firstMatch: (items: readonly MatchItem[]) => Statement;
}

/** The statements of parked streams, whose parameters are as those of `CheckpointStatements`. */
export interface ParkedStatements {
  /** `ConsumerKey`, `filter` as `LaneFilter` → a row a stream. */
  readonly parked: Statement;
  /** `ConsumerKey`, `after` as `StreamKey`, `limit` → a row a stream. */
  readonly parkedPage: Statement;
  /** `ConsumerKey`, `limit` → a row a group. */
  readonly parkedGroups: Statement;
  /** `ConsumerKey`, `stream` as `StreamKey` → a row a stream. */
  readonly redrive: Statement;
  /** `ConsumerKey`, `fingerprint`, `limit` → a row a stream. */
  readonly redriveGroup: Statement;
  /** `ConsumerKey`, `fingerprint`, `limit` → a row a stream. */
  readonly discardGroup: Statement;
  /** `ConsumerKey`, `stream`, `all` → a row where it was parked. */
  readonly discard: Statement;
}

/**
 * The statements of consumers. Each has one parameter, a JSON object with the members of its arguments; those in a list
 * are sent together and take effect together.
 */
export interface CheckpointStatements extends ParkedStatements {
  /** `ConsumerKey` and `ConsumerDefinition`: does nothing if it is registered. */
  readonly register: readonly Statement[];
  /** `ConsumerKey` → `lanes`, `filter`, `position` and `replay`; no row if it is not registered. */
  readonly definition: Statement;
  /** `LaneKey`, `owner`, `lease` → `position`, `epoch`, `crashes`, `parked`, `failed`. */
  readonly claim: Statement;
  /** `LaneKey`, `epoch`, `limit` → a row where the lease is held under the epoch. */
  readonly check: Statement;
  /** `LaneKey`, `epoch`, `position`, `lease`, `stalled`, `recovered` → a row where it was written. */
  readonly advance: Statement;
  /** As `advance`, and `parked`, `deferred` and `released`. */
  readonly park: readonly Statement[];
  /** `ConsumerKey` → a row a lane. */
  readonly lanes: Statement;
  /** `ConsumerKey`, `position`, `replay` or null. */
  readonly rewind: readonly Statement[];
  /** `ConsumerKey`, `epochs`, `ConsumerDefinition` → a row where it was done. */
  readonly redefine: readonly Statement[];
  /** `ConsumerKey`, `filter` → a row where it was another one. */
  readonly refilter: Statement;
  /** → `ConsumerKey`s. */
  readonly due: Statement;
  /** `seen` as `ConsumerKey`s, which are marked as seen → as `due`. */
  readonly dueAndSeen: readonly Statement[];
  /** `ConsumerKey`, `code`, `error` as JSON text; null for none. */
  readonly setFailure: Statement;
  /** `scope`, `name`, `version`, each null for all → a row a consumer, its lanes in JSON. */
  readonly list: Statement;
  /** `ConsumerKey` → a row where it was removed. */
  readonly forget: readonly Statement[];
}

/** The statements of snapshots; those in a list are sent together and take effect together. */
export interface SnapshotStatements {
  /** tenant, stream, to, limit, kind, state version, at or null → one `SnapshotColumns`. */
  readonly load: Statement;
  /** tenant, stream, kind, state version, version, event id, latest at, data, codec, saved at. */
  readonly save: readonly Statement[];
  /** tenant, JSON array of streams. */
  readonly drop: Statement;
}

/**
 * The statements of the keys of subjects. Each has one parameter, a JSON object with the members that are named; `rows`
 * is a JSON array of `StoredSubject`s.
 */
export interface SubjectStatements {
  /** `tenantId`, `subjects` → one `rows`. */
  readonly read: Statement;
  /** `ids` → one `rows`. */
  readonly find: Statement;
  /** `after`, `limit` → one `rows`. */
  readonly list: Statement;
  /** `tenantId`, `subject` → one `at`, null if it was not forgotten. */
  readonly forgotten: Statement;
  /** `tenantId`, `rows`, `patience` → a row for each that was made. */
  readonly make: Statement;
  /** `tenantId`, `subject`, `id`, `at`, `patience` → `at` and `destroyed`; no row for a subject that was new. */
  readonly forget: readonly Statement[];
  /** `id`, `before`, `keys` → a row where it was done. */
  readonly replace: Statement;
}

/** The statements of inboxes. */
export interface InboxStatements {
  /** tenant, inbox, message, how long it may wait for locks → `fresh`, or no row if the message is marked already. */
  readonly mark: Statement;
  /** inbox, age of the marks in milliseconds, limit. */
  readonly clean: Statement;
}

/** The statements of scheduled events; times are in milliseconds. */
export interface ScheduleStatements {
  /** tenant, id, stream, due at, type, schema version, data, metadata, codec, tags, published → `kept`, JSON. */
  readonly add: Statement;
  /** tenant, id → a row where it was there. */
  readonly remove: Statement;
  /** tenant or null, id or null, limit → `DueRow`s, in any order. */
  readonly take: Statement;
  /** tenant, id, attempts, error, delay or null. */
  readonly fail: Statement;
  /** tenant, id → a row where it had failed. */
  readonly retry: Statement;
  /** tenant or null → `failed`, a JSON array; null for none. */
  readonly failed: Statement;
  /** tenant or null → `delay`; null for none. */
  readonly next: Statement;
  /** tenant or null → `waiting`, `failed`. */
  readonly count: Statement;
}

const parkedColumns = [
  ...["tenant_id", "stream_id", "position", "attempts", "error", "delay", "failed_at"],
  ...["fingerprint", "first_failed_at", "redriven"],
];

/** The columns of the statements whose rows are read, in order. */
export const columnsOf = {
  inserted: ["version", "position"],
  insertedAll: ["stream_id", "version", "position"],
  refusal: ["versions", "existing"],
  definition: ["lanes", "filter", "position", "replay"],
  claim: ["position", "epoch", "crashes", "parked", "failed"],
  lanes: ["lane", "position", "epoch", "crashes", "stalled", "owner", "leased_until"],
  parked: parkedColumns,
  parkedPage: [...parkedColumns, "behind"],
  parkedGroups: [
    ...["fingerprint", "streams", "waiting", "first_failed_at", "failed_at"],
    ...["tenant_id", "stream_id", "position", "error"],
  ],
  due: ["scope", "name", "version"],
  subjects: ["rows"],
  subject: ["subject", "id", "keys"],
  forgotten: ["at"],
  forget: ["at", "destroyed"],
  list: [
    ...["scope", "name", "version", "filter", "retrying", "parked"],
    ...["seen_at", "error_code", "error", "lanes"],
  ],
} as const;

/** The filters that a scan has. */
export interface ScanFilters {
  readonly tenant: boolean;
  readonly categories: boolean;
  readonly types: boolean;
  /** How many tags; 0 for none. */
  readonly tags: number;
  readonly stream: boolean;
  readonly published: boolean;
  readonly lane: boolean;
  readonly backwards: boolean;
}

/** A parameter of a statement: text, which the statement casts. */
export type Parameter = string | null;

/** Returns a name for a prepared statement, a hash of its text: two texts under one name would be refused. */
export function statementName(text: string): string {
  let [a, b] = [0x811c9dc5, 0x1000193];
  for (let index = 0; index < text.length; index++) {
    a = Math.imul(a ^ text.charCodeAt(index), 0x01000193) >>> 0;
    b = Math.imul(b + text.charCodeAt(index), 0x85ebca6b) >>> 0;
  }
  return `event_sourcery_${a.toString(36)}${b.toString(36)}`;
}
