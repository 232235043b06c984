import type { StreamPage } from "./read.ts";

/**
 * Keeps states of aggregates, so that long streams load fast. Each is worth nothing by itself: whatever is lost or
 * refused, the events replace it.
 *
 * @category Drivers
 */
export interface Snapshots {
  /**
   * Loads the newest usable snapshot and the first page of the events after it, in one statement: no event falls
   * between them. A snapshot is usable if it is of the key's state version, not behind `to` and `at`, and its event is
   * still the stream's at its version.
   */
  load(query: SnapshotQuery): Promise<SnapshotPage>;
  /**
   * Keeps a snapshot, unless there is a later one of the same key whose event is still there; removes those of state
   * versions below the one before its own.
   */
  save(snapshot: NewSnapshot): Promise<void>;
  /** Removes all snapshots of streams of a tenant. */
  drop(tenantId: string, streamIds: readonly string[]): Promise<void>;
}

/**
 * Which snapshot.
 *
 * @category Drivers
 */
export interface SnapshotKey {
  /** The tenant of the stream. */
  readonly tenantId: string;
  /** The stream's id. */
  readonly streamId: string;
  /** Tells the models of one stream apart. */
  readonly kind: string;
  /** The version of the state's shape, from 1. */
  readonly stateVersion: number;
}

/**
 * Asks for a snapshot and what follows it.
 *
 * @category Drivers
 */
export interface SnapshotQuery extends SnapshotKey {
  /** Only up to this version. */
  readonly to: number;
  /** Only a snapshot whose events were all created at or before this UTC instant; undefined for any. */
  readonly at: string | undefined;
  /** The greatest number of events wanted. */
  readonly limit: number;
}

/**
 * A snapshot, and the first page of the events after it; from the first one on, if there is no snapshot.
 *
 * @category Drivers
 */
export interface SnapshotPage extends StreamPage {
  /** The snapshot; undefined if none is usable. */
  readonly snapshot: StoredSnapshot | undefined;
}

/**
 * A stored snapshot.
 *
 * @category Drivers
 */
export interface StoredSnapshot {
  /** The version of the event that it stands at. */
  readonly version: number;
  /** The id of that event. */
  readonly eventId: string;
  /** The latest UTC instant at which one of the events up to it was created. */
  readonly latestAt: string;
  /** Parsed JSON, or undefined where there is none. */
  readonly data: unknown;
  /** The annotations of the data, as those of an event; null for plain JSON. */
  readonly codec: Readonly<Record<string, string>> | null;
}

/**
 * A snapshot to be kept.
 *
 * @category Drivers
 */
export interface NewSnapshot extends SnapshotKey, Omit<StoredSnapshot, "data" | "codec"> {
  /** JSON text. */
  readonly data: string;
  /** JSON text; null for plain JSON. */
  readonly codec: string | null;
  /** When it was made, a UTC instant. */
  readonly savedAt: string;
}
