import {
  type AppendOutcome,
  type AppendRequest,
  type Checkpoints,
  type ConsumerKey,
  type CorrelationQuery,
  type Driver,
  type HandledMessages,
  type LogPage,
  type LogQuery,
  type LogState,
  type MatchPage,
  type MatchQuery,
  type ProbedEvent,
  type Schedule,
  type Session,
  type Snapshots,
  type StoredEvent,
  type StoredStream,
  type StreamPage,
  type StreamQuery,
  type StreamsQuery,
  type Subjects,
  UnsupportedError,
} from "../../mod.ts";
import { Queue } from "../_shared/queue.ts";
import { type Turn, turnOf } from "../_shared/turn.ts";
import { appendOne } from "./append.ts";
import { MemoryCheckpoints } from "./checkpoints.ts";
import { MemoryInbox } from "./inbox.ts";
import { compareBytes, keyOf } from "./key.ts";
import { Log } from "./log.ts";
import { isIn, matchesOf } from "./query.ts";
import { read } from "./row.ts";
import { MemorySchedule } from "./schedule.ts";
import { MemorySnapshots } from "./snapshots.ts";
import { MemorySubjects } from "./subjects.ts";

/**
 * A session on a log: the driver's own, or inside a transaction.
 *
 * While a transaction is open, the writes of the session around it wait; so a transaction inside a transaction is a
 * savepoint, and two of them run one after the other.
 */
class MemorySession<Db> implements Session<Db> {
  readonly db: Db;
  readonly checkpoints: Checkpoints;
  readonly snapshots: Snapshots;
  readonly keys: Subjects;
  readonly inbox: HandledMessages;
  readonly schedule: Schedule;
  readonly #log: Log;
  readonly #busyTimeout: number;
  readonly #queue: Queue;
  readonly #turn: Turn;
  #ended = false;

