import type { MatchCondition } from "./condition.ts";
import type { ExpectedVersion } from "./version.ts";

/**
 * One atomic append.
 *
 * @category Drivers
 */
export interface AppendRequest {
  /** The tenant of all streams of the request; `""` without tenants. */
  readonly tenantId: string;
  /** One write for each stream; at least one. */
  readonly writes: readonly StreamWrite[];
  /**
   * What else must hold for the whole request, in the tenant of its streams; only where the driver's capabilities say
   * so. @default nothing
   */
  readonly condition?: MatchCondition | undefined;
  /** Takes the request out as long as it is not sent: it then fails with the signal's reason. @default none */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The part of an append that goes to one stream.
 *
 * @category Drivers
 */
export interface StreamWrite {
  /** The stream's id; never empty. */
  readonly streamId: string;
  /** The part of the stream id before its first `:`; `""` without one. */
  readonly category: string;
  /** A number from 0 to 1023 derived from tenant and stream, like a slice in Akka: it assigns the stream to a lane. */
  readonly slot: number;
  /** The condition on the stream's version (0 = no events); if it does not hold, nothing of the request is stored. */
  readonly expectedVersion: ExpectedVersion;
  /**
   * The id that the event at the expected version must have, beside a number from 1: a stream that was deleted and made
   * anew has the same versions. Only where the driver's capabilities say so. @default any
   */
  readonly expectedEventId?: string | undefined;
  /** The new events in order; at least one. */
  readonly events: readonly NewEvent[];
}

/**
 * An event to be stored.
 *
 * @category Drivers
 */
export interface NewEvent {
  /** Unique within the tenant. */
  readonly id: string;
  /** The name of the event's type. */
  readonly type: string;
  /** The version of the type's schema, from 1. */
  readonly schemaVersion: number;
  /** The UTC instant, as `2026-01-31T12:00:00.000Z`. */
  readonly createdAt: string;
  /** JSON text; null where the event has no data. Never holds `\u0000` or a lone surrogate. */
  readonly data: string | null;
  /** JSON text of an object. */
  readonly metadata: string;
  /**
   * JSON text of an object: JSON pointer (`/data/endsAt`) → encoding of the value there (`date`); null for plain JSON.
   */
  readonly codec: string | null;
  /** Tags, by which `scan` finds the event. */
  readonly tags: readonly string[];
  /** Whether outboxes hand it over. */
  readonly published: boolean;
  /** Whether it happened elsewhere and is brought in; only where the driver's capabilities say so. @default false */
  readonly imported?: boolean | undefined;
}

/**
 * The outcome of a request.
 *
 * @category Drivers
 */
export type AppendOutcome = AppendStored | AppendRefused;

/**
 * The request's events are stored.
 *
 * @category Drivers
 */
export interface AppendStored {
  /** Discriminates the outcomes. */
  readonly status: "stored";
  /** The result of each write, in order. */
  readonly writes: readonly {
    /** The version of the stream's last event now. */
    readonly version: number;
    /** The position of each event, in order. */
    readonly positions: readonly number[];
  }[];
}

/**
 * Nothing of the request is stored.
 *
 * @category Drivers
 */
export interface AppendRefused {
  /** Discriminates the outcomes. */
  readonly status: "refused";
  /** The reason of the refusal. */
  readonly conflict: AppendConflict;
  /** Whether the database has aborted the surrounding transaction with it. */
  readonly transactionAborted: boolean;
}

/**
 * The reason of a refusal. If several hold, an id comes before a version, a version before a condition, and a condition
 * before a race.
 *
 * @category Drivers
 */
export type AppendConflict = IdConflict | VersionConflict | ConditionConflict | RaceConflict;

/**
 * Ids of the request's events exist already: they belong to the same events, stored earlier, or to others.
 *
 * @category Drivers
 */
export interface IdConflict {
  /** Discriminates the conflicts. */
  readonly kind: "id";
  /** The stored events that have an id of the request, in any order; at least one. */
  readonly existing: readonly ExistingEvent[];
}

/**
 * A stream is not at its expected version, or has another event there than the expected one.
 *
 * @category Drivers
 */
export interface VersionConflict {
  /** Discriminates the conflicts. */
  readonly kind: "version";
  /**
   * The current version of each write's stream, in order; undefined where an aborted transaction prevents reading it.
   */
  readonly versions: readonly (number | undefined)[];
}

/**
 * An event matches the request's condition.
 *
 * @category Drivers
 */
export interface ConditionConflict {
  /** Discriminates the conflicts. */
  readonly kind: "condition";
  /** The match with the lowest position; undefined where an aborted transaction prevents reading it. */
  readonly match: MatchedEvent | undefined;
}

/**
 * Another append was faster, but what the request expects holds by now: sent again, it may be stored.
 *
 * @category Drivers
 */
export interface RaceConflict {
  /** Discriminates the conflicts. */
  readonly kind: "race";
  /** The current version of each write's stream, in order. */
  readonly versions: readonly number[];
}

/**
 * A stored event, as far as an id conflict identifies it.
 *
 * @category Drivers
 */
export interface ExistingEvent {
  /** Its id, unique within the tenant. */
  readonly id: string;
  /** The stream that holds the event. */
  readonly streamId: string;
  /** Its version: its number in the stream, from 1. */
  readonly version: number;
  /** Its position in the log. */
  readonly position: number;
}

/**
 * The event that refuses a condition.
 *
 * @category Drivers
 */
export interface MatchedEvent extends ExistingEvent {
  /** The name of its type, as stored. */
  readonly type: string;
}
