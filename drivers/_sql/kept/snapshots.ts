import type {
  NewSnapshot,
  SnapshotPage,
  SnapshotQuery,
  Snapshots,
  StoredSnapshot,
} from "../../../mod.ts";
import type { SnapshotStatements } from "../statement.ts";
import type { Run } from "./run.ts";
import { type PageColumns, streamPage, streamPageColumns } from "../wire.ts";

/** The columns of a snapshot and the page after it, in order. */
export const snapshotColumns: readonly string[] = [...streamPageColumns, "snapshot"];

type SnapshotColumns = PageColumns & {
  /** JSON text of an object: the members of `StoredSnapshot`, named as in SQL; null without one. */
  readonly snapshot: string | null;
};

/** The snapshots of a session. */
export class SqlSnapshots implements Snapshots {
  readonly #statements: SnapshotStatements;
  readonly #run: Run;

  constructor(statements: SnapshotStatements, run: Run) {
    this.#statements = statements;
    this.#run = run;
  }

  async load(query: SnapshotQuery): Promise<SnapshotPage> {
    const { tenantId, streamId, kind, stateVersion, to, at, limit } = query;
    const parameters = [
      ...[tenantId, streamId, String(to), String(limit)],
      ...[kind, String(stateVersion), at ?? null],
    ];
    const page = streamPage(limit, query);
    const read = (row: SnapshotColumns): SnapshotPage => {
      return { ...page(row), snapshot: row.snapshot === null ? undefined : parse(row.snapshot) };
    };
    return await this.#run.read("load a snapshot", this.#statements.load, parameters, read);
  }

  async save(snapshot: NewSnapshot): Promise<void> {
    const { tenantId, streamId, kind, stateVersion, version, eventId } = snapshot;
    const { latestAt, data, codec, savedAt } = snapshot;
    await this.#run.write("save a snapshot", this.#statements.save, [
      ...[tenantId, streamId, kind, String(stateVersion), String(version), eventId],
      ...[latestAt, data, codec, savedAt],
    ]);
  }

  async drop(tenantId: string, streamIds: readonly string[]): Promise<void> {
    const { drop } = this.#statements;
    await this.#run.write("drop snapshots", [drop], [tenantId, JSON.stringify(streamIds)]);
  }
}

function parse(snapshot: string): StoredSnapshot {
  const { version, event_id, latest_at, data, codec } = JSON.parse(snapshot);
  const latestAt = latest_at.endsWith("Z") ? latest_at : `${latest_at}Z`;
  return { version, eventId: event_id, latestAt, data: data ?? undefined, codec };
}
