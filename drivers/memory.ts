/**
 * Keeps events in memory: for tests, and as the readable reference of what a driver does.
 *
 * It has the semantics of the SQL drivers, transactions, rollback and savepoints included. What is in it is gone with
 * the process.
 *
 * @example A unit test without a database
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Counted = defineEvent("Counted");
 * const store = new EventStore(memory(), { events: [Counted] });
 * await store.append("counter", [Counted(), Counted()]);
 * assert.equal(await store.version("counter"), 2);
 * ```
 *
 * @module
 */
import type {
  AppendOutcome,
  AppendRequest,
  Driver,
  ExpectedVersion,
  LogPage,
  LogQuery,
  NewEvent,
  Session,
  StoredEvent,
  StoredStream,
  StreamQuery,
  StreamsQuery,
} from "../mod.ts";
import { Turns } from "./turns.ts";

/** How an in-memory driver behaves. */
export interface MemoryOptions<Db = undefined> {
  /** What handlers and transactions get as `db`: for handlers written for a database. @default undefined */
  readonly db?: Db | undefined;
  /** How long a write waits for an open transaction, in milliseconds. @default 5000 */
  readonly busyTimeout?: number | undefined;
}

/**
 * Makes a driver that keeps events in memory.
 *
 * @returns An empty store of its own; its `migrate` has nothing to do.
 */
export function memory<Db = undefined>(options: MemoryOptions<Db> = {}): Driver<Db> {
  const log = new Log(undefined);
  return new MemoryDriver(log, new Turns(options.busyTimeout ?? 5000), options.db as Db);
}

/** An event as it is kept: encoded, as a database would hold it. */
interface Row extends NewEvent {
  readonly tenantId: string;
  readonly streamId: string;
  readonly category: string;
  readonly version: number;
  readonly position: number;
}

/** What is committed, or, on top of it, what a transaction has done so far. */
class Log {
  readonly base: Log | undefined;
  readonly rows: Row[] = [];
  readonly streams: Map<string, Row[]> = new Map();
  readonly ids: Map<string, Row> = new Map();
  /** Streams of the base that this transaction deleted. */
  readonly deleted: Set<string> = new Set();
  /** The last position that was given (a rollback leaves a hole), and the last that no open transaction holds. */
  readonly sequence: { given: number; settled: number };

  constructor(base: Log | undefined) {
    this.base = base;
    this.sequence = base?.sequence ?? { given: 0, settled: 0 };
  }

  stream(key: string): readonly Row[] {
    const own = this.streams.get(key) ?? [];
    if (this.base === undefined || this.deleted.has(key)) return own;
    return [...this.base.stream(key), ...own];
  }

  version(key: string): number {
    const own = this.streams.get(key)?.at(-1)?.version;
    if (own !== undefined) return own;
    return this.base === undefined || this.deleted.has(key) ? 0 : this.base.version(key);
  }

  event(tenantId: string, id: string): Row | undefined {
    const own = this.ids.get(keyOf(tenantId, id));
    if (own !== undefined) return own;
    const row = this.base?.event(tenantId, id);
    return row === undefined || this.deleted.has(keyOf(tenantId, row.streamId)) ? undefined : row;
  }

  /** The keys of all streams that have events. */
  keys(): Set<string> {
    const keys = this.base?.keys() ?? new Set();
    for (const key of this.deleted) keys.delete(key);
    for (const key of this.streams.keys()) keys.add(key);
    return keys;
  }

  insert(row: Row): void {
    const key = keyOf(row.tenantId, row.streamId);
    const stream = this.streams.get(key);
    if (stream === undefined) this.streams.set(key, [row]);
    else stream.push(row);
    this.rows.push(row);
    this.ids.set(keyOf(row.tenantId, row.id), row);
  }

  remove(key: string): void {
    const own = this.streams.get(key);
    if (own !== undefined) {
      this.streams.delete(key);
      for (const row of own) this.ids.delete(keyOf(row.tenantId, row.id));
      const kept = this.rows.filter((row) => keyOf(row.tenantId, row.streamId) !== key);
      this.rows.splice(0, this.rows.length, ...kept);
    }
    if (this.base !== undefined) this.deleted.add(key);
  }

  /** Commits a transaction: what it did becomes part of its base. */
  commit(): void {
    for (const key of this.deleted) this.base!.remove(key);
    for (const row of this.rows) this.base!.insert(row);
  }
}

class MemorySession<Db> implements Session<Db> {
  readonly db: Db;
  readonly log: Log;

  constructor(log: Log, db: Db) {
    this.log = log;
    this.db = db;
  }

