import type { LogQuery, MatchCondition, MatchItem, MatchQuery } from "../../mod.ts";
import type { Log, Row } from "./log.ts";

/** Whether a row is in a part of the log. */
export function isIn(row: Row, query: LogQuery): boolean {
  const { tenantId, categories, types, tags, streamId, published, lane } = query;
  return (tenantId === undefined || row.tenantId === tenantId) &&
    (streamId === undefined || row.streamId === streamId) &&
    (categories === undefined || categories.includes(row.category)) &&
    (types === undefined || types.includes(row.type)) &&
    (tags === undefined || tags.every((tag) => row.tags.includes(tag))) &&
    (!published || row.published) &&
    (lane === undefined || row.slot % lane.lanes === lane.lane);
}

/** Returns the rows that a query selects, by position. */
export function matchesOf(log: Log, { tenantId, items, after, limit }: MatchQuery): readonly Row[] {
  const found: Row[] = [];
  for (const row of log.all(after)) {
    if (!matches(row, tenantId, items)) continue;
    found.push(row);
    if (found.length === limit) break;
  }
  return found;
}

/** Returns the first row that refuses a condition; undefined if the condition holds. */
export function firstMatch(
  log: Log,
  tenantId: string,
  { items, after, seen }: MatchCondition,
): Row | undefined {
  const allowed = new Set(seen);
  for (const row of log.all(after)) {
    if (matches(row, tenantId, items) && !allowed.has(row.position)) return row;
  }
  return undefined;
}

function matches(row: Row, tenantId: string, items: readonly MatchItem[]): boolean {
  return row.tenantId === tenantId &&
    items.some(({ types, tags }) =>
      (types === undefined || types.includes(row.type)) &&
      (tags === undefined || tags.every((tag) => row.tags.includes(tag)))
    );
}
