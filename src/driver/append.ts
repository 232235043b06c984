import type { ExpectedVersion } from "./version.ts";

/** One atomic append. */
export interface AppendRequest {
  /** Whose streams these are; `""` where there are no tenants. */
  readonly tenantId: string;
  /** At least one; each of another stream. */
  readonly writes: readonly StreamWrite[];
}

/** The part of an append that goes to one stream. */
export interface StreamWrite {
  /** The stream. */
  readonly streamId: string;
  /** What stands before the first `:` of the stream id, or `""`. */
  readonly category: string;
  /** A number from 0 to 1023 derived from tenant and stream, as Akka's slice: it assigns the stream to a lane. */
  readonly slot: number;
  /** What must hold of the stream's version (0 = no events) for the append to happen. */
  readonly expectedVersion: ExpectedVersion;
  /** At least one, in order. */
  readonly events: readonly NewEvent[];
}

/** An event on its way into the store. */
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
  /** JSON text of an object: JSON pointer (`/data/endsAt`) → what stands there (`date`); null for plain JSON. */
  readonly codec: string | null;
  /** Names to find the event by. */
  readonly tags: readonly string[];
  /** Whether it is also for the outbox. */
  readonly published: boolean;
}

/** What became of a request. */
export type AppendOutcome = AppendStored | AppendRefused;

/** The request's events are stored. */
export interface AppendStored {
  /** Tells the outcomes apart. */
  readonly status: "stored";
  /** For each write, in order. */
  readonly writes: readonly {
    /** The version of the stream's last event now. */
    readonly version: number;
    /** The position of each event, in order. */
    readonly positions: readonly number[];
  }[];
}

/** Nothing of the request is stored. */
export interface AppendRefused {
  /** Tells the outcomes apart. */
  readonly status: "refused";
  /** Why. */
  readonly conflict: AppendConflict;
  /** Whether the surrounding transaction is lost with it. */
  readonly transactionAborted: boolean;
}

/** Why a request was refused. Where several reasons hold, an id comes before a version, a version before a race. */
export type AppendConflict = IdConflict | VersionConflict | RaceConflict;

/** Ids of the request's events are taken: by these very events, stored earlier, or by others. */
export interface IdConflict {
  /** Tells the conflicts apart. */
  readonly kind: "id";
  /** Those of the request's events whose ids are in the store, in any order; at least one. */
  readonly existing: readonly ExistingEvent[];
}

/** A stream is not at its expected version. */
export interface VersionConflict {
  /** Tells the conflicts apart. */
  readonly kind: "version";
  /** The current version of each write's stream, in order; undefined where an aborted transaction cannot be asked. */
  readonly versions: readonly (number | undefined)[];
}

/** Another append was faster, and by now nothing stands against the request: sent again, it may be stored. */
export interface RaceConflict {
  /** Tells the conflicts apart. */
  readonly kind: "race";
  /** The current version of each write's stream, in order. */
  readonly versions: readonly number[];
}

/** Where an event id is taken. */
export interface ExistingEvent {
  /** The id. */
  readonly id: string;
  /** The stream that holds the event. */
  readonly streamId: string;
  /** Its version there. */
  readonly version: number;
  /** Its position in the log. */
  readonly position: number;
}
