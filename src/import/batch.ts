import type { AppendRequest, ExistingEvent } from "../driver/append.ts";
import type { Session } from "../driver/driver.ts";
import { ConcurrencyError, DuplicateEventError } from "../errors/store.ts";
import { keptOut } from "../store/send.ts";
import type { ImportResult } from "./result.ts";

/**
 * Stores what is not stored yet, and removes the snapshots of its streams.
 *
 * An import keeps ids: a snapshot of a stream that was deleted would fit the new one, whatever its events hold. So the
 * snapshots go before the events are there, as nobody else would remove them if this process ended in between, and again
 * afterwards: one of the old stream may have been kept meanwhile.
 */
export async function storeBatch(
  session: Session<unknown>,
  request: AppendRequest,
): Promise<ImportResult> {
  const { tenantId, writes } = request;
  const streamIds = writes.map(({ streamId }) => streamId);
  await session.snapshots?.drop(tenantId, streamIds);
  const result = await storeNew(session, request);
  await session.snapshots?.drop(tenantId, streamIds);
  return result;
}

/**
 * Stores what is not stored yet. A request of which some ids are known is refused as a whole, and names them. Where a
 * write expects a version as a number, its events keep theirs.
 *
 * @throws {DuplicateEventError} If an id is used elsewhere, or an event comes before one that is stored.
 * @throws {ConcurrencyError} If a stream is not at a version that is expected.
 */
export async function storeNew(
  session: Session<unknown>,
  request: AppendRequest,
): Promise<ImportResult> {
  let rest = request;
  let known = 0;
  let position = 0;
  let before: string | undefined;
  let unchanged = 0;
  while (rest.writes.length > 0) {
    const outcome = (await session.append([rest]))[0]!;
    if (outcome.status === "stored") {
      const positions = outcome.writes.flatMap((write) => write.positions);
      return { imported: positions.length, known, position: Math.max(position, ...positions) };
    }
    const { conflict } = outcome;
    if (conflict.kind === "condition") throw keptOut(); // a batch has none
    if (conflict.kind === "version") refuse(rest, conflict.versions);
    if (conflict.kind !== "id") {
      // Another writer was faster: with any version, it fits the next time, unless no version has risen.
      const versions = conflict.versions.join();
      unchanged = versions === before ? unchanged + 1 : 0;
      if (unchanged === 3) throw keptOut();
      before = versions;
      continue;
    }
    for (const event of conflict.existing) position = Math.max(position, event.position);
    known += conflict.existing.length;
    rest = without(rest, conflict.existing);
  }
  return { imported: 0, known, position };
}

/** Takes events that are stored out of a request: in their streams, and before those that are not. */
function without(request: AppendRequest, existing: readonly ExistingEvent[]): AppendRequest {
  const stored = new Map(existing.map((event) => [event.id, event]));
  const writes = request.writes.map((write) => {
    const count = write.events.findIndex(({ id }) => !stored.has(id));
    const first = count < 0 ? write.events.length : count;
    const { streamId, expectedVersion } = write;
    const misplaced = write.events.find(({ id }, index) => {
      const found = stored.get(id);
      if (found === undefined) return false;
      const moved = typeof expectedVersion === "number" &&
        found.version !== expectedVersion + index + 1;
      return index >= first || found.streamId !== streamId || moved;
    });
    if (misplaced !== undefined) throw new DuplicateEventError(misplaced.id);
    const next = typeof expectedVersion === "number" ? expectedVersion + first : expectedVersion;
    return { ...write, expectedVersion: next, events: write.events.slice(first) };
  });
  return { ...request, writes: writes.filter(({ events }) => events.length > 0) };
}

/** Refuses a request of which a stream is not at the version that it expects. */
function refuse({ writes }: AppendRequest, versions: readonly (number | undefined)[]): void {
  for (const [index, { streamId, expectedVersion }] of writes.entries()) {
    const version = versions[index];
    if (typeof expectedVersion !== "number" || version === expectedVersion) continue;
    throw new ConcurrencyError(streamId, expectedVersion, version);
  }
}
