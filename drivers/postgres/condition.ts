import type { PostgresConnection } from "./handle.ts";
import type { FencedStatements, PostgresStatements } from "./sql/statements.ts";
import {
  type AppendRequest,
  type MatchCondition,
  StoreRewoundError,
  UnsupportedError,
} from "../../mod.ts";
import { eventsParameter, type InsertedRow } from "../_sql/append/append.ts";
import { conditionParameters } from "../_sql/query.ts";
import { number, only } from "../_sql/row.ts";
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
 * Appends under a condition, in a transaction: takes its locks, and checks it in a statement after them, which sees all
 * that they have waited for. In one statement, several of 16 racers won.
 *
 * @param own Whether the transaction is ours, and so READ COMMITTED: then the append is sent right behind the locks,
 * else when the isolation is known.
 * @returns No row if it is refused.
 * @throws {UnsupportedError} If the check would see an older state; nothing is sent then.
 * @throws {StoreRewoundError} If the condition is of a log that went further than this one.
 */
export async function appendIf(
  { run, shared, fenced, tooMany }: Checking,
  request: AppendRequest,
  condition: MatchCondition,
  own: boolean,
): Promise<readonly InsertedRow[]> {
  const { schema, statements } = shared;
  const { tenantId } = request;
  const all = conditionKeysOf(schema, tenantId, condition, keysOf(schema, [request]));
  const wide = tooMany(all.keys);
  if (wide) await run(statements.lockAllKeysAlone, []);
  const { keys, exclusive } = wide ? conditionKeysOf(schema, tenantId, condition, []) : all;
  const parameters = [keysParameter(keys), `{${exclusive.join(",")}}`];
  const locking = run<LockedKeys>(fenced.lockKeys, parameters);
  const append = () =>
    run<InsertedRow>(fenced.appendIf(shapeOf(condition.items)), [
      ...[tenantId, eventsParameter(request), null, keysParameter([])],
      ...conditionParameters(condition),
    ]);
  const sent = own ? append() : undefined;
  sent?.catch(() => {});
  const { isolation, head } = only(await locking);
  if (isolation !== "read committed") {
    throw new UnsupportedError(
      "append under a condition",
      `this transaction is ${isolation}, in which the check would not see what others have stored`,
    );
  }
  if (condition.after > number(head)) throw new StoreRewoundError(number(head), condition.after);
  return await (sent ?? append());
}
