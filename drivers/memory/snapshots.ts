import type { NewSnapshot, SnapshotPage, SnapshotQuery, Snapshots } from "../../mod.ts";
import { keyOf } from "./key.ts";
import type { Log } from "./log.ts";
import { read } from "./row.ts";

/** How a session reaches its log. */
interface Access {
  readonly read: () => Promise<Log>;
  readonly write: <R>(work: (log: Log) => R) => Promise<R>;
}

/** The snapshots of a session, encoded as in a database. */
export class MemorySnapshots implements Snapshots {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async load(query: SnapshotQuery): Promise<SnapshotPage> {
    const { tenantId, streamId, kind, stateVersion, to, at, limit } = query;
    const log = await this.#access.read();
    const key = keyOf(tenantId, streamId);
    const stream = log.stream(key);
    const snapshot = log.kept(key).find((one) =>
      one.kind === kind && one.stateVersion === stateVersion && one.version <= to &&
      (at === undefined || one.latestAt <= at) && stream[one.version - 1]?.id === one.eventId
    );
    const start = snapshot?.version ?? 0;
    const events = stream.slice(start, Math.max(start, Math.min(to, start + limit))).map(read);
    return {
      events,
      more: events.length === limit,
      snapshot: snapshot && {
        ...snapshot,
        data: JSON.parse(snapshot.data),
        codec: snapshot.codec === null ? null : JSON.parse(snapshot.codec),
      },
    };
  }

  async save(snapshot: NewSnapshot): Promise<void> {
    const { tenantId, streamId, kind, stateVersion, version } = snapshot;
    const key = keyOf(tenantId, streamId);
    await this.#access.write((log) => {
      const kept = log.kept(key);
      const same = (one: NewSnapshot) => one.kind === kind && one.stateVersion === stateVersion;
      const old = kept.find(same);
      const current = old !== undefined && log.stream(key)[old.version - 1]?.id === old.eventId;
      if (current && old.version >= version) return;
      const rest = kept.filter((one) =>
        !same(one) && (one.kind !== kind || one.stateVersion >= stateVersion - 1)
      );
      log.snapshots.set(key, [...rest, snapshot]);
    });
  }

  async drop(tenantId: string, streamIds: readonly string[]): Promise<void> {
    await this.#access.write((log) => {
      for (const streamId of streamIds) log.snapshots.set(keyOf(tenantId, streamId), []);
    });
  }
}
