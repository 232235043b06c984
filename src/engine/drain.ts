import type { ParkedEntry } from "../driver/progress.ts";
import type { LogPage, LogQuery, StoredEvent } from "../driver/read.ts";
import type { Lease } from "./lease.ts";
import { entryOf, type ParkedCursor, type Parking } from "./parking.ts";
import { backoff, type Retry } from "./retry.ts";

/** The parts of a pass that drain a parked stream. */
interface Draining {
  readonly batchSize: number;
  readonly retry: Retry;
  readonly stop: AbortSignal;
  readonly lease: Lease;
  readonly parking: Parking;
  readonly scan: (
    query: Pick<LogQuery, "after" | "until" | "limit"> & Partial<LogQuery>,
  ) => Promise<LogPage>;
  /** Throws if a newer release stored the event. */
  readonly check: (event: StoredEvent) => void;
  /** Handles one event; false where it failed and the stream stays parked at it. */
  readonly attempt: (event: StoredEvent, attempt: number, after: ParkedEntry) => Promise<boolean>;
}

/**
 * Handles the events of a parked stream up to the checkpoint, then releases it. The attempt at its first event is
 * written before it is made, so that an event which kills its worker is not retried for ever.
 */
export async function drain(
  { batchSize: limit, retry, stop, lease, parking, scan, check, attempt }: Draining,
  waiting: ParkedCursor,
): Promise<void> {
  const { tenantId, streamId } = waiting;
  let { position: from, attempts } = waiting;
  let first = true;
  while (from <= lease.position) {
    const query = { tenantId, streamId, after: from - 1, until: lease.position, limit };
    const { events, scanned } = await scan(query);
    for (const event of events) {
      if (stop.aborted) return;
      check(event);
      if (first) {
        // The last allowed attempt was written, and its worker has vanished.
        const exhausted = attempts >= retry.attempts;
        if (!exhausted) attempts++;
        const delay = exhausted ? undefined : backoff(retry, attempts);
        parking.park({ ...entryOf(event), attempts, delay });
        await lease.save(true);
        if (exhausted) return;
      }
      const after = { ...entryOf(event), position: event.position + 1 };
      if (!(await attempt(event, first ? attempts : 1, after))) return await lease.save(true);
      first = false;
    }
    from = scanned + 1;
  }
  parking.release(waiting);
  await lease.save(true);
}