  constructor(log: Log, db: Db, busyTimeout: number, queue: Queue = new Queue(busyTimeout)) {
    this.#log = log;
    this.db = db;
    this.#busyTimeout = busyTimeout;
    this.#queue = queue;
    // Seldom, so that a test that goes by the clock sees the same order on a busy machine.
    this.#turn = turnOf(queue, 1000);
    this.checkpoints = new MemoryCheckpoints({
      read: async () => (await this.#read()).consumers,
      write: (work) => this.#write((log) => work(log.consumers)),
      after: ({ tenantId, streamId }, position) =>
        this.#log.stream(keyOf(tenantId, streamId)).filter((row) => row.position > position).length,
    });
    const access = {
      read: () => this.#read(),
      write: <R>(work: (log: Log) => R) => this.#write(work),
    };
    this.snapshots = new MemorySnapshots(access);
    this.keys = new MemorySubjects(access);
    this.inbox = new MemoryInbox({
      write: (work) => this.#write((log) => work(log.marks)),
    });
    this.schedule = new MemorySchedule({
      read: async () => (await this.#read()).scheduled,
      write: (work) => this.#write((log) => work(log.scheduled)),
    });
  }

  // Not async, which would make a second promise of each append.
  append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    return this.#write((log) => requests.map((request) => appendOne(log, request)));
  }

  async load(
    { tenantId, streamId, from, to, limit, backwards }: StreamQuery,
  ): Promise<StreamPage> {
    const stream = (await this.#read()).stream(keyOf(tenantId, streamId));
    // Versions have no gaps, so they are indexes.
    const start = from - 1;
    const end = Math.min(to, stream.length);
    const wanted = backwards
      ? stream.slice(Math.max(start, end - limit), end).reverse()
      : stream.slice(start, Math.min(end, start + limit));
    return { events: wanted.map(read), more: wanted.length === limit };
  }

  async scan(query: LogQuery): Promise<LogPage> {
    const { after, until, limit, backwards = false } = query;
    const events: StoredEvent[] = [];
    for (const row of (await this.#read()).between(after, until, backwards)) {
      if (!isIn(row, query)) continue;
      events.push(read(row));
      if (events.length === limit) return { events, scanned: row.position };
    }
    return { events, scanned: backwards ? after + 1 : until };
  }

  async probe(positions: readonly number[]): Promise<readonly (ProbedEvent | undefined)[]> {
    const log = await this.#read();
    return positions.map((position) => log.from(position));
  }

  async find(tenantId: string, id: string): Promise<StoredEvent | undefined> {
    const row = (await this.#read()).event(tenantId, id);
    return row && read(row);
  }

  async correlated(
    { tenantId, correlationId, after, limit }: CorrelationQuery,
  ): Promise<StreamPage> {
    const found = (await this.#read()).all(after)
      .filter((row) =>
        row.tenantId === tenantId && JSON.parse(row.metadata).correlationId === correlationId
      )
      .slice(0, limit);
    return { events: found.map(read), more: found.length === limit };
  }

  async query(query: MatchQuery): Promise<MatchPage> {
    const log = await this.#read();
    const events = matchesOf(log, query).map(read);
    return { events, settled: log.sequence.settled, more: events.length === query.limit };
  }

  async settled(): Promise<number> {
    return (await this.#read()).sequence.settled;
  }

  async poll(seen: readonly ConsumerKey[]): Promise<LogState> {
    return { settled: await this.settled(), due: await this.checkpoints.due(seen) };
  }

  async streams(
    { tenantId, category, prefix = "", after, limit }: StreamsQuery,
  ): Promise<readonly StoredStream[]> {
    const log = await this.#read();
    const found: StoredStream[] = [];
    for (const key of log.keys()) {
      const rows = log.stream(key);
      const first = rows[0]!;
      const last = rows.at(-1)!;
      if (first.tenantId !== tenantId || (category !== undefined && first.category !== category)) {
        continue;
      }
      if (after !== undefined && compareBytes(first.streamId, after) <= 0) continue;
      if (!first.streamId.startsWith(prefix)) continue;
      const { streamId, createdAt } = first;
      found.push({ streamId, version: last.version, createdAt, updatedAt: last.createdAt });
    }
    found.sort((a, b) => compareBytes(a.streamId, b.streamId));
    return found.slice(0, limit);
  }

  async delete(tenantId: string, streamId: string): Promise<void> {
    await this.#write((log) => {
      log.remove(keyOf(tenantId, streamId));
      log.consumers.unpark(tenantId, streamId);
      for (const [key, row] of log.scheduled.entries()) {
        if (row.tenantId === tenantId && row.streamId === streamId) log.scheduled.remove(key);
      }
    });
  }

  async transaction<R>(work: (session: Session<Db>) => Promise<R>): Promise<R> {
    const wait = this.#turn();
    if (wait !== undefined) await wait;
    return await this.#queue.run(async () => {
      const log = new Log(this.#open());
      const session = new MemorySession(log, this.db, this.#busyTimeout);
      try {
        const result = await work(session);
        this.#open();
        log.commit();
        return result;
      } finally {
        session.#ended = true;
        this.#log.settle();
      }
    });
  }

  /** Does nothing: a transaction always blocks all other writes. */
  async blockAppends(): Promise<void> {}

  /** Returns a session on the same log: there are no transactions of others to join. */
  using(db: Db): Session<Db> {
    return new MemorySession(this.#log, db, this.#busyTimeout, this.#queue);
  }

  async #read(): Promise<Log> {
    await this.#turn();
    return this.#open();
  }

  async #write<R>(work: (log: Log) => R): Promise<R> {
    const wait = this.#turn();
    if (wait !== undefined) await wait;
    return this.#queue.free
      ? this.#apply(work)
      : await this.#queue.run(async () => this.#apply(work));
  }

  #apply<R>(work: (log: Log) => R): R {
    const log = this.#open();
    const result = work(log);
    log.settle();
    return result;
  }

  /**
   * Returns the log, unless the transaction has ended: work that a caller forgot to await must not be lost silently.
   */
  #open(): Log {
    if (!this.#ended) return this.#log;
    throw new UnsupportedError(
      "use a transaction",
      "it has ended; await everything that is to happen in it",
    );
  }
}

export class MemoryDriver<Db> extends MemorySession<Db> implements Driver<Db> {
  readonly capabilities = {
    transactions: true,
    backwards: true,
    prefix: true,
    expectedEventId: true,
    imported: true,
    replay: true,
    conditions: true,
  };

  async migrate(): Promise<void> {
    // There are no tables to create.
  }

  /** Repairs nothing, since nothing can be set back; waits for open transactions and returns the settled position. */
  async repairPosition(): Promise<number> {
    return await this.transaction((session) => session.settled());
  }
}
