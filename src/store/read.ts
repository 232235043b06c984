import type { Catalog } from "../codec/catalog.ts";
import type { Session } from "../driver/driver.ts";
import type {
  LogQuery,
  StoredEvent,
  StoredStream,
  StreamPage,
  StreamQuery,
} from "../driver/read.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { Shared } from "./scope.ts";
import type {
  LoadOptions,
  ReadAllOptions,
  StreamInfo,
  StreamList,
  StreamsOptions,
} from "./reader.ts";
import { checkBoolean, checkInstant, checkList, checkName, checkNumber } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { ConcurrencyError } from "../errors/store.ts";
import { aroundLoad } from "../observe/load.ts";

/** The events per request: enough to make round trips negligible, few enough to hold in memory. */
export const pageSize = 1024;

/**
 * Returns twice the last page's size, at most `pageSize`: drivers that end pages of large events early measure fewer
 * rows.
 */
const nextPage = (held: number): number => Math.min(pageSize, 2 * held);

const last: number = Number.MAX_SAFE_INTEGER;

/**
 * Reads a stream page by page.
 *
 * @param before The event that `from` is the version of, if it was read already: it is not read again.
 * @throws {ConcurrencyError} If the stream was deleted between two pages: what follows would be of another one.
 */
export async function* readStream<E extends Event>(
  session: Session<unknown>,
  { catalog, observer }: Pick<Shared<E, unknown, unknown>, "catalog" | "observer">,
  tenantId: string,
  streamId: string,
  { from = 1, to = last, limit = last, backwards = false }: LoadOptions,
  before?: StoredEvent,
): AsyncGenerator<readonly RecordedEvent<E>[]> {
  checkName("streamId", streamId);
  checkNumber("from", from, 1);
  checkNumber("to", to);
  checkNumber("limit", limit);
  checkBoolean("backwards", backwards);
  let wanted = limit;
  const query = (size: number): StreamQuery | undefined => {
    const known = before === undefined ? 0 : 1;
    return wanted > 0 && from + known <= to
      ? { tenantId, streamId, from, to, limit: Math.min(size, wanted) + known, backwards }
      : undefined;
  };
  const load = (query: StreamQuery) =>
    before === undefined ? session.load(query) : loadAfter(session, before, query);
  const ask = observer === undefined
    ? load
    : (query: StreamQuery) => aroundLoad(observer, query, () => load(query));
  const pages = readAhead(session, query(pageSize), ask, (page) => {
    if (!page.more) return undefined;
    wanted -= page.events.length;
    before = page.events.at(-1)!;
    if (backwards) to = before.version;
    else from = before.version;
    return query(nextPage(page.events.length));
  });
  for await (const { events } of pages) {
    if (events.length > 0) yield await catalog.decodeAll(session, events);
  }
}

/**
 * Loads the page after an event. The query begins with that event: if it is not there, the stream was deleted, and maybe
 * made again. It costs an event a page, and no way to the database, unless the two are too large for one page.
 */
async function loadAfter(
  session: Session<unknown>,
  { id, version }: StoredEvent,
  query: StreamQuery,
): Promise<StreamPage> {
  const check = ({ events: [first] }: StreamPage) => {
    if (first?.id === id) return;
    throw new ConcurrencyError(query.streamId, version, undefined, { reading: true });
  };
  const page = await session.load(query);
  check(page);
  const events = page.events.slice(1);
  if (events.length > 0 || !page.more) return { ...page, events };
  const rest = query.backwards ? { to: version - 1 } : { from: version + 1 };
  const next = await session.load({ ...query, ...rest, limit: query.limit - 1 });
  check(await session.load({ ...query, limit: 1 }));
  return next;
}

/** Reads the version of a stream, even if its last event cannot be decoded. */
export async function readVersion(
  session: Session<unknown>,
  tenantId: string,
  streamId: string,
): Promise<number> {
  checkName("streamId", streamId);
  const query = { tenantId, streamId, from: 1, to: last, limit: 1, backwards: true };
  return (await session.load(query)).events[0]?.version ?? 0;
}

/** Reads the settled log page by page, up to a settled position if one is given. */
export async function* readLog<E extends Event>(
  session: Session<unknown>,
  catalog: Catalog<E>,
  tenantId: string | undefined,
  options: ReadAllOptions,
  end?: number,
): AsyncGenerator<RecordedEvent<E>> {
  const { before, since, until: at, backwards = false, limit = last } = options;
  const { categories, types, tags } = options;
  let { after = 0 } = options;
  checkNumber("after", after);
  if (since !== undefined) checkInstant("since", since);
  if (at !== undefined) checkInstant("until", at);
  if (before !== undefined) checkNumber("before", before);
  checkBoolean("backwards", backwards);
  checkNumber("limit", limit);
  if (categories !== undefined) checkList("categories", categories, true);
  if (types !== undefined) checkList("types", types);
  if (tags !== undefined) checkList("tags", tags);
  if (categories?.length === 0 || types?.length === 0 || tags?.length === 0) return;
  const settled = end ?? await session.settled();
  let until = Math.min(settled, (before ?? last) - 1);
  if (since !== undefined) {
    after = Math.max(after, await positionAt(session, since.getTime() - 1, settled));
  }
  if (at !== undefined) until = Math.min(until, await positionAt(session, at.getTime(), settled));
  const filter: Omit<LogQuery, "after" | "until" | "limit"> = {
    tenantId,
    ...(backwards && { backwards }),
    categories,
    types: catalog.storedNames(types),
    tags: tags && [...new Set(tags)],
  };
  let wanted = limit;
  const query = (size: number): LogQuery | undefined =>
    wanted > 0 && after < until
      ? { ...filter, after, until, limit: Math.min(size, wanted) }
      : undefined;
  const pages = readAhead(session, query(pageSize), (wish) => session.scan(wish), (page) => {
    wanted -= page.events.length;
    if (backwards) until = page.scanned - 1;
    else after = page.scanned;
    return query(nextPage(page.events.length));
  });
  for await (const { events } of pages) {
    for (const event of await catalog.open(session, events)) yield catalog.decode(event);
  }
}