  append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    return Promise.resolve(requests.map((request) => appendOne(this.log, request)));
  }

  load(
    { tenantId, streamId, from, to, limit, backwards }: StreamQuery,
  ): Promise<readonly StoredEvent[]> {
    const stream = this.log.stream(keyOf(tenantId, streamId));
    // Versions have no holes, so they are indexes.
    const found = stream.slice(from - 1, Math.min(to, stream.length));
    const wanted = backwards ? found.reverse() : found;
    return Promise.resolve(wanted.slice(0, limit).map(read));
  }

  scan({ tenantId, after, until, limit, categories, types, tags }: LogQuery): Promise<LogPage> {
    const { rows } = settledLog(this.log);
    const events: StoredEvent[] = [];
    for (
      let index = firstAfter(rows, after);
      index < rows.length && rows[index]!.position <= until;
      index++
    ) {
      const row = rows[index]!;
      if (tenantId !== undefined && row.tenantId !== tenantId) continue;
      if (categories !== undefined && !categories.includes(row.category)) continue;
      if (types !== undefined && !types.includes(row.type)) continue;
      if (tags !== undefined && !tags.every((tag) => row.tags.includes(tag))) continue;
      events.push(read(row));
      if (events.length === limit) return Promise.resolve({ events, scanned: row.position });
    }
    return Promise.resolve({ events, scanned: until });
  }

  settled(): Promise<number> {
    return Promise.resolve(this.log.sequence.settled);
  }

  streams({ tenantId, category, after, limit }: StreamsQuery): Promise<readonly StoredStream[]> {
    const found: StoredStream[] = [];
    for (const key of this.log.keys()) {
      const rows = this.log.stream(key);
      const first = rows[0]!;
      const last = rows.at(-1)!;
      if (first.tenantId !== tenantId || (category !== undefined && first.category !== category)) {
        continue;
      }
      if (after !== undefined && compareBytes(first.streamId, after) <= 0) continue;
      const { streamId, createdAt } = first;
      found.push({ streamId, version: last.version, createdAt, updatedAt: last.createdAt });
    }
    found.sort((a, b) => compareBytes(a.streamId, b.streamId));
    return Promise.resolve(found.slice(0, limit));
  }

  delete(tenantId: string, streamId: string): Promise<void> {
    this.log.remove(keyOf(tenantId, streamId));
    return Promise.resolve();
  }

  async transaction<R>(work: (session: Session<Db>) => Promise<R>): Promise<R> {
    const inner = new Log(this.log);
    const result = await work(new MemorySession(inner, this.db));
    inner.commit();
    return result;
  }
}

/** The session outside of transactions: its writes wait for the transaction that is open. */
class MemoryDriver<Db> extends MemorySession<Db> implements Driver<Db> {
  readonly capabilities = { transactions: true };
  readonly #turns: Turns;

  constructor(log: Log, turns: Turns, db: Db) {
    super(log, db);
    this.#turns = turns;
  }

  override append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    return this.#turns.free
      ? this.#append(requests)
      : this.#turns.take(() => this.#append(requests));
  }

  #append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    const outcomes = super.append(requests);
    this.#settle();
    return outcomes;
  }

  override delete(tenantId: string, streamId: string): Promise<void> {
    return this.#turns.take(() => super.delete(tenantId, streamId));
  }

  override transaction<R>(work: (session: Session<Db>) => Promise<R>): Promise<R> {
    return this.#turns.take(async () => {
      try {
        return await super.transaction(work);
      } finally {
        this.#settle();
      }
    });
  }

  /** Nothing is open: every position that was given is committed or will never appear. */
  #settle(): void {
    this.log.sequence.settled = this.log.sequence.given;
  }

  migrate(): Promise<void> {
    return Promise.resolve();
  }

  /** There are no transactions but the driver's own to join: the session is the driver's. */
  using(db: Db): Session<Db> {
    return new MemoryDriver(this.log, this.#turns, db);
  }
}

function appendOne(log: Log, { tenantId, writes }: AppendRequest): AppendOutcome {
  const versions = writes.map(({ streamId }) => log.version(keyOf(tenantId, streamId)));
  const known = writes.flatMap(({ events }) =>
    events.flatMap(({ id }) => log.event(tenantId, id) ?? [])
  );
  const fits = writes.every(({ expectedVersion }, index) =>
    holds(expectedVersion, versions[index]!)
  );
  if (!fits || known.length > 0) {
    return { status: "refused", versions, known, transactionAborted: false };
  }
  return {
    status: "stored",
    writes: writes.map(({ streamId, category, events }, index) => {
      let version = versions[index]!;
      const positions = events.map((event) => {
        const position = ++log.sequence.given;
        log.insert({ ...event, tenantId, streamId, category, version: ++version, position });
        return position;
      });
      return { version, positions };
    }),
  };
}

function holds(expected: ExpectedVersion, version: number): boolean {
  if (expected === "any") return true;
  if (expected === "noStream") return version === 0;
  return expected === "streamExists" ? version > 0 : version === expected;
}

function read(row: Row): StoredEvent {
  const { data, metadata, codec, category: _, ...rest } = row;
  return {
    ...rest,
    data: data === null ? undefined : JSON.parse(data),
    metadata: JSON.parse(metadata),
    codec: codec === null ? null : JSON.parse(codec),
  };
}

/** The log shows committed events only, also inside a transaction. */
function settledLog(log: Log): Log {
  return log.base === undefined ? log : settledLog(log.base);
}

function firstAfter(rows: readonly Row[], after: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]!.position <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** NUL stands in no name, so no two pairs share a key. */
function keyOf(tenantId: string, name: string): string {
  return `${tenantId}\0${name}`;
}

/** Compares by code points, which is the order of the UTF-8 bytes; `<` compares UTF-16 units, surrogates too low. */
function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x2000 : unit;
}
