import type { Queue } from "../_shared/queue.ts";
import type { Shared } from "../_sql/connection.ts";
import type { ConditionStatements, Parameter, Statement } from "../_sql/statement.ts";
import { chooseFence, readState } from "./fence.ts";
import type { PostgresConnection } from "./handle.ts";
import { appendGroupIf, appendIf, type Checking } from "./condition.ts";
import { holdKeys, keysOf, keysParameter, mostKeys } from "./keys.ts";
import type { FenceKind } from "./sql/fence.ts";
import { settledOf, stateOf } from "./settled.ts";
import { shapeOf } from "./sql/match.ts";
import type { FencedStatements, PostgresStatements } from "./sql/statements.ts";
import {
  type AppendRequest,
  type ConsumerKey,
  isEventSourceryError,
  type LogState,
  type Session,
  UnsupportedError,
} from "../../mod.ts";
import {
  eventsParameter,
  type InsertedRow,
  isSingle,
  singleParameters,
} from "../_sql/append/append.ts";
import { groupParameter, type GroupRow } from "../_sql/append/group.ts";
import { flag, only } from "../_sql/row.ts";
import type { Lane } from "../_sql/append/waiting.ts";
import { SqlSession } from "../_sql/session.ts";
import { list } from "../_sql/wire.ts";

/** The state that all sessions of a driver share. */
interface PostgresShared extends Shared {
  readonly statements: PostgresStatements;
  /** The schema's name, quoted. */
  readonly schema: string;
  readonly connect: (db: unknown) => PostgresConnection;
  /** The fence of the schema, once the tables were found usable. */
  readonly known: { fence: FenceKind; settled: number | undefined };
}

/** How long work that blocks appends waits for running ones before it yields to new ones, in milliseconds. */
const shortWait = "200";

/** How long an append under a condition waits for its locks before it lets others go first, in milliseconds. */
const slice = "30";
/** The longest pause between two such waits, in milliseconds. */
const longestPause = 250;

/** A session on Postgres: the driver's own, or inside a transaction. */
export class PostgresSession<Db> extends SqlSession<Db> {
  readonly db: Db;
  protected readonly inTransaction: boolean;
  protected readonly refusalAborts = true;
  protected readonly shared: PostgresShared;
  protected readonly connection: PostgresConnection;
  protected readonly conditions: ConditionStatements | undefined;

  constructor(db: Db, inTransaction: boolean, shared: PostgresShared) {
    super();
    this.db = db;
    this.inTransaction = inTransaction;
    this.shared = shared;
    this.connection = shared.connect(db);
    this.conditions = !this.connection.transactions ? undefined : {
      query: (items) => this.#fenced.query(shapeOf(items)),
      firstMatch: (items) => shared.statements.firstMatch(shapeOf(items)),
    };
  }

  protected checkSchema(): Promise<void> {
    const { known, readiness, statements } = this.shared;
    return readiness.check(
      async () => only(await readState(this.connection, this.shared, this.inTransaction)),
      async (found) => {
        const unprobed = !flag(found.probed);
        // A write in a caller's transaction may be rolled back, while this process would keep relying on it.
        const unused = unprobed && !this.inTransaction;
        known.fence = await chooseFence(this.connection, statements, found, { unprobed, unused });
        // A role without write permission cannot record it: until another one has, each process probes for itself.
        if (unused) await this.connection.run(statements.probed, []).catch(() => {});
      },
    );
  }

  /** A handle with a single connection queues: an open transaction holds it, and a statement beside it would hang. */
  protected queueFor(): Queue | undefined {
    return this.connection.single ? this.shared.queue : undefined;
  }