/**
 * Asks for page after page, each while the one before is handled: never in a transaction, where a statement that nobody
 * waits for would meet those of the handler. A reader that leaves waits for the page under way; its error is nobody's.
 * What this hides is the way to the database and back: beside it on two busy cores, 20,000 events took 0.97 of the time.
 *
 * @param following Returns the query for the next page; undefined after the last.
 */
async function* readAhead<Query, Page>(
  session: Session<unknown>,
  first: Query | undefined,
  ask: (query: Query) => Promise<Page>,
  following: (page: Page) => Query | undefined,
): AsyncGenerator<Page> {
  const ahead = "capabilities" in session; // a driver: a transaction's session has none
  let query = first;
  let pending: Promise<Page> | undefined;
  try {
    while (query !== undefined) {
      const page: Page = await (pending ?? ask(query));
      query = following(page);
      pending = ahead && query !== undefined ? ask(query) : undefined;
      pending?.catch(() => {}); // told when the reader gets there
      yield page;
    }
  } finally {
    await pending?.catch(() => {});
  }
}

/** Lists streams page by page. */
export function listStreams(
  open: () => Session<unknown>,
  tenantId: string,
  { category, prefix, after: first, limit = last }: StreamsOptions,
): StreamList {
  async function* pages(): AsyncGenerator<StreamInfo> {
    if (category !== undefined && category !== "") checkName("category", category);
    if (prefix !== undefined && prefix !== "") checkName("prefix", prefix);
    if (first !== undefined) checkName("after", first);
    checkNumber("limit", limit);
    const session = open();
    let after = first;
    let wanted = limit;
    while (wanted > 0) {
      const size = Math.min(pageSize, wanted);
      const query = { tenantId, category, ...(prefix && { prefix }), after, limit: size };
      const found: readonly StoredStream[] = await session.streams(query);
      for (const { streamId, version, createdAt, updatedAt } of found) {
        yield { streamId, version, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
      }
      if (found.length < size) return;
      wanted -= size;
      after = found.at(-1)!.streamId;
    }
  }
  return {
    [Symbol.asyncIterator]: pages,
    then: (resolve, reject) => collect(pages()).then(resolve, reject),
  };
}

/** Folds pages of events, stopping at the first event that was created after `at`. */
export async function foldPages<E extends Event, State>(
  pages: AsyncIterable<readonly RecordedEvent<E>[]>,
  initial: State,
  evolve: (state: State, event: RecordedEvent<E>) => State,
  at: Date | undefined,
): Promise<State> {
  if (at !== undefined) checkInstant("at", at);
  let state = initial;
  for await (const events of pages) {
    for (const event of events) {
      if (at !== undefined && event.createdAt.getTime() > at.getTime()) return state;
      state = evolve(state, event);
    }
  }
  return state;
}

/** Collects the items of an async iterable. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** How many positions are looked up at once: a log of a million events takes five requests, of a billion seven, the first for the settled position. */
const width = 32;

/**
 * Finds the last position at or before an instant, among those that are settled: at or below it events were created no
 * later, above it later, as far as they are in the order of their creation. Where they are not, it is one of the
 * positions where the one passes into the other.
 *
 * @param time In milliseconds since 1970.
 */
export async function positionAt(
  session: Session<unknown>,
  time: number,
  settled: number,
): Promise<number> {
  const probe = probeOf(session);
  let found = 0;
  let end = settled + 1; // what is there was created later
  while (end - found > 1) {
    const step = Math.max(1, (end - found) / (width + 1));
    const positions: number[] = [];
    for (let next = found + step; next < end; next += step) positions.push(Math.floor(next));
    const events = await probe(positions);
    let last = found;
    for (const [index, position] of positions.entries()) {
      const event = events[index];
      const within = event !== undefined && event.position < end &&
        new Date(event.createdAt).getTime() <= time;
      if (!within) {
        end = position;
        break;
      }
      last = event.position;
    }
    found = last;
  }
  return found;
}

/** Returns the operation that looks up positions, bound to its session. */
export function probeOf(session: Session<unknown>): NonNullable<Session["probe"]> {
  if (session.probe !== undefined) return (positions) => session.probe!(positions);
  throw new UnsupportedError("find a position by time", "its driver has no `probe`");
}
