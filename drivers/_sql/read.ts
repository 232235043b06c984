import type { LogQuery, StreamQuery, StreamsQuery } from "../../mod.ts";
import type { Parameter, ScanFilters } from "./statement.ts";
import { prefixRange } from "./prefix.ts";
import { json } from "./wire.ts";

/** A scan, as the statement for its filters and the parameters of that statement. */
interface Scan {
  readonly filters: ScanFilters;
  readonly parameters: readonly Parameter[];
}

/** Returns the parameters of `Statements.load`. */
export function loadParameters(
  { tenantId, streamId, from, to, limit }: StreamQuery,
): readonly Parameter[] {
  return [tenantId, streamId, String(from), String(to), String(limit)];
}

/** Returns the parameters of `Statements.streams`. */
export function streamsParameters(
  { tenantId, category, prefix = "", after = "", limit }: StreamsQuery,
): readonly Parameter[] {
  return [tenantId, category ?? null, after, ...prefixRange(prefix), String(limit)];
}

/** Returns the filters and the parameters of `Statements.scan`. */
export function scanOf(query: LogQuery): Scan {
  const { after, until, limit, tenantId, categories, types, tags, streamId, lane } = query;
  const { backwards = false, published = false } = query;
  return {
    filters: {
      tenant: tenantId !== undefined,
      categories: categories !== undefined,
      types: types !== undefined,
      tags: tags?.length ?? 0,
      stream: streamId !== undefined,
      published,
      lane: lane !== undefined,
      backwards,
    },
    parameters: [
      String(after),
      String(until),
      String(limit),
      tenantId ?? null,
      ...[categories, types, tags].map(json),
      streamId ?? null,
      json(lane && [lane.lane, lane.lanes]),
    ],
  };
}