  protected async insert(
    request: AppendRequest,
    patience: number = this.shared.busyTimeout,
  ): Promise<readonly InsertedRow[]> {
    if (request.condition !== undefined) return await this.#insertIf(request, patience);
    const keys = keysOf(this.shared.schema, [request]);
    if (this.#tooMany(keys)) return await this.#insertWide(request, patience);
    const { one, after, events } = this.#fenced[this.inTransaction ? "bound" : "alone"];
    const timeout = this.inTransaction ? null : String(patience);
    if (isSingle(request)) {
      const { expectedEventId } = request.writes[0]!;
      const parameters = [...singleParameters(request), timeout, String(keys[0])];
      return expectedEventId === undefined
        ? await this.connection.run(one, parameters)
        : await this.connection.run(after, [...parameters, expectedEventId]);
    }
    const parameters = [request.tenantId, eventsParameter(request), timeout, keysParameter(keys)];
    // If one of several races is lost, the statement fails: a savepoint keeps the transaction around it usable.
    return this.inTransaction && request.writes.length > 1
      ? await this.connection.transaction(
        (tx) => this.#inside(tx).connection.run(events, parameters),
        true,
      )
      : await this.connection.run(events, parameters);
  }

  protected async insertTogether(
    requests: readonly AppendRequest[],
    patience: number,
  ): Promise<readonly GroupRow[]> {
    if (requests.some(({ condition }) => condition !== undefined)) {
      return await this.#inSlice((checking) => appendGroupIf(checking, requests));
    }
    const keys = keysOf(this.shared.schema, requests);
    const parameters = [groupParameter(requests), String(patience), keysParameter(keys)];
    const { appendGroup } = this.#fenced;
    const found = await this.connection.run<{ rows: string | null }>(appendGroup, parameters);
    return list<GroupRow>(only(found).rows);
  }

  protected lane({ condition }: AppendRequest): Lane {
    return condition === undefined ? "plain" : "checked";
  }

  /** A second statement is sent while the first is worked on; serial appends would only wait for each other. */
  protected flights(): number {
    return this.connection.single || this.shared.known.fence === "serial" ? 1 : 2;
  }

  /** Whether a statement, or its transaction by now, has more keys than are locked one by one. */
  #tooMany(keys: readonly bigint[]): boolean {
    const { client, transactions } = this.connection;
    if (!transactions || this.shared.known.fence === "serial") return false;
    if (!this.inTransaction) return keys.length > mostKeys;
    return holdKeys(client, keys) > mostKeys;
  }

  /** Appends under the one lock that stands for all keys. */
  async #insertWide(request: AppendRequest, patience: number): Promise<readonly InsertedRow[]> {
    const { lockAllKeys, lockTimeout } = this.shared.statements;
    return await this.connection.transaction(async (tx) => {
      const { run } = this.shared.connect(tx);
      if (!this.inTransaction) await run(lockTimeout, [String(patience)]);
      await run(lockAllKeys, []);
      const parameters = [request.tenantId, eventsParameter(request), null, keysParameter([])];
      return await run<InsertedRow>(this.#fenced.bound.events, parameters);
    }, this.inTransaction);
  }

  /**
   * Appends under a condition. Whoever waits for an exclusive lock keeps out all later appends with that tag, so it waits
   * in slices, with pauses in which they go on.
   */
  async #insertIf(request: AppendRequest, patience: number): Promise<readonly InsertedRow[]> {
    if (this.inTransaction) {
      return request.writes.length > 1
        ? await this.connection.transaction(
          (tx) => appendIf(this.#inside(tx).#checking(), request, false),
          true,
        )
        : await appendIf(this.#checking(), request, false);
    }
    const deadline = performance.now() + patience;
    for (let pause = 30;; pause = Math.min(2 * pause, longestPause)) {
      try {
        return await this.#inSlice((checking) => appendIf(checking, request, true));
      } catch (error) {
        const busy = !isEventSourceryError(error) && this.shared.classify(error).failure === "busy";
        if (!busy || performance.now() > deadline) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pause * (1 + Math.random())));
    }
  }

