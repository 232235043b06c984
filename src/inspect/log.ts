import type { Event, LogQuery, StoredEvent } from "../../mod.ts";
import { checkList, checkName, checkNumber, checkObject } from "../errors/check.ts";
import { inspected, type InspectedEvent } from "./event.ts";
import { need, type Source } from "./source.ts";

/**
 * What to look for in the log. An omitted filter matches everything, an empty one nothing.
 *
 * @category Inspect
 */
export interface LogSearch {
  /** Only events before this position, the newest first. @default the end of the settled log */
  readonly before?: number | undefined;
  /** Only events after this position, the oldest first. @default the newest come first */
  readonly after?: number | undefined;
  /** Events of any of these types. @default all */
  readonly types?: readonly string[] | undefined;
  /** Events of streams of any of these categories. @default all */
  readonly categories?: readonly string[] | undefined;
  /** Events that carry all of these tags. @default all */
  readonly tags?: readonly string[] | undefined;
  /** Events of this stream; of the tenant `""` where the store has none. @default all */
  readonly streamId?: string | undefined;
  /** The greatest number of events. @default 50 */
  readonly limit?: number | undefined;
  /**
   * How many positions of the log are searched. @default the inspector's; without a limit where an index gives the
   * events: those of a stream or of one tag, without another filter
   */
  readonly budget?: number | undefined;
}

/**
 * Events that were found, and how far they were searched for.
 *
 * @category Inspect
 */
export interface EventPage<out E extends Event = Event> {
  /** The events that were found, in the order of the search. */
  readonly events: readonly InspectedEvent<E>[];
  /**
   * The position up to which was searched, itself included. The next search goes on from it: as `before` where the newest
   * come first, else as `after`.
   */
  readonly searchedTo: number;
  /** Whether everything was searched; false if the limit or the budget has ended the search. */
  readonly complete: boolean;
}

/**
 * A part of the log.
 *
 * @category Inspect
 */
export interface LogResult<out E extends Event = Event> extends EventPage<E> {
  /** The settled position of the log when it was searched. */
  readonly head: number;
}

/** Searches the log; see `Inspector.log`. */
export async function searchLog<E extends Event>(
  source: Source<E>,
  search: LogSearch,
): Promise<LogResult<E>> {
  const { before, after, types, categories, tags, streamId } = checkObject("search", search);
  const { limit = 50, budget } = search;
  if (before !== undefined) checkNumber("before", before);
  if (after !== undefined) checkNumber("after", after);
  if (types !== undefined) checkList("types", types);
  if (categories !== undefined) checkList("categories", categories, true);
  if (tags !== undefined) checkList("tags", tags);
  if (streamId !== undefined) checkName("streamId", streamId);
  checkNumber("limit", limit, 1, 1000);
  if (budget !== undefined) checkNumber("budget", budget, 1);
  const filters = [types, categories, tags, streamId].filter((filter) => filter !== undefined);
  const indexed = filters.length === 1 && (streamId !== undefined || tags?.length === 1);
  const head = await source.session().settled();
  const { events, ...searched } = await scanLog(source, {
    query: {
      tenantId: source.tenantId ?? (streamId === undefined ? undefined : ""),
      types: source.storedNames(types),
      tags: tags && [...new Set(tags)],
      categories,
      streamId,
    },
    first: after ?? 0,
    last: Math.min(head, (before ?? Infinity) - 1),
    backwards: after === undefined,
    limit,
    budget: budget ?? (indexed ? Infinity : source.budget),
  });
  return { events: await inspected(source, events), ...searched, head };
}

/** A search of the log, whose arguments are complete. */
interface Scan {
  readonly query: Pick<LogQuery, "tenantId" | "types" | "categories" | "tags" | "streamId">;
  /** Only events after this position. */
  readonly first: number;
  /** Only events up to this position. */
  readonly last: number;
  readonly backwards: boolean;
  readonly limit: number;
  readonly budget: number;
}

/** Scans the log page by page, until the limit, the budget or the end is reached. */
export async function scanLog(
  source: Source,
  { query, first, last, backwards, limit, budget }: Scan,
): Promise<{ events: readonly StoredEvent[]; searchedTo: number; complete: boolean }> {
  const session = source.session();
  if (backwards) need(source.backwards, "backwards", "read the log backwards");
  const { types, categories, tags } = query;
  const nothing = [types, categories, tags].some((filter) => filter?.length === 0);
  const events: StoredEvent[] = [];
  let [after, until] = backwards
    ? [Math.max(first, last - budget), last]
    : [first, Math.min(last, first + budget)];
  if (nothing) [after, until] = backwards ? [first, first] : [Math.max(first, last), last];
  while (after < until && events.length < limit) {
    const size = limit - events.length;
    const page = await session.scan({ ...query, after, until, limit: size, backwards });
    events.push(...page.events);
    if (backwards) until = page.scanned - 1;
    else after = page.scanned;
  }
  return backwards
    ? { events, searchedTo: until + 1, complete: until <= first }
    : { events, searchedTo: after, complete: after >= last };
}
