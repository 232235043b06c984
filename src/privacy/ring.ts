import type { Session } from "../driver/driver.ts";
import type { KeyStore, SubjectKey } from "./keystore.ts";
import { isEventSourceryError } from "../errors/guard.ts";
import { KeyUnavailableError } from "../errors/event.ts";
import { importKey } from "./cipher.ts";

/** A key, as it was read. */
export interface Known {
  readonly id: string;
  readonly subject: string;
  /** Undefined once the subject is forgotten. */
  readonly key: CryptoKey | undefined;
  /** When it was read, in milliseconds since 1970. */
  readonly readAt: number;
}

interface RingOptions {
  /** Returns where a session finds its keys. */
  readonly storeAt: (session: Session<unknown>) => KeyStore;
  /** Whether the keys live outside of the store's database, and so outside of its transactions. */
  readonly outside: boolean;
  readonly maxAge: number;
  readonly max: number;
}

/** The keys of a driver's subjects that were read lately, the one unused longest first. */
export class KeyRing {
  readonly #options: RingOptions;
  readonly #known: Map<string, Known> = new Map();
  /** The ids of current keys, by tenant and subject. */
  readonly #ids: Map<string, string> = new Map();
  /** The subjects that are being forgotten, each with the number of calls that do. */
  readonly #forgetting: Map<string, number> = new Map();
  /** Counts the beginnings and ends of forgetting: what was looked up across one is not kept. */
  #changes = 0;

  constructor(options: RingOptions) {
    this.#options = options;
  }

  /** Returns the current keys of subjects, by subject; makes those that are missing. */
  async current(
    session: Session<unknown>,
    tenantId: string,
    subjects: readonly string[],
  ): Promise<ReadonlyMap<string, Known>> {
    const name = (subject: string) => `${tenantId}\0${subject}`;
    const found = new Map<string, Known>();
    for (const subject of subjects) {
      const known = this.#take(this.#ids.get(name(subject)));
      if (known !== undefined) found.set(subject, known);
    }
    const missing = [...new Set(subjects)].filter((subject) => !found.has(subject)).sort();
    if (missing.length === 0) return found;
    const read = await this.#read(session, (store) => store.current(tenantId, missing));
    for (const [known, kept] of read) {
      found.set(known.subject, known);
      if (kept) this.#ids.set(name(known.subject), known.id);
    }
    const lost = missing.find((subject) => !found.has(subject));
    if (lost === undefined) return found;
    throw new KeyUnavailableError("seal sensitive fields", "the key store has given no key");
  }

  /** Returns keys by their ids; those that are unknown are left out. */
  async find(
    session: Session<unknown>,
    ids: Iterable<string>,
  ): Promise<ReadonlyMap<string, Known>> {
    const found = new Map<string, Known>();
    const missing: string[] = [];
    for (const id of new Set(ids)) {
      const known = this.#take(id);
      if (known === undefined) missing.push(id);
      else found.set(id, known);
    }
    if (missing.length === 0) return found;
    const read = await this.#read(session, (store) => store.find(missing));
    for (const [known] of read) found.set(known.id, known);
    return found;
  }

  /** Begins to forget a subject: from now on nobody's memory of its keys counts. Returns how that ends. */
  forget(subject: string): () => void {
    this.drop(subject);
    this.#forgetting.set(subject, (this.#forgetting.get(subject) ?? 0) + 1);
    return () => {
      this.drop(subject);
      const left = this.#forgetting.get(subject)! - 1;
      if (left > 0) this.#forgetting.set(subject, left);
      else this.#forgetting.delete(subject);
    };
  }

  /** Drops what is remembered of a subject, in all tenants. */
  drop(subject: string): void {
    this.#changes++;
    for (const known of [...this.#known.values()]) {
      if (known.subject === subject) this.#known.delete(known.id);
    }
  }

  #take(id: string | undefined): Known | undefined {
    const known = id === undefined ? undefined : this.#known.get(id);
    if (known === undefined) return undefined;
    this.#known.delete(known.id);
    if (Date.now() - known.readAt >= this.#options.maxAge) return undefined;
    this.#known.set(known.id, known);
    return known;
  }

  /** Asks the key store, and keeps what holds for everybody; returns each key, and whether it is kept. */
  async #read(
    session: Session<unknown>,
    ask: (store: KeyStore) => Promise<readonly SubjectKey[]>,
  ): Promise<readonly (readonly [Known, boolean])[]> {
    const { storeAt, outside, max } = this.#options;
    const [changes, readAt] = [this.#changes, Date.now()];
    const answer = await ask(storeAt(session)).catch((cause: unknown) => {
      // The database's own trouble is told as such.
      if (isEventSourceryError(cause)) throw cause;
      throw new KeyUnavailableError("use sensitive fields", "the key store has failed", { cause });
    });
    const read = await Promise.all(answer.map(async ({ id, subject, key }): Promise<Known> => {
      return { id, subject, key: key && await importKey(key), readAt };
    }));
    // A key that a transaction has made goes with its rollback: only a driver's own session sees what is committed.
    const lasting = outside || "capabilities" in session;
    return read.map((known) => {
      const kept = lasting && changes === this.#changes && !this.#forgetting.has(known.subject);
      if (kept) this.#known.set(known.id, known);
      for (const [oldest] of this.#known) {
        if (this.#known.size <= max) break;
        this.#known.delete(oldest);
      }
      return [known, kept];
    });
  }
}
