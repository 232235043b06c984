import type { Catalog } from "../codec/catalog.ts";
import type { Session } from "../driver/driver.ts";
import type { LogQuery, StoredStream } from "../driver/read.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type {
  LoadOptions,
  ReadAllOptions,
  StreamInfo,
  StreamList,
  StreamsOptions,
} from "./reader.ts";
import { checkInstant, checkList, checkName, checkNumber } from "../errors/check.ts";

/** One request's worth of events: large enough that requests do not count, small enough to hold in memory. */
const page = 1024;

const last: number = Number.MAX_SAFE_INTEGER;

/** Reads a stream page by page. */
export async function* readStream<E extends Event>(
  session: Session<unknown>,
  catalog: Catalog<E>,
  tenantId: string,
  streamId: string,
  { from = 1, to = last, limit = last, backwards = false }: LoadOptions,
): AsyncGenerator<readonly RecordedEvent<E>[]> {
  checkName("streamId", streamId);
  checkNumber("from", from, 1);
  checkNumber("to", to);
  checkNumber("limit", limit);
  let wanted = limit;
  while (wanted > 0 && from <= to) {
    const size = Math.min(page, wanted);
    const stored = await session.load({ tenantId, streamId, from, to, limit: size, backwards });
    if (stored.length > 0) yield stored.map((event) => catalog.decode(event));
    if (stored.length < size) return;
    wanted -= size;
    if (backwards) to = stored.at(-1)!.version - 1;
    else from = stored.at(-1)!.version + 1;
  }
}

/** Reads the version of a stream: even of one whose last event cannot be decoded. */
export async function readVersion(
  session: Session<unknown>,
  tenantId: string,
  streamId: string,
): Promise<number> {
  checkName("streamId", streamId);
  const query = { tenantId, streamId, from: 1, to: last, limit: 1, backwards: true };
  const [event] = await session.load(query);
  return event?.version ?? 0;
}

/** Reads the settled log page by page, up to a settled position if one is given. */
export async function* readLog<E extends Event>(
  session: Session<unknown>,
  catalog: Catalog<E>,
  tenantId: string | undefined,
  { after = 0, limit = last, categories, types, tags }: ReadAllOptions,
  end?: number,
): AsyncGenerator<RecordedEvent<E>> {
  checkNumber("after", after);
  checkNumber("limit", limit);
  if (categories !== undefined) checkList("categories", categories, true);
  if (types !== undefined) checkList("types", types);
  if (tags !== undefined) checkList("tags", tags);
  if (categories?.length === 0 || types?.length === 0 || tags?.length === 0) return;
  const until = end ?? await session.settled();
  const filter: Omit<LogQuery, "after" | "limit"> = {
    tenantId,
    until,
    categories,
    types: catalog.storedNames(types),
    tags: tags && [...new Set(tags)],
  };
  let wanted = limit;
  while (wanted > 0 && after < until) {
    const { events, scanned } = await session.scan({
      ...filter,
      after,
      limit: Math.min(page, wanted),
    });
    for (const event of events) yield catalog.decode(event);
    wanted -= events.length;
    after = scanned;
  }
}

/** Lists streams page by page. */
export function listStreams(
  open: () => Session<unknown>,
  tenantId: string,
  { category }: StreamsOptions,
): StreamList {
  async function* pages(): AsyncGenerator<StreamInfo> {
    if (category !== undefined && category !== "") checkName("category", category);
    const session = open();
    let after: string | undefined;
    while (true) {
      const found: readonly StoredStream[] = await session.streams({
        tenantId,
        category,
        after,
        limit: page,
      });
      for (const { streamId, version, createdAt, updatedAt } of found) {
        yield { streamId, version, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
      }
      if (found.length < page) return;
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

/** Collects what an iterable yields. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
