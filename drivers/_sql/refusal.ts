import type { Connection } from "./connection.ts";
import type { Statements } from "./statement.ts";
import { type AppendConflict, type AppendRequest, fits, type MatchedEvent } from "../../mod.ts";
import { conditionParameters } from "./query.ts";
import { only } from "./row.ts";
import { list } from "./wire.ts";

/** The row of the query that explains a refused append. */
interface Refusal {
  /** JSON text: the current version of each stream, in the order of the query. */
  readonly versions: string;
  /** JSON text: id, stream, version and position of each event whose id exists; null for none. */
  readonly existing: string | null;
}

/** Asks why an append was refused. */
export async function explain(
  run: Connection["run"],
  { explain, conditions }: Statements,
  { tenantId, writes, condition }: AppendRequest,
): Promise<AppendConflict> {
  const streamIds = JSON.stringify(writes.map(({ streamId }) => streamId));
  const ids = JSON.stringify(writes.flatMap(({ events }) => events.map(({ id }) => id)));
  const refusal = only(await run<Refusal>(explain, [tenantId, streamIds, ids]));
  const rows = list<readonly [string, string, number, number]>(refusal.existing);
  const existing = rows.map(([id, streamId, version, position]) => {
    return { id, streamId, version, position };
  });
  if (existing.length > 0) return { kind: "id", existing };
  const versions = list<number>(refusal.versions);
  if (!writes.every(({ expectedVersion }, index) => fits(expectedVersion, versions[index]!))) {
    return { kind: "version", versions };
  }
  if (condition !== undefined) {
    const parameters = [tenantId, ...conditionParameters(condition)];
    const [row] = await run<{ found: string }>(conditions!.firstMatch, parameters);
    if (row !== undefined) return { kind: "condition", match: readMatch(row.found) };
  }
  // Where the event at a version is not the expected one, sending the request again cannot help.
  const pinned = writes.some(({ expectedEventId }) => expectedEventId !== undefined);
  return { kind: pinned ? "version" : "race", versions };
}

function readMatch(found: string): MatchedEvent {
  const [id, streamId, version, position, type] = JSON.parse(found);
  return { id, streamId, version, position, type };
}
