import type { Connection } from "../connection.ts";
import type { ConditionStatements, Statements } from "../statement.ts";
import {
  type AppendConflict,
  type AppendRequest,
  type ExistingEvent,
  fits,
  type MatchedEvent,
} from "../../../mod.ts";
import { conditionParameters } from "../query.ts";
import { only } from "../row.ts";
import { list } from "../wire.ts";

/** The row of the query that explains a refused append. */
interface Refusal {
  /** JSON text: the current version of each stream, in the order of the query. */
  readonly versions: string;
  /** JSON text: id, stream, version and position of each event whose id exists; null for none. */
  readonly existing: string | null;
}

/** What is stored of a request's streams and ids. */
interface Found {
  readonly versions: readonly number[];
  readonly existing: readonly ExistingEvent[];
}

/** Asks why appends were refused. */
export async function explain(
  run: Connection["run"],
  statements: Statements,
  requests: readonly AppendRequest[],
  conditions: ConditionStatements | undefined,
): Promise<readonly AppendConflict[]> {
  const conflicts: AppendConflict[] = [];
  for (const [index, { versions, existing }] of (await find(run, statements, requests)).entries()) {
    const { tenantId, writes, condition } = requests[index]!;
    const parameters = condition && [tenantId, ...conditionParameters(condition)];
    if (existing.length > 0) {
      conflicts.push({ kind: "id", existing });
    } else if (
      !writes.every(({ expectedVersion }, write) => fits(expectedVersion, versions[write]!))
    ) {
      conflicts.push({ kind: "version", versions });
    } else {
      const [row] = parameters === undefined
        ? []
        : await run<{ found: string }>(conditions!.firstMatch(condition!.items), parameters);
      // Where the event at a version is not the expected one, sending the request again cannot help.
      const pinned = writes.some(({ expectedEventId }) => expectedEventId !== undefined);
      conflicts.push(
        row === undefined
          ? { kind: pinned ? "version" : "race", versions }
          : { kind: "condition", match: readMatch(row.found) },
      );
    }
  }
  return conflicts;
}

/** Finds the versions of the requests' streams and the events that have their ids, with one question a tenant. */
export async function find(
  run: Connection["run"],
  { explain }: Statements,
  requests: readonly AppendRequest[],
): Promise<readonly Found[]> {
  const found = new Map<AppendRequest, Found>();
  for (const tenantId of new Set(requests.map((request) => request.tenantId))) {
    const own = requests.filter((request) => request.tenantId === tenantId);
    const writes = own.flatMap(({ writes }) => writes);
    const streamIds = JSON.stringify(writes.map(({ streamId }) => streamId));
    const ids = JSON.stringify(writes.flatMap(({ events }) => events.map(({ id }) => id)));
    const answer = only(await run<Refusal>(explain, [tenantId, streamIds, ids]));
    const versions = [...list<number>(answer.versions)];
    const rows = list<readonly [string, string, number, number]>(answer.existing);
    const byId = new Map(rows.map(([id, streamId, version, position]) => {
      return [id, { id, streamId, version, position }];
    }));
    for (const request of own) {
      found.set(request, {
        versions: versions.splice(0, request.writes.length),
        existing: request.writes.flatMap(({ events }) =>
          events.flatMap(({ id }) => byId.get(id) ?? [])
        ),
      });
    }
  }
  return requests.map((request) => found.get(request)!);
}

function readMatch(found: string): MatchedEvent {
  const [id, streamId, version, position, type] = JSON.parse(found);
  return { id, streamId, version, position, type };
}
