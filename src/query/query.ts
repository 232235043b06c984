import type { Catalog } from "../codec/catalog.ts";
import type { Session } from "../driver/driver.ts";
import type { MatchCondition, MatchItem } from "../driver/condition.ts";
import type { StoredEvent } from "../driver/read.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import { checkList, checkNumber, checkObject, wrongType } from "../errors/check.ts";
import { UnknownEventTypeError } from "../errors/event.ts";
import { isUnknown } from "../event/unknown.ts";

/**
 * One alternative of a query: events of any of the types that carry all of the tags; at least one of the two is given.
 *
 * @category Event store
 */
export interface QueryItem<Type extends string = string> {
  /** Events of any of these types. @default every type */
  readonly types?: readonly Type[] | undefined;
  /** Events that carry all of these tags. @default any tags */
  readonly tags?: readonly string[] | undefined;
}

/**
 * Selects the events that a decision rests on: one item, or a list of at most 16, of which an event matches any.
 *
 * @category Event store
 */
export type EventQuery<Type extends string = string> = QueryItem<Type> | readonly QueryItem<Type>[];

/**
 * The events that a query can return: where every item names types, the events of these, else all.
 *
 * @category Event store
 */
export type MatchOf<E extends Event, Q> = Q extends readonly (infer Item)[] ? MatchOf<E, Item>
  : Q extends { readonly types: readonly (infer Type)[] }
    ? E extends unknown ? [Extract<Type, E["type"]>] extends [never] ? never : E : never
  : E;

/**
 * The condition of an append: nothing has been stored that matches the query, but for what it returned. Plain JSON: it
 * may be kept, or sent to a browser and back. By hand, `{ query, after: 0 }` says that there is no match at all.
 *
 * @category Event store
 */
export interface AppendCondition {
  /** The query that the decision rests on. */
  readonly query: EventQuery;
  /** Matches at or below this position are allowed. */
  readonly after: number;
  /** The positions of the matches above it that are allowed. @default none */
  readonly seen?: readonly number[] | undefined;
}

/**
 * Result of a query.
 *
 * @category Event store
 */
export interface QueryResult<E extends Event = Event> {
  /** The matching events by position; may be empty. */
  readonly events: readonly RecordedEvent<E>[];
  /** What the append of a decision on these events gives as its condition. */
  readonly condition: AppendCondition;
}

const maxItems = 16;
/** The events per request. */
const pageSize = 1024;

/**
 * Copies a query, so that it stays as it was checked.
 *
 * @throws {TypeError | RangeError} If it is malformed, selects nothing, or has more than 16 items.
 */
export function copyQuery(query: EventQuery): EventQuery {
  if (!Array.isArray(query)) return copyItem("query", query as QueryItem);
  if (query.length === 0) throw new TypeError("query must have at least one item");
  if (query.length > maxItems) {
    throw new RangeError(`query must have at most ${maxItems} items, got ${query.length}`);
  }
  return [...query].map((item, index) => copyItem(`query[${index}]`, item));
}

function copyItem(argument: string, item: QueryItem): QueryItem {
  const { types, tags } = checkObject(argument, item);
  const lists = Object.entries({ types, tags }).filter(([, list]) => list !== undefined);
  if (lists.length === 0) throw new TypeError(`${argument} must have types or tags`);
  return Object.fromEntries(lists.map(([name, list]) => {
    checkList(`${argument}.${name}`, list);
    if (list!.length === 0) throw new TypeError(`${argument}.${name} must not be empty`);
    return [name, [...new Set(list)]];
  }));
}

/**
 * Returns a query as drivers receive it, with the names of types as stored.
 *
 * @throws {UnknownEventTypeError} If a type is not among the store's events: a misspelled one would match nothing, and
 * a condition on it would always hold.
 */
export function itemsOf<E extends Event>(
  catalog: Catalog<E>,
  query: EventQuery,
): readonly MatchItem[] {
  const items: readonly QueryItem[] = Array.isArray(query) ? query : [query];
  return items.map(({ types, tags }) => {
    const names = types?.flatMap((type) => {
      const stored = catalog.has(type) || isUnknown({ type }) ? catalog.storedNames([type])! : [];
      if (stored.length === 0) throw new UnknownEventTypeError(type);
      return stored;
    });
    return { types: names && [...new Set(names)], tags };
  });
}

/** Whether an event matches a query, which must be well-formed. */
export function matchesQuery(query: EventQuery, event: Pick<Event, "type" | "tags">): boolean {
  const items: readonly QueryItem[] = Array.isArray(query) ? query : [query];
  return items.some(({ types, tags = [] }) =>
    (types === undefined || types.includes(event.type)) &&
    tags.every((tag) => event.tags.includes(tag))
  );
}

/**
 * Reads all events that match.
 *
 * @returns The events and what the condition allows: settled positions, and the positions of the other events.
 */
export async function readMatches(
  session: Session<unknown>,
  tenantId: string,
  items: readonly MatchItem[],
): Promise<Pick<MatchCondition, "after" | "seen"> & { readonly events: readonly StoredEvent[] }> {
  const events: StoredEvent[] = [];
  // That of the first page: what commits behind a page lies above it and was not seen, so it refuses the condition.
  let settled: number | undefined;
  for (let after = 0, more = true; more; after = events.at(-1)?.position ?? after) {
    const page = await session.query!({ tenantId, items, after, limit: pageSize });
    settled ??= page.settled;
    events.push(...page.events);
    more = page.more;
  }
  const after = settled!;
  const positions = events.map(({ position }) => position);
  return { events, after, seen: positions.filter((position) => position > after) };
}

/**
 * Checks a condition and returns it as drivers receive it.
 *
 * @throws {TypeError | RangeError} If it is malformed, or its query selects nothing.
 * @throws {UnknownEventTypeError} If a type is not among the store's events.
 */
export function readCondition<E extends Event>(
  catalog: Catalog<E>,
  condition: AppendCondition,
): MatchCondition {
  const { query, after, seen = [] } = checkObject("condition", condition);
  checkNumber("condition.after", after);
  if (!Array.isArray(seen)) {
    throw wrongType("condition.seen", "an array of numbers", seen);
  }
  for (const [index, position] of seen.entries()) {
    checkNumber(`condition.seen[${index}]`, position, 1);
  }
  return { items: itemsOf(catalog, copyQuery(query)), after, seen: [...seen] };
}
