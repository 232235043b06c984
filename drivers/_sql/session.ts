import type { ConditionStatements, Statement } from "./statement.ts";
import {
  type AppendOutcome,
  type AppendRequest,
  type CorrelationQuery,
  isEventSourceryError,
  type LogPage,
  type LogQuery,
  type MatchPage,
  type MatchQuery,
  type ProbedEvent,
  type Session,
  type StoredEvent,
  type StoredStream,
  type StreamPage,
  type StreamQuery,
  type StreamsQuery,
  UnknownOutcomeError,
  UnsupportedError,
} from "../../mod.ts";
import type { InsertedRow } from "./append/append.ts";
import { SqlCheckpoints } from "./checkpoints.ts";
import { hidesCommit, rootOf, UserError } from "./failure.ts";
import type { GroupRow } from "./append/group.ts";
import { Groups } from "./append/groups.ts";
import { matchParameters } from "./query.ts";
import { loadParameters, scanOf, streamsParameters } from "./read.ts";
import type { Run } from "./kept/run.ts";
import { number } from "./row.ts";
import { Running } from "./running.ts";
import { send, type Sender, sendTogether } from "./append/send.ts";
import type { Lane } from "./append/waiting.ts";
import { SqlInbox } from "./kept/inbox.ts";
import { SqlSchedule } from "./kept/schedule.ts";
import { SqlSnapshots } from "./kept/snapshots.ts";
import { SqlSubjects } from "./kept/subjects.ts";
import { translate } from "./translate.ts";
import { json, type PageColumns, readPage, readProbes, readStreams, streamPage } from "./wire.ts";

/** The part of a session that both engines share: all but statements, the append itself, locks and transactions. */
export abstract class SqlSession<Db> extends Running implements Session<Db> {
  /** The handle for the user's own statements. */
  abstract readonly db: Db;
  /** The statements of conditions; undefined where this handle cannot have any. */
  protected abstract readonly conditions: ConditionStatements | undefined;
  /** Whether a statement that a unique index refuses aborts the transaction around it. */
  protected abstract readonly refusalAborts: boolean;

  /** Sends an append, which waits so many milliseconds for locks; returns no row if it is refused. */
  protected abstract insert(
    request: AppendRequest,
    patience?: number,
  ): Promise<readonly InsertedRow[]>;
  /** Sends appends in one statement; those without a row are not stored. */
  protected abstract insertTogether(
    requests: readonly AppendRequest[],
    patience: number,
  ): Promise<readonly GroupRow[]>;
  /** The most such statements of a lane at a time. */
  protected abstract flights(): number;
  protected abstract lane(request: AppendRequest): Lane;
  /** Opens a transaction or savepoint; commits when the work resolves. */
  protected abstract openTransaction<R>(work: (session: SqlSession<Db>) => Promise<R>): Promise<R>;
  /**
   * Prepares to read matches.
   *
   * @returns Given the settled position that the statement has read, returns the one that holds for what it saw.
   */
  protected abstract settling(): Promise<(settled: number) => number>;
  /** Throws the database's error if the transaction can no longer commit. */
  protected abstract assertAlive(): Promise<void>;

  #ownGroups: Groups | undefined;

  get checkpoints(): SqlCheckpoints {
    return new SqlCheckpoints(this.shared.statements.checkpoints, {
      read: <Row>(action: string, statement: Statement, value: object) =>
        this.rows(action, statement, [JSON.stringify(value)], (rows: readonly Row[]) => rows),
      write: (action, statements, value) =>
        this.together(action, statements, [JSON.stringify(value)]),
    });
  }

