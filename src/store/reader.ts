import type { Catalog } from "../codec/catalog.ts";
import type { LogQuery, Session, StoredStream } from "../driver/driver.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { FollowOptions } from "./follow.ts";
import { checkInstant, checkList, checkName, checkNumber } from "../errors/check.ts";

/** Reads events: what a module asks for that only reads. */
export interface EventReader<out E extends Event = Event> {
  /**
   * Loads a stream's events, by version.
   *
   * @returns The events; empty where there is no stream.
   * @throws {RangeError} If an option is out of range.
   * @throws {UnknownEventTypeError} If nobody defined a stored event's type.
   * @throws {CorruptEventError} If a stored event cannot be read.
   */
  readonly load: (streamId: string, options?: LoadOptions) => Promise<readonly RecordedEvent<E>[]>;

  /** Reads a stream's events as `load` does, holding one page of them in memory. */
  readonly read: (streamId: string, options?: LoadOptions) => AsyncIterable<RecordedEvent<E>>;

  /**
   * Reads the log across streams, by position, up to the position that is settled when the reading begins. No event
   * that is committed later will stand before one that was read.
   */
  readonly readAll: (options?: ReadAllOptions) => AsyncIterable<RecordedEvent<E>>;

  /**
   * Reads the log as `readAll` does, and goes on as it grows: each event is given at once when it is committed and
   * settled. It never ends, unless its signal aborts.
   */
  readonly follow: (options?: FollowOptions) => AsyncIterable<RecordedEvent<E>>;

  /**
   * Folds a stream into a value.
   *
   * @param streamId The stream.
   * @param initial The value before the first event.
   * @param evolve Makes the next value of a value and an event.
   * @param options How far to go.
   * @returns The value after the last event; `initial` where there is none.
   */
  readonly fold: <State>(
    streamId: string,
    initial: State,
    evolve: (state: State, event: RecordedEvent<E>) => State,
    options?: FoldOptions,
  ) => Promise<State>;

  /** Tells the version of a stream: the number of its last event, 0 where there is none. */
  readonly version: (streamId: string) => Promise<number>;

  /** Tells the settled position of the log, 0 where it is empty: nothing will ever appear at or below it. */
  readonly position: () => Promise<number>;

  /** Lists streams by id, in the order of its UTF-8 bytes: await it for all of them, or iterate over it page by page. */
  readonly streams: (options?: StreamsOptions) => StreamList;
}

/** Which events of a stream to load. */
export interface LoadOptions {
  /** The lowest version, from 1. @default 1 */
  readonly from?: number | undefined;
  /** The highest version. @default the last */
  readonly to?: number | undefined;
  /** The greatest number of events. @default all */
  readonly limit?: number | undefined;
  /** Whether the newest come first. @default false */
  readonly backwards?: boolean | undefined;
}

/** Which events of the log to read. A filter that is left out lets all pass, an empty one nothing. */
export interface ReadAllOptions {
  /** Only events after this position. @default 0 */
  readonly after?: number | undefined;
  /** The greatest number of events. @default all */
  readonly limit?: number | undefined;
  /** Events of streams of any of these categories. @default all */
  readonly categories?: readonly string[] | undefined;
  /** Events of any of these types. @default all */
  readonly types?: readonly string[] | undefined;
  /** Events that carry all of these tags. @default all */
  readonly tags?: readonly string[] | undefined;
}

/** How far to fold. */
export interface FoldOptions {
  /** The last version to fold in. @default the last */
  readonly to?: number | undefined;
  /** As of this UTC instant: everything before the first event that was created later. @default now */
  readonly at?: Date | undefined;
}

/** Which streams to list. */
export interface StreamsOptions {
  /** Only streams of this category; `""` are those without one. @default all */
  readonly category?: string | undefined;
}

/** A stream as it is listed. */
export interface StreamInfo {
  /** Its id. */
  readonly streamId: string;
  /** The version of its last event. */
  readonly version: number;
  /** When its first event was created, a UTC instant. */
  readonly createdAt: Date;
  /** When its last event was created, a UTC instant. */
  readonly updatedAt: Date;
}

/** A list of streams: `await` gives all of it, `for await` holds one page in memory. */
export interface StreamList extends AsyncIterable<StreamInfo>, PromiseLike<readonly StreamInfo[]> {}

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
