import type { StreamKey } from "../driver/keys.ts";
import type { ParkedEntry, StoredParking } from "../driver/progress.ts";
import type { StoredEvent } from "../driver/read.ts";
import { isSealed } from "../codec/sealer.ts";
import { describe, fingerprintOf } from "../errors/describe.ts";
import { slotOf } from "../event/stream.ts";
import { keyOf, type Lease } from "./lease.ts";

/** A parked stream: the event it waits at, how often that was tried, and when it is due by the monotonic clock. */
export interface ParkedCursor extends StreamKey {
  readonly position: number;
  readonly attempts: number;
  readonly dueAt: number | undefined;
}

/** The parked streams of a lane, as its worker knows them; changes are written with the next checkpoint. */
export class Parking {
  readonly #lease: Lease;
  readonly #streams: Map<string, ParkedCursor> = new Map();

  constructor(lease: Lease) {
    this.#lease = lease;
  }

  /** The number of parked streams. */
  get size(): number {
    return this.#streams.size;
  }

  /** When the next is due, in milliseconds from now; undefined where none is retried automatically. */
  get nextDue(): number | undefined {
    const due = [...this.#streams.values()].flatMap(({ dueAt }) => dueAt ?? []);
    return due.length === 0 ? undefined : Math.min(...due) - performance.now();
  }

  /** The streams that are due now. */
  get due(): readonly ParkedCursor[] {
    const now = performance.now();
    return [...this.#streams.values()].filter(({ dueAt }) => dueAt !== undefined && dueAt <= now);
  }

  /** Adds the stored rows. */
  add(rows: readonly StoredParking[]): void {
    const now = performance.now();
    for (const row of rows) {
      const dueAt = row.delay === undefined ? undefined : now + row.delay;
      this.#streams.set(keyOf(row), { ...row, dueAt });
    }
  }

  /** Whether a stream is parked. */
  has(stream: StreamKey): boolean {
    return this.#streams.has(keyOf(stream));
  }

  /** Parks a stream, or moves a parked one to another event. */
  park(entry: ParkedEntry): ParkedCursor {
    const { tenantId, streamId, position, attempts, delay } = entry;
    const dueAt = delay === undefined ? undefined : performance.now() + delay;
    const cursor = { tenantId, streamId, position, attempts, dueAt };
    this.#streams.set(keyOf(entry), cursor);
    this.#lease.park(entry);
    return cursor;
  }

  /** Defers an event whose stream is parked: it is handled once those before it are. */
  defer(event: StoredEvent): void {
    this.#lease.defer(entryOf(event));
  }

  /** Ends the parking of a stream; its events are handled from the log again. */
  release({ tenantId, streamId }: StreamKey): void {
    this.#streams.delete(keyOf({ tenantId, streamId }));
    this.#lease.release({ tenantId, streamId });
  }
}

/** Returns the entry of a stream parked at an event that was not tried yet, and is due. */
export function entryOf({ tenantId, streamId, position }: StoredEvent): ParkedEntry {
  const slot = slotOf(tenantId, streamId);
  return { tenantId, streamId, slot, position, attempts: 0, delay: 0, error: undefined };
}

/** Returns the entry of a stream whose event failed. */
export function failedEntry(
  consumer: string,
  event: StoredEvent,
  attempts: number,
  delay: number | undefined,
  error: unknown,
): ParkedEntry {
  const text = describe(error, isSealed(event));
  const fingerprint = fingerprintOf(consumer, text, event.streamId);
  return { ...entryOf(event), attempts, delay, error: text, fingerprint };
}