  get snapshots(): SqlSnapshots {
    return new SqlSnapshots(this.shared.statements.snapshots, this.#run);
  }

  get keys(): SqlSubjects {
    // Inside a transaction, the caller's own timeout holds.
    const patience = this.inTransaction ? null : String(this.shared.busyTimeout);
    return new SqlSubjects(this.shared.statements.subjects, this.#run, patience);
  }

  get inbox(): SqlInbox {
    return new SqlInbox(this.shared.statements.inbox, this.#run, this.shared);
  }

  get schedule(): SqlSchedule {
    return new SqlSchedule(this.shared.statements.schedule, this.#run);
  }

  abstract settled(): Promise<number>;
  abstract delete(tenantId: string, streamId: string): Promise<void>;
  abstract blockAppends(): Promise<void>;

  async append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    const outcomes: AppendOutcome[] = [];
    for (const request of requests) outcomes.push(await this.#append(request));
    return outcomes;
  }

  async #append(request: AppendRequest): Promise<AppendOutcome> {
    const { writes, condition } = request;
    if (condition !== undefined) this.#conditions("append under a condition");
    if (this.inTransaction || this.shared.groups === undefined || writes.length > 1) {
      return await this.queued("write", async () => {
        await this.ensureSchema();
        request.signal?.throwIfAborted();
        return await send(this.#sender, request);
      });
    }
    await this.ensureSchema();
    return await this.#groups.append(request);
  }

  async load(query: StreamQuery): Promise<StreamPage> {
    const statement = query.backwards
      ? this.shared.statements.loadBackwards
      : this.shared.statements.load;
    const read = streamPage(query.limit, query);
    return await this.first("load events", statement, loadParameters(query), read);
  }

  async scan(query: LogQuery): Promise<LogPage> {
    const { after, until, limit, backwards = false } = query;
    const { filters, parameters } = scanOf(query);
    const statement = this.shared.statements.scan(filters);
    const read = (row: PageColumns) => readPage(row);
    const { events, cut } = await this.first("read the log", statement, parameters, read);
    if (cut || events.length === limit) return { events, scanned: events.at(-1)!.position };
    return { events, scanned: backwards ? after + 1 : until };
  }

  async query(query: MatchQuery): Promise<MatchPage> {
    const conditions = this.#conditions("query events for a decision");
    const page = streamPage(query.limit);
    const settled = await this.settling();
    const read = (row: PageColumns & { readonly settled: string }): MatchPage => {
      return { ...page(row), settled: settled(number(row.settled)) };
    };
    const statement = conditions.query(query.items);
    return await this.first("query events", statement, matchParameters(query), read);
  }

  async streams(query: StreamsQuery): Promise<readonly StoredStream[]> {
    const { streams } = this.shared.statements;
    return await this.first("list streams", streams, streamsParameters(query), readStreams);
  }

  async probe(positions: readonly number[]): Promise<readonly (ProbedEvent | undefined)[]> {
    const { positions: statement } = this.shared.statements;
    return await this.first("look up positions", statement, [json(positions)], readProbes);
  }

  async find(tenantId: string, id: string): Promise<StoredEvent | undefined> {
    const read = (row: PageColumns) => readPage(row).events[0];
    return await this.first("find an event", this.shared.statements.find, [tenantId, id], read);
  }

  async correlated(query: CorrelationQuery): Promise<StreamPage> {
    const { tenantId, correlationId, after, limit } = query;
    const statement = this.shared.statements.correlated;
    const parameters = [tenantId, correlationId, String(after), String(limit)];
    return await this.first("trace a flow", statement, parameters, streamPage(limit));
  }

  async transaction<R>(work: (session: Session<Db>) => Promise<R>): Promise<R> {
    return await this.queued("write", async () => {
      await this.ensureSchema();
      let begun = false;
      let failed: { readonly error: unknown } | undefined;
      let committing = false;
      return await this.retrying("run the transaction", async () => {
        try {
          return await this.openTransaction(async (session) => {
            begun = true;
            const result = await work(session).catch((error: unknown) => {
              failed = { error };
              throw error;
            });
            // A swallowed error must not look like success: node-postgres resolves where COMMIT answered ROLLBACK.
            await session.assertAlive();
            committing = true;
            return result;
          });
        } catch (error) {
          // An error of the callback reaches the caller unchanged, whatever the rollback returned.
          if (failed !== undefined) throw new UserError(failed.error);
          const found = this.shared.classify(error);
          if (committing && hidesCommit(found)) {
            throw new UnknownOutcomeError([], { cause: rootOf(error), reason: found.reason });
          }
          throw begun
            ? translate(error, "run the transaction", this.inTransaction, this.shared)
            : error;
        }
      });
    });
  }

  get #run(): Run {
    return {
      read: (action, statement, parameters, read) =>
        this.first(action, statement, parameters, read),
      write: (action, statements, parameters) => this.together(action, statements, parameters),
    };
  }

  get #sender(): Sender {
    const { shared, connection, inTransaction, conditions, refusalAborts } = this;
    return {
      ...{ shared, connection, inTransaction, conditions, refusalAborts },
      insert: (request, patience) => this.insert(request, patience),
      insertTogether: (requests, patience) => this.insertTogether(requests, patience),
    };
  }

  /** The groups of the driver's own session. */
  get #groups(): Groups {
    const { busyTimeout, classify, groups } = this.shared;
    return this.#ownGroups ??= new Groups({
      busyTimeout,
      limits: groups!,
      flights: () => this.flights(),
      lane: (request) => this.lane(request),
      alone: (request, patience) =>
        this.queued("write", () => send(this.#sender, request, patience)),
      together: (requests, patience) =>
        this.queued("write", () => sendTogether(this.#sender, requests, patience)),
      raced: (error) => !isEventSourceryError(error) && classify(error).failure === "raced",
    });
  }

  #conditions(action: string): ConditionStatements {
    if (this.conditions !== undefined) return this.conditions;
    throw new UnsupportedError(action, 'this driver lacks the capability "conditions"');
  }
}
