import type { Event, LoadOptions, StoredEvent, StreamInfo } from "../../mod.ts";
import { checkName, checkNumber, checkObject } from "../errors/check.ts";
import { inspected, type InspectedEvent } from "./event.ts";
import { scanLog } from "./log.ts";
import type { Source } from "./source.ts";

/**
 * Which streams to list.
 *
 * @category Inspect
 */
export interface StreamSearch {
  /** Only streams whose id begins with this text; all of a category begin with its name and `:`. @default all */
  readonly prefix?: string | undefined;
  /** Only streams whose id comes after this one. @default from the first */
  readonly after?: string | undefined;
  /** The greatest number of streams. @default 50 */
  readonly limit?: number | undefined;
}

/**
 * Streams by their ids.
 *
 * @category Inspect
 */
export interface StreamResult {
  /** The streams, in the order of the bytes of their ids. */
  readonly streams: readonly StreamInfo[];
  /** Whether these are all; false if there may be more after the last of them. */
  readonly complete: boolean;
}

/** Lists streams by their ids; see `Inspector.streams`. */
export async function searchStreams(
  { store }: Source,
  search: StreamSearch,
): Promise<StreamResult> {
  const { prefix, after, limit = 50 } = checkObject("search", search);
  checkNumber("limit", limit, 1, 1000);
  const streams = await store.streams({ prefix, after, limit });
  return { streams, complete: streams.length < limit };
}

/**
 * Where to look for streams that were changed lately.
 *
 * @category Inspect
 */
export interface TouchedSearch {
  /** The greatest number of streams. @default 20 */
  readonly limit?: number | undefined;
  /** How many of the newest events are read. @default 2000 */
  readonly budget?: number | undefined;
}

/**
 * A stream that was changed lately.
 *
 * @category Inspect
 */
export interface TouchedStream {
  /** The tenant it belongs to; `""` without tenants. */
  readonly tenantId: string;
  /** The stream's id. */
  readonly streamId: string;
  /** The version of its last event. */
  readonly version: number;
  /** The type of its last event, as stored. */
  readonly type: string;
  /** The position of its last event. */
  readonly position: number;
  /** When its last event was created, a UTC instant. */
  readonly updatedAt: Date;
}

/**
 * Streams that were changed lately.
 *
 * @category Inspect
 */
export interface TouchedResult {
  /** The streams, the one with the newest event first. */
  readonly streams: readonly TouchedStream[];
  /** The position down to which the log was read, itself included. */
  readonly searchedTo: number;
  /** Whether the log was read to its beginning, so that these are all streams. */
  readonly complete: boolean;
}

/** The events of a page: few are needed where many streams are active. */
const pageSize = 200;

/** Finds the streams of the newest events; see `Inspector.touched`. */
export async function touched(
  source: Source,
  search: TouchedSearch,
): Promise<TouchedResult> {
  const { limit = 20, budget = 2000 } = checkObject("search", search);
  checkNumber("limit", limit, 1, 1000);
  checkNumber("budget", budget, 1, 100_000);
  const streams = new Map<string, TouchedStream>();
  const query = {
    tenantId: source.tenantId,
    types: undefined,
    categories: undefined,
    tags: undefined,
  };
  const head = await source.session().settled();
  const first = Math.max(0, head - source.budget);
  let [left, searchedTo, complete] = [budget, head + 1, head === 0];
  while (!complete && left > 0 && streams.size < limit) {
    const page = await scanLog(source, {
      ...{ query, first, last: searchedTo - 1, backwards: true },
      ...{ limit: Math.min(pageSize, left), budget: Infinity },
    });
    for (const { tenantId, streamId, version, type, position, createdAt } of page.events) {
      const key = `${tenantId}\0${streamId}`;
      if (!streams.has(key)) {
        if (streams.size === limit) return { streams: [...streams.values()], searchedTo, complete };
        const updatedAt = new Date(createdAt);
        streams.set(key, { tenantId, streamId, version, type, position, updatedAt });
      }
      searchedTo = position;
    }
    left -= page.events.length;
    ({ searchedTo, complete } = page);
  }
  return { streams: [...streams.values()], searchedTo, complete: complete && first === 0 };
}

/**
 * Events of a stream.
 *
 * @category Inspect
 */
export interface StreamEvents<out E extends Event = Event> {
  /** The events by version, the newest first if read backwards. */
  readonly events: readonly InspectedEvent<E>[];
  /** The version of the stream's last event. */
  readonly version: number;
  /** Whether these are all of the range; false if the limit has ended it. */
  readonly complete: boolean;
}

/** Reads events of a stream; see `Inspector.stream`. */
export async function streamEvents<E extends Event>(
  source: Source<E>,
  streamId: string,
  range: LoadOptions,
): Promise<StreamEvents<E> | undefined> {
  checkName("streamId", streamId);
  const { from = 1, to, limit = 50, backwards = false } = checkObject("range", range);
  checkNumber("from", from, 1);
  if (to !== undefined) checkNumber("to", to);
  checkNumber("limit", limit, 1, 1000);
  const version = await lastVersion(source, streamId);
  if (version === 0) return undefined;
  const query = { tenantId: source.tenantId ?? "", streamId, backwards };
  let [first, last] = [from, Math.min(to ?? version, version)];
  const events: StoredEvent[] = [];
  while (first <= last && events.length < limit) {
    const size = limit - events.length;
    const page = await source.session().load({ ...query, from: first, to: last, limit: size });
    const end = page.events.at(-1);
    if (end === undefined) break; // it was deleted meanwhile
    events.push(...page.events);
    if (backwards) last = end.version - 1;
    else first = end.version + 1;
  }
  return { events: await inspected(source, events), version, complete: first > last };
}

/** Reads the version of a stream, even if its last event cannot be decoded. */
export async function lastVersion(source: Source, streamId: string): Promise<number> {
  const query = { tenantId: source.tenantId ?? "", streamId, from: 1, to: Number.MAX_SAFE_INTEGER };
  const page = await source.session().load({ ...query, limit: 1, backwards: true });
  return page.events[0]?.version ?? 0;
}
