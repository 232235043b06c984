import type { MatchCondition, MatchQuery } from "../../mod.ts";
import type { Parameter } from "./statement.ts";

/** Returns the parameters of the query for matches, in their order. */
export function matchParameters(
  { tenantId, items, after, limit }: MatchQuery,
): readonly Parameter[] {
  return [tenantId, JSON.stringify(items), String(after), String(limit)];
}

/** Returns the parameters of a condition, in their order. */
export function conditionParameters({ items, after, seen }: MatchCondition): readonly Parameter[] {
  return [JSON.stringify(items), String(after), JSON.stringify(seen)];
}
