import { type AppendConflict, type AppendOutcome, type AppendRequest, fits } from "../../mod.ts";
import { keyOf } from "./key.ts";
import type { Log, Row } from "./log.ts";
import { firstMatch } from "./query.ts";
import { rowOf } from "./row.ts";

/** Stores the events of a request, or says what is in the way. */
export function appendOne(log: Log, request: AppendRequest): AppendOutcome {
  const { tenantId, writes, condition, signal } = request;
  signal?.throwIfAborted();
  const versions = writes.map(({ streamId }) => log.version(keyOf(tenantId, streamId)));
  const existing: Row[] = [];
  for (const { events } of writes) {
    for (const { id } of events) {
      const row = log.event(tenantId, id);
      if (row !== undefined) existing.push(row);
    }
  }
  const refused = (conflict: AppendConflict): AppendOutcome => ({
    status: "refused",
    conflict,
    transactionAborted: false,
  });
  if (existing.length > 0) return refused({ kind: "id", existing });
  const fit = writes.every(({ streamId, expectedVersion, expectedEventId }, index) =>
    fits(expectedVersion, versions[index]!) &&
    (expectedEventId === undefined ||
      log.stream(keyOf(tenantId, streamId)).at(-1)?.id === expectedEventId)
  );
  if (!fit) {
    return refused({ kind: "version", versions });
  }
  const match = condition && firstMatch(log, tenantId, condition);
  if (match !== undefined) return refused({ kind: "condition", match });
  return {
    status: "stored",
    writes: writes.map(({ streamId, category, slot, events }, index) => {
      let version = versions[index]!;
      const positions = events.map((event) => {
        const position = ++log.sequence.assigned;
        log.insert(
          rowOf(event, { tenantId, streamId, category, slot, version: ++version, position }),
        );
        return position;
      });
      return { version, positions };
    }),
  };
}
