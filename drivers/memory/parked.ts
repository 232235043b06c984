import type { ParkedEntry, Progress, StoredGroup, StoredParking } from "../../mod.ts";
import { compareBytes, keyOf } from "./key.ts";

/** A stored parked stream; its instants are milliseconds since 1970. */
export interface Parked extends Omit<ParkedEntry, "delay"> {
  readonly dueAt: number | undefined;
  readonly failedAt: number;
  readonly firstFailedAt?: number | undefined;
  readonly redriven?: number | undefined;
}

/** Returns the parked streams after progress is written. */
export function parkedAfter(
  before: ReadonlyMap<string, Parked>,
  { parked: entries, deferred, released }: Progress,
): ReadonlyMap<string, Parked> {
  if (entries.length === 0 && deferred.length === 0 && released.length === 0) return before;
  const parked = new Map(before);
  const failedAt = Date.now();
  for (const { delay, ...park } of entries) {
    const key = keyOf(park.tenantId, park.streamId);
    // The event was discarded meanwhile: the stream continues after it.
    const known = parked.get(key);
    if ((known?.position ?? 0) > park.position) continue;
    const same = known?.position === park.position ? known : undefined;
    const fingerprint = park.fingerprint ?? same?.fingerprint;
    parked.set(key, {
      ...park,
      dueAt: delay === undefined ? undefined : failedAt + delay,
      failedAt,
      fingerprint,
      firstFailedAt: same?.firstFailedAt ?? (fingerprint === undefined ? undefined : failedAt),
      redriven: same?.redriven,
    });
  }
  for (const { delay: _, ...park } of deferred) {
    const key = keyOf(park.tenantId, park.streamId);
    if (!parked.has(key)) parked.set(key, { ...park, dueAt: failedAt, failedAt });
  }
  for (const { tenantId, streamId } of released) parked.delete(keyOf(tenantId, streamId));
  return parked;
}

/** Groups parked streams by their fingerprints, the largest group first. */
export function groupsOf(rows: readonly StoredParking[]): readonly StoredGroup[] {
  const groups = new Map<string, StoredParking[]>();
  for (const row of rows) {
    if (row.fingerprint === undefined) continue;
    const alike = groups.get(row.fingerprint) ?? [];
    groups.set(row.fingerprint, alike);
    alike.push(row);
  }
  return [...groups].map(([fingerprint, alike]) => {
    const [latest] = alike.toSorted((a, b) =>
      Number(b.failedAt) - Number(a.failedAt) || compareBytes(a.tenantId, b.tenantId) ||
      compareBytes(a.streamId, b.streamId)
    );
    const { tenantId, streamId, position, failedAt, error } = latest!;
    return {
      fingerprint,
      streams: alike.length,
      waiting: alike.filter(({ delay }) => delay === undefined).length,
      firstFailedAt: alike.reduce(
        (first, row) => Math.min(first, Number(row.firstFailedAt)),
        Infinity,
      ),
      failedAt,
      latest: { tenantId, streamId },
      position,
      error,
    };
  })
    .sort((a, b) => b.streams - a.streams || compareBytes(a.fingerprint, b.fingerprint));
}

/** Makes a stream due now, as if it had never been tried. */
export function redriven(row: Parked): Parked {
  return { ...row, attempts: 0, dueAt: Date.now(), redriven: (row.redriven ?? 0) + 1 };
}

/** Moves a stream past an event that failed, so that nothing has failed there. */
export function passed(row: Parked, position: number): Parked {
  const { tenantId, streamId, slot, failedAt } = row;
  return {
    ...{ tenantId, streamId, slot, failedAt, position, attempts: 0, error: undefined },
    dueAt: Date.now(),
  };
}
