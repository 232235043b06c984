import type { PostgresConnection } from "./handle.ts";
import type { FencedStatements, PostgresStatements } from "./sql/statements.ts";
import type { Parameter, Statement } from "../_sql/statement.ts";
import { type AppendRequest, StoreRewoundError, UnsupportedError } from "../../mod.ts";
import { eventsParameter, type InsertedRow } from "../_sql/append/append.ts";
import { groupParameter, type GroupRow } from "../_sql/append/group.ts";
import { conditionParameters } from "../_sql/query.ts";
import { number, only } from "../_sql/row.ts";
import { list } from "../_sql/wire.ts";
import { conditionKeysOf, keysOf, keysParameter } from "./keys.ts";
import { shapeOf } from "./sql/match.ts";

/** What a check needs of the session in whose transaction it happens. */
export interface Checking {
  readonly run: PostgresConnection["run"];
  readonly shared: { readonly schema: string; readonly statements: PostgresStatements };
  readonly fenced: FencedStatements;
  /** Whether the transaction has more keys by now than are locked one by one. */
  readonly tooMany: (keys: readonly bigint[]) => boolean;
}

/** What the statement that locks keys answers. */
interface LockedKeys {
  /** The isolation of its transaction. */
  readonly isolation: string;
  /** The log's last position. */
  readonly head: string;
}

/**
 * Appends under a condition, in a transaction.
 *
 * @param own Whether the transaction is ours, and so READ COMMITTED.
 * @returns No row if it is refused.
 * @throws {UnsupportedError} If the check would see an older state; nothing is sent then.
 * @throws {StoreRewoundError} If the condition is of a log that went further than this one.
 */
export async function appendIf(
  checking: Checking,
  request: AppendRequest,
  own: boolean,
): Promise<readonly InsertedRow[]> {
  const condition = request.condition!;
  return await lockAndRun(
    checking,
    [request],
    own,
    checking.fenced.appendIf(shapeOf(condition.items)),
    [
      ...[request.tenantId, eventsParameter(request), null, keysParameter([])],
      ...conditionParameters(condition),
    ],
  );
}

/** Appends several requests under conditions, none of which another one of them matches; in a transaction of ours. */
export async function appendGroupIf(
  checking: Checking,
  requests: readonly AppendRequest[],
): Promise<readonly GroupRow[]> {
  const parameters = [groupParameter(requests), null, keysParameter([])];
  const { appendGroupIf } = checking.fenced;
  const found = await lockAndRun<{ rows: string | null }>(
    checking,
    requests,
    true,
    appendGroupIf,
    parameters,
  );
  return list<GroupRow>(only(found).rows);
}

/**
 * Takes the locks of conditions, and runs the statement that checks them after that: it sees all that these locks have
 * waited for. In one statement, several of 16 racers won. In a transaction of ours both are sent at once, else the
 * second when the isolation is known.
 */
async function lockAndRun<Row>(
  { run, shared: { schema, statements }, fenced, tooMany }: Checking,
  requests: readonly AppendRequest[],
  own: boolean,
  statement: Statement,
  parameters: readonly Parameter[],
): Promise<readonly Row[]> {
  const all = conditionKeysOf(schema, requests, keysOf(schema, requests));
  const wide = tooMany(all.keys);
  if (wide) await run(statements.lockAllKeysAlone, []);
  const { keys, exclusive } = wide ? conditionKeysOf(schema, requests, []) : all;
  const locking = run<LockedKeys>(fenced.lockKeys, [
    keysParameter(keys),
    `{${exclusive.join(",")}}`,
  ]);
  const sent = own ? run<Row>(statement, parameters) : undefined;
  sent?.catch(() => {});
  const { isolation, head } = only(await locking);
  if (isolation !== "read committed") {
    throw new UnsupportedError(
      "append under a condition",
      `this transaction is ${isolation}, in which the check would not see what others have stored`,
    );
  }
  const after = Math.max(...requests.map(({ condition }) => condition?.after ?? 0));
  if (after > number(head)) throw new StoreRewoundError(number(head), after);
  return await (sent ?? run<Row>(statement, parameters));
}