  /** Runs work in a transaction that waits for locks just for a moment. */
  async #inSlice<R>(work: (checking: Checking) => Promise<R>): Promise<R> {
    return await this.connection.transaction(async (tx) => {
      const session = this.#inside(tx);
      // Sent in this order, without waiting for each other.
      const timeout = session.connection.run(this.shared.statements.lockTimeout, [slice]);
      const result = work(session.#checking());
      result.catch(() => {});
      await timeout;
      return await result;
    }, false);
  }

  #checking(): Checking {
    const { shared, connection: { run } } = this;
    return { run, shared, fenced: this.#fenced, tooMany: (keys) => this.#tooMany(keys) };
  }

  /** What was settled before a read began holds for what it sees; what it reads itself may be later than that. */
  protected async settling(): Promise<(settled: number) => number> {
    const { known } = this.shared;
    const before = known.settled ??= await this.settled();
    return (settled) => {
      known.settled = Math.max(known.settled ?? 0, settled);
      return before;
    };
  }

  override async transaction<R>(work: (session: Session<Db>) => Promise<R>): Promise<R> {
    this.#needTransactions("open a transaction"); // before the first look at the tables
    return await super.transaction(work);
  }
  protected async openTransaction<R>(work: (session: SqlSession<Db>) => Promise<R>): Promise<R> {
    return await this.connection.transaction((tx) => work(this.#inside(tx)), this.inTransaction);
  }

  /** Runs the only statement: Postgres makes several changes in one. */
  protected async runTogether<Row>(
    [statement]: readonly Statement[],
    parameters: readonly Parameter[],
  ): Promise<readonly Row[]> {
    return await this.connection.run<Row>(statement!, parameters);
  }

  protected async assertAlive(): Promise<void> {
    await this.connection.run({ name: "event_sourcery_probe", text: "select 1" }, []);
  }

  async settled(): Promise<number> {
    await this.ensureSchema();
    return await this.first("read the position", this.#fenced.settled, [], settledOf);
  }

  async poll(seen: readonly ConsumerKey[]): Promise<LogState> {
    await this.ensureSchema();
    const parameters = [JSON.stringify({ seen })];
    return await this.first("look for work", this.#fenced.poll, parameters, stateOf);
  }

  /**
   * Deletes while no append is running: one that has read the stream's version would continue from it, and leave a
   * stream that starts in the middle.
   */
  async delete(tenantId: string, streamId: string): Promise<void> {
    await this.ensureSchema();
    const action = "delete a stream";
    const remove = ({ run }: PostgresConnection) =>
      run(this.shared.statements.remove, [tenantId, streamId]);
    if (!this.inTransaction) return void await this.withoutAppends(action, remove);
    await this.queued("write", () =>
      this.translated(action, async () => {
        await this.connection.run(this.shared.statements.lock, []);
        await remove(this.connection);
      }));
  }

  async blockAppends(): Promise<void> {
    await this.translated(
      "lock the log",
      () => this.connection.run(this.shared.statements.lock, []),
    );
  }

  get #fenced(): FencedStatements {
    return this.shared.statements.fenced[this.shared.known.fence];
  }

  /**
   * Runs work in a transaction that blocks appends. New ones wait meanwhile, so it gives up its lock soon and retries.
   */
  protected async withoutAppends<R>(
    action: string,
    work: (connection: PostgresConnection) => Promise<R>,
  ): Promise<R> {
    this.#needTransactions(action);
    const { lock, lockTimeout } = this.shared.statements;
    const attempt = () =>
      this.connection.transaction(async (tx) => {
        const connection = this.shared.connect(tx);
        await connection.run(lockTimeout, [shortWait]);
        await connection.run(lock, []);
        return await work(connection);
      }, false);
    return await this.queued("write", () => this.retrying(action, attempt, "busy"));
  }

  #needTransactions(action: string): void {
    const reason = "this database handle has no interactive transactions";
    if (!this.connection.transactions) throw new UnsupportedError(action, reason);
  }

  #inside(tx: unknown): PostgresSession<Db> {
    return new PostgresSession(tx as Db, true, this.shared);
  }
}
