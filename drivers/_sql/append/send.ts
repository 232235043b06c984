import {
  type AppendOutcome,
  type AppendRefused,
  type AppendRequest,
  ConnectionError,
  DriverError,
  isEventSourceryError,
  UnknownOutcomeError,
} from "../../../mod.ts";
import { abortedOutcome, type InsertedRow, storedWrites } from "./append.ts";
import { type GroupRow, storedRequests } from "./group.ts";
import { isConditional } from "./waiting.ts";
import type { Connection, Shared } from "../connection.ts";
import { rootOf } from "../failure.ts";
import type { ConditionStatements } from "../statement.ts";
import { explain, find } from "./refusal.ts";
import { retrying } from "../retry.ts";

/** What the sending of an append needs of its session. */
export interface Sender {
  readonly shared: Shared;
  readonly connection: Connection;
  readonly inTransaction: boolean;
  readonly conditions: ConditionStatements | undefined;
  /** Whether a statement that a unique index refuses aborts the transaction around it. */
  readonly refusalAborts: boolean;
  /**
   * Sends one request; returns no row if it is refused.
   *
   * @param patience How long it waits for locks outside of transactions, in milliseconds. @default busyTimeout
   */
  readonly insert: (request: AppendRequest, patience?: number) => Promise<readonly InsertedRow[]>;
  /** Sends several requests, each for one stream and without condition; those without a row are not stored. */
  readonly insertTogether: (
    requests: readonly AppendRequest[],
    patience: number,
  ) => Promise<readonly GroupRow[]>;
}

const action = "append events";

/** Appends, and finds out what became of a request that stored nothing or got no answer. */
export async function send(
  sender: Sender,
  request: AppendRequest,
  patience?: number,
): Promise<AppendOutcome> {
  const { shared, inTransaction, refusalAborts } = sender;
  return await retrying(shared, inTransaction, action, async () => {
    try {
      const rows = await sender.insert(request, patience);
      return rows.length > 0
        ? { status: "stored", writes: storedWrites(request, rows) }
        : (await refusalsOf(sender, [request]))[0]!;
    } catch (error) {
      if (isEventSourceryError(error)) throw error;
      const { failure, reason } = shared.classify(error);
      if (failure === "raced" && inTransaction) return abortedOutcome(request);
      if (failure === "outrun") return (await refusalsOf(sender, [request]))[0]!;
      if (failure === "refused" && !(inTransaction && refusalAborts)) {
        const outcome = (await refusalsOf(sender, [request]))[0]!;
        if (outcome.conflict.kind === "id") return outcome;
        throw new DriverError(action, { cause: rootOf(error), reason });
      }
      if (failure === "lost" && !inTransaction) {
        const outcome = (await resolve(sender, [request], error))[0]!;
        if (outcome instanceof Error) throw outcome;
        return outcome;
      }
      throw error;
    }
  });
}

/** Asks why requests were refused. */
async function refusalsOf(
  { shared, inTransaction, connection, conditions }: Sender,
  requests: readonly AppendRequest[],
): Promise<readonly AppendRefused[]> {
  // Where serializable is the default, this may be refused, too, while others write.
  const ask = () => explain(connection.run, shared.statements, requests, conditions);
  const conflicts = await retrying(shared, inTransaction, action, ask);
  return conflicts.map((conflict) => {
    return { status: "refused", conflict, transactionAborted: false };
  });
}

/**
 * Appends several requests in one statement, each with its own outcome, outside of transactions.
 *
 * @throws What failed for all of them: nothing of them is stored.
 */
export async function sendTogether(
  sender: Sender,
  requests: readonly AppendRequest[],
  patience: number,
): Promise<readonly (AppendOutcome | Error)[]> {
  let rows: readonly GroupRow[];
  try {
    rows = await sender.insertTogether(requests, patience);
  } catch (error) {
    const lost = !isEventSourceryError(error) && sender.shared.classify(error).failure === "lost";
    if (lost) return await resolve(sender, requests, error);
    throw error;
  }
  const results = storedRequests(requests, rows);
  // What expects nothing is never refused: it lost a race.
  const refused = requests.filter((request, index) =>
    results[index]!.status === "refused" && isConditional(request)
  );
  const refusals = refused.length === 0 ? [] : await refusalsOf(sender, refused).catch(
    (error: Error) => refused.map(() => error),
  );
  const found = new Map(refused.map((request, index) => [request, refusals[index]!]));
  return requests.map((request, index) => {
    const result = results[index]!;
    if (result.status === "stored") return result;
    const refusal = found.get(request) ?? lostRace;
    if (
      result.version === undefined || refusal instanceof Error || refusal.conflict.kind === "id"
    ) {
      return refusal;
    }
    // Those after it were stored in the meantime.
    return { ...refusal, conflict: { kind: "version", versions: [result.version] } };
  });
}

const lostRace: AppendRefused = {
  status: "refused",
  conflict: { kind: "race", versions: [] },
  transactionAborted: false,
};

/**
 * Resolves appends without an answer, all sent in one statement: one succeeded if its events exist; else only a retry
 * can tell.
 *
 * @returns For each, its outcome or the error for its caller.
 */
async function resolve(
  { shared, connection }: Sender,
  requests: readonly AppendRequest[],
  error: unknown,
): Promise<readonly (AppendRefused | Error)[]> {
  const options = { cause: rootOf(error), reason: shared.classify(error).reason };
  const unknown = ({ writes }: AppendRequest) =>
    new UnknownOutcomeError(writes.map(({ streamId }) => streamId), options);
  let found: Awaited<ReturnType<typeof find>>;
  try {
    found = await retrying(shared, false, action, () => {
      return find(connection.run, shared.statements, requests);
    });
  } catch (error) {
    if (connection.closed(options.cause)) return requests.map(() => new ConnectionError(options));
    return isEventSourceryError(error, "CONNECTION")
      ? requests.map(unknown)
      : requests.map(() => error as Error);
  }
  return requests.map((request, index): AppendRefused | Error => {
    const { existing } = found[index]!;
    if (existing.length === 0) return unknown(request);
    return { status: "refused", conflict: { kind: "id", existing }, transactionAborted: false };
  });
}
