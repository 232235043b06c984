import type { ExistingEvent } from "./append.ts";
import type { MatchItem } from "./condition.ts";
import type { LaneFilter } from "./keys.ts";

/**
 * Selects events of a stream.
 *
 * @category Drivers
 */
export interface StreamQuery {
  /** The stream's tenant; `""` without tenants. */
  readonly tenantId: string;
  /** The stream's id; one without events is not an error. */
  readonly streamId: string;
  /** The lowest version wanted, from 1. */
  readonly from: number;
  /** The highest version wanted. */
  readonly to: number;
  /** The greatest number of events wanted. */
  readonly limit: number;
  /** Whether the newest come first. */
  readonly backwards: boolean;
}

/**
 * Selects the events of a flow: those that share a correlation id.
 *
 * @category Drivers
 */
export interface CorrelationQuery {
  /** The events' tenant; `""` without tenants. */
  readonly tenantId: string;
  /** The member `correlationId` of their metadata; that of the first event is its own id. */
  readonly correlationId: string;
  /** Only events after this position. */
  readonly after: number;
  /** The greatest number of events wanted. */
  readonly limit: number;
}

/**
 * One page of a stream, or of a flow.
 *
 * @category Drivers
 */
export interface StreamPage {
  /** At most `limit` events, in the requested order; empty if there is none. */
  readonly events: readonly StoredEvent[];
  /**
   * Whether there may be more of what was asked for after the last of these. A page may end before its limit
   * where its events are large, but not before its first.
   */
  readonly more: boolean;
}

/**
 * Selects events of the log; an omitted filter matches everything, an empty one nothing.
 *
 * @category Drivers
 */
export interface LogQuery {
  /** Only events of this tenant; of all tenants if undefined. */
  readonly tenantId: string | undefined;
  /** Only events after this position. */
  readonly after: number;
  /** Only events up to this position. */
  readonly until: number;
  /** Whether the newest come first; only where the driver's capabilities say so. @default false */
  readonly backwards?: boolean | undefined;
  /** The greatest number of events wanted. */
  readonly limit: number;
  /** Events of any of these categories. */
  readonly categories: readonly string[] | undefined;
  /** Events of any of these types. */
  readonly types: readonly string[] | undefined;
  /** Events that carry all of these tags; at least one where given. */
  readonly tags: readonly string[] | undefined;
  /** Events of this stream. */
  readonly streamId?: string | undefined;
  /** Whether only published events. */
  readonly published?: boolean | undefined;
  /** Events of the streams of this lane. */
  readonly lane?: LaneFilter | undefined;
}

/**
 * One page of the log.
 *
 * @category Drivers
 */
export interface LogPage {
  /**
   * The matching events, in the requested order; large ones may end a page before its limit, but not before its first.
   */
  readonly events: readonly StoredEvent[];
  /**
   * The position up to which the log was searched: no further match exists at or below it; backwards, at or above it.
   * At the end of the search it is `until`; backwards, the position that follows `after`.
   */
  readonly scanned: number;
}

/**
 * Where an event is in the log, and what is asked of many at once.
 *
 * @category Drivers
 */
export interface ProbedEvent {
  /** Its position. */
  readonly position: number;
  /** When it was created; as in `StoredEvent`. */
  readonly createdAt: string | number;
  /** The name of its type, as stored. Where a driver leaves it out, errors of parked streams are hidden with their fields. */
  readonly type?: string | undefined;
}

/**
 * An event as a driver returns it.
 *
 * @category Drivers
 */
export interface StoredEvent extends ExistingEvent {
  /** The tenant it belongs to; `""` without tenants. */
  readonly tenantId: string;
  /** The name of its type, as stored. */
  readonly type: string;
  /** The version of the type's schema that wrote it. */
  readonly schemaVersion: number;
  /** The UTC instant: text that `new Date` reads, or milliseconds since 1970. */
  readonly createdAt: string | number;
  /** The parsed JSON, new for each call; undefined or null where the event has no data, or JSON's null. */
  readonly data: unknown;
  /** The parsed JSON object, new for each call. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The parsed annotations; null for plain JSON. */
  readonly codec: Readonly<Record<string, string>> | null;
  /** Its tags, in the order they were given. */
  readonly tags: readonly string[];
  /** Whether outboxes hand it over. */
  readonly published: boolean;
  /** Whether it was imported. @default false */
  readonly imported?: boolean | undefined;
}

/**
 * Selects streams.
 *
 * @category Drivers
 */
export interface StreamsQuery {
  /** The streams' tenant; `""` without tenants. */
  readonly tenantId: string;
  /** Only this category; all if undefined. */
  readonly category: string | undefined;
  /** Only streams whose id begins with this text; only where the driver's capabilities say so. @default all */
  readonly prefix?: string | undefined;
  /** Only streams whose id comes after this one; from the first if undefined. */
  readonly after: string | undefined;
  /** The greatest number of streams wanted. */
  readonly limit: number;
}

/**
 * A stream as a driver lists it.
 *
 * @category Drivers
 */
export interface StoredStream {
  /** The stream's id, unique within its tenant. */
  readonly streamId: string;
  /** The version of its last event. */
  readonly version: number;
  /** When its first event was created; as in `StoredEvent`. */
  readonly createdAt: string | number;
  /** When its last event was created. */
  readonly updatedAt: string | number;
}

/**
 * Selects the events that a decision rests on.
 *
 * @category Drivers
 */
export interface MatchQuery {
  /** The tenant of the events; `""` without tenants. */
  readonly tenantId: string;
  /** An event matches if it matches any of these; from 1 to 16. */
  readonly items: readonly MatchItem[];
  /** Only events after this position. */
  readonly after: number;
  /** The greatest number of events wanted. */
  readonly limit: number;
}

/**
 * One page of the events that a decision rests on.
 *
 * @category Drivers
 */
export interface MatchPage {
  /** At most `limit` matches in position order, each once: all that are committed, and the transaction's own. */
  readonly events: readonly StoredEvent[];
  /**
   * A position that was settled before the page was read: no event will ever appear at or below it that the page could
   * not see. Inside a transaction, that transaction's own events lie above it.
   */
  readonly settled: number;
  /** Whether there may be more matches after the last of these; large events may end a page before its limit. */
  readonly more: boolean;
}
