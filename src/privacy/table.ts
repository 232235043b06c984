import type { StoredSubject, Subjects } from "../driver/subjects.ts";
import type { KeyStore, SubjectKey } from "./keystore.ts";
import type { KeyWrapper } from "./wrapper.ts";
import { fromBase64 } from "../codec/decode.ts";
import { toBase64 } from "../codec/encode.ts";
import { KeyUnavailableError } from "../errors/event.ts";
import { newKey } from "./cipher.ts";

/** The keys of a row: the newest first; so far each row has one. */
type Packed = readonly {
  readonly n: 1;
  /** In base64. */
  readonly key: string;
  /** The id of its wrapper; absent for a key that is stored as it is. */
  readonly by?: string;
}[];

/** The keys in the driver's table. */
export class KeyTable implements KeyStore {
  readonly #rows: Subjects;
  readonly #wrappers: readonly KeyWrapper[];

  constructor(rows: Subjects, wrappers: readonly KeyWrapper[]) {
    this.#rows = rows;
    this.#wrappers = wrappers;
  }

  async current(tenantId: string, subjects: readonly string[]): Promise<readonly SubjectKey[]> {
    const found = [...await this.#rows.read(tenantId, subjects)];
    const missing = () => subjects.filter((one) => !found.some(({ subject }) => subject === one));
    for (let left = 3; missing().length > 0; left--) {
      // In a transaction that sees an old state of the database, what others made never shows.
      if (left === 0) throw new KeyUnavailableError(action, "another transaction has made it");
      const rows = missing().map(async (subject) => {
        return { subject, id: crypto.randomUUID(), keys: await this.#pack(newKey()) };
      });
      found.push(...await this.#rows.make(tenantId, await Promise.all(rows)));
      if (missing().length > 0) found.push(...await this.#rows.read(tenantId, missing()));
    }
    return await Promise.all(found.map((row) => this.#unpack(row)));
  }

  async find(ids: readonly string[]): Promise<readonly SubjectKey[]> {
    const found = await this.#rows.find(ids);
    return await Promise.all(found.map((row) => this.#unpack(row)));
  }

  async forget(
    tenantId: string,
    subject: string,
  ): Promise<{ readonly at: Date; readonly keys: number }> {
    const now = new Date().toISOString();
    const done = await this.#rows.forget(tenantId, subject, crypto.randomUUID(), now);
    return { at: new Date(done.at), keys: done.destroyed ? 1 : 0 };
  }

  async forgotten(tenantId: string, subject: string): Promise<Date | undefined> {
    const at = await this.#rows.forgotten(tenantId, subject);
    return at === undefined ? undefined : new Date(at);
  }

  /** Wraps all keys anew that are not under the first wrapper; returns how many. */
  async rewrap(): Promise<number> {
    let count = 0;
    let after: string | undefined;
    while (true) {
      const rows = await this.#rows.list(after, 100);
      for (const { id, keys } of rows) {
        if (keys === null || parse(keys)[0]?.by === this.#wrappers[0]?.id) continue;
        const packed = await this.#pack(await this.#open(keys));
        if (await this.#rows.replace(id, keys, packed)) count++;
      }
      if (rows.length < 100) return count;
      after = rows.at(-1)!.id;
    }
  }

  async #pack(key: Uint8Array): Promise<string> {
    const [wrapper] = this.#wrappers;
    const packed: Packed = wrapper === undefined
      ? [{ n: 1, key: toBase64(key) }]
      : [{ n: 1, key: toBase64(await wrapper.wrap(key)), by: wrapper.id }];
    return JSON.stringify(packed);
  }

  async #unpack({ id, subject, keys }: StoredSubject): Promise<SubjectKey> {
    return { id, subject, key: keys === null ? undefined : await this.#open(keys) };
  }

  async #open(keys: string): Promise<Uint8Array> {
    const [newest] = parse(keys);
    if (newest === undefined) throw new KeyUnavailableError(action, "its row holds none");
    const bytes = fromBase64(newest.key);
    if (newest.by === undefined) return bytes;
    const wrapper = this.#wrappers.find(({ id }) => id === newest.by);
    if (wrapper === undefined) {
      throw new KeyUnavailableError(action, "the one that wrapped it is not among the wrappers");
    }
    try {
      return await wrapper.unwrap(bytes);
    } catch (cause) {
      throw new KeyUnavailableError(action, "unwrapping it failed", { cause });
    }
  }
}

const action = "use the key of a subject";

function parse(keys: string): Packed {
  return JSON.parse(keys);
}
