import type { Forgotten, StoredSubject, Subjects } from "../../mod.ts";
import { keyOf } from "./key.ts";
import type { Log, SubjectRow } from "./log.ts";

/** How a session reaches its log. */
interface Access {
  readonly read: () => Promise<Log>;
  readonly write: <R>(work: (log: Log) => R) => Promise<R>;
}

/** The keys of subjects, of a session. */
export class MemorySubjects implements Subjects {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async read(tenantId: string, subjects: readonly string[]): Promise<readonly StoredSubject[]> {
    const log = await this.#access.read();
    return subjects.flatMap((subject) => log.subject(keyOf(tenantId, subject)) ?? []).map(read);
  }

  async find(ids: readonly string[]): Promise<readonly StoredSubject[]> {
    const wanted = new Set(ids);
    return [...(await this.#access.read()).subjectRows().values()].filter(({ id }) =>
      wanted.has(id)
    )
      .map(read);
  }

  async list(after: string = "", limit: number): Promise<readonly StoredSubject[]> {
    return [...(await this.#access.read()).subjectRows().values()]
      .filter(({ id, keys }) => id > after && keys !== null)
      .sort((one, other) => one.id < other.id ? -1 : 1)
      .slice(0, limit)
      .map(read);
  }

  async forgotten(tenantId: string, subject: string): Promise<string | undefined> {
    return (await this.#access.read()).subject(keyOf(tenantId, subject))?.forgottenAt;
  }

  async make(
    tenantId: string,
    rows: readonly StoredSubject[],
  ): Promise<readonly StoredSubject[]> {
    return await this.#access.write((log) =>
      rows.filter((row) => {
        const key = keyOf(tenantId, row.subject);
        if (log.subject(key) !== undefined) return false;
        log.subjects.set(key, { ...row, forgottenAt: undefined });
        return true;
      })
    );
  }

  async forget(tenantId: string, subject: string, id: string, at: string): Promise<Forgotten> {
    return await this.#access.write((log) => {
      const key = keyOf(tenantId, subject);
      const row = log.subject(key) ?? { subject, id, keys: null, forgottenAt: undefined };
      const forgottenAt = row.forgottenAt ?? at;
      log.subjects.set(key, { ...row, keys: null, forgottenAt });
      return { at: forgottenAt, destroyed: row.keys !== null };
    });
  }

  async replace(id: string, before: string, keys: string): Promise<boolean> {
    return await this.#access.write((log) => {
      for (const [key, row] of log.subjectRows()) {
        if (row.id !== id || row.keys !== before) continue;
        log.subjects.set(key, { ...row, keys });
        return true;
      }
      return false;
    });
  }
}

function read({ subject, id, keys }: SubjectRow): StoredSubject {
  return { subject, id, keys };
}
