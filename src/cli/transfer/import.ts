import {
  type AppendRequest,
  type Event,
  type EventStore,
  isEventSourceryError,
  type NewEvent,
  type Session,
  UnsupportedError,
} from "../../../mod.ts";
import { checkNumber, checkObject } from "../../errors/check.ts";
import { categoryOf, slotOf } from "../../event/stream.ts";
import { storeNew } from "../../import/batch.ts";
import { type Internals, internalsOf } from "../../store/internals.ts";
import { type FileEvent, LineError, readLine } from "./line.ts";

/** How a file is imported. */
interface ImportLinesOptions {
  /** Whether outboxes leave its events out, whatever the file says. @default false: as the file says */
  readonly unpublished?: boolean | undefined;
  /** The number of lines that are stored together, from 1 to 10,000. @default 500 */
  readonly batchSize?: number | undefined;
  /** Ends it after a batch, with the signal's reason. @default nothing does */
  readonly signal?: AbortSignal | undefined;
  /** Tells how many lines were stored or passed over. */
  readonly onProgress?: ((lines: number) => void) | undefined;
}

/** What was imported. */
interface ImportedLines {
  /** How many lines were read. */
  readonly lines: number;
  /** How many events were stored. */
  readonly imported: number;
  /** How many were stored before. */
  readonly known: number;
}

/** The lines of a file, in its order. */
type Lines = AsyncIterable<string> | Iterable<string>;

/** An event of a file, with its line. */
interface Numbered extends FileEvent {
  readonly line: number;
}

/**
 * Imports what `lineOf` wrote: as it was stored, in its order, with its ids, versions and times, and as history, so that
 * consumers handle it with `replaying` set and no handler of a store runs. Positions are new. What is stored already is
 * passed over, so that it may be run again.
 *
 * A batch of lines is stored as a whole or not at all, where the driver has transactions.
 *
 * @param store The store; scoped to a tenant, it refuses events of others.
 * @throws {LineError} If a line is malformed or does not fit what is stored; batches before it are stored.
 * @throws {UnsupportedError} If the driver cannot store that events are imported.
 */
export async function importLines<E extends Event, Db>(
  store: EventStore<E, Db>,
  lines: Lines,
  options: ImportLinesOptions = {},
): Promise<ImportedLines> {
  const { unpublished = false, batchSize = 500 } = checkObject("options", options);
  const { signal, onProgress } = options;
  checkNumber("batchSize", batchSize, 1, 10_000);
  const internals = importing(store);
  const { driver, wakeUps } = internals.shared;
  const result = { lines: 0, imported: 0, known: 0 };
  const flush = async (batch: readonly Numbered[]) => {
    signal?.throwIfAborted();
    const stored = driver.capabilities.transactions
      ? await driver.transaction((session) => storeLines(session, batch, unpublished))
      : await storeLines(driver, batch, unpublished);
    result.imported += stored.imported;
    result.known += stored.known;
    result.lines = batch.at(-1)!.line;
    if (stored.imported > 0) wakeUps.notify();
    onProgress?.(result.lines);
  };
  let batch: Numbered[] = [];
  for await (const event of eventsOf(lines, internals.tenantId)) {
    batch.push(event);
    if (batch.length < batchSize) continue;
    await flush(batch);
    batch = [];
  }
  if (batch.length > 0) await flush(batch);
  return result;
}

/**
 * Reads a whole file and stores nothing: whether each line is well-formed, and each stream is without a hole, in itself
 * and after what is stored. It keeps a number for each stream of the file.
 *
 * @returns The number of lines.
 * @throws {LineError} If a line cannot be imported.
 */
export async function checkLines<E extends Event, Db>(
  store: EventStore<E, Db>,
  lines: Lines,
): Promise<number> {
  const { tenantId, session, shared: { driver } } = importing(store);
  const empty = await driver.settled() === 0;
  const versions = new Map<string, number>();
  let count = 0;
  for await (const event of eventsOf(lines, tenantId)) {
    count++;
    const { streamId, version, line } = event;
    const key = `${event.tenantId}\0${streamId}`;
    const last = versions.get(key) ?? await before(empty ? undefined : session(), event);
    if (version !== last + 1) throw holeAt(line, streamId, version);
    versions.set(key, version);
  }
  return count;
}

/** Returns the version that a stream is stored up to, below that of an event. */
async function before(
  session: Session<unknown> | undefined,
  { tenantId, streamId, version, event, line }: Numbered,
): Promise<number> {
  if (session === undefined) return 0;
  const from = Math.max(1, version - 1);
  const query = { tenantId, streamId, from, to: version, limit: 2, backwards: false };
  const { events } = await session.load(query);
  const other = events.find((stored) => stored.version === version && stored.id !== event.id);
  if (other !== undefined) {
    const reason = `stream ${JSON.stringify(streamId)} has another event of version ${version}`;
    throw new LineError(line, reason);
  }
  return version === 1 || events.some((stored) => stored.version === from) ? version - 1 : 0;
}

function holeAt(line: number, streamId: string, version: number): LineError {
  const reason = `stream ${JSON.stringify(streamId)} has a hole before version ${version}`;
  return new LineError(line, reason);
}

function importing(store: object): Internals<Event, unknown> {
  const internals = internalsOf<Event, unknown>(store);
  if (internals === undefined) throw new TypeError("store must be an event store");
  if (internals.shared.driver.capabilities.imported) return internals;
  throw new UnsupportedError("import events", 'its driver lacks the capability "imported"');
}

async function* eventsOf(
  lines: Lines,
  tenantId: string | undefined,
): AsyncGenerator<Numbered, void, void> {
  let line = 0;
  for await (const text of lines) {
    line++;
    if (text.trim() === "") continue;
    const event = readLine(text, line);
    if (tenantId !== undefined && event.tenantId !== tenantId) {
      const reason = `it is an event of tenant ${JSON.stringify(event.tenantId)}`;
      throw new LineError(line, `${reason}, and only ${JSON.stringify(tenantId)} is imported`);
    }
    yield { ...event, line };
  }
}

/** Stores lines in their order. */
async function storeLines(
  session: Session<unknown>,
  batch: readonly Numbered[],
  unpublished: boolean,
): Promise<Pick<ImportedLines, "imported" | "known">> {
  const result = { imported: 0, known: 0 };
  const runs = runsOf(batch);
  await dropSnapshots(session, runs);
  for (const run of runs) {
    try {
      const stored = await storeNew(session, requestOf(run, unpublished));
      result.imported += stored.imported;
      result.known += stored.known;
    } catch (error) {
      throw lineErrorOf(error, run);
    }
  }
  await dropSnapshots(session, runs);
  return result;
}

/** Removes the snapshots of streams, before and after: see `storeBatch`. */
async function dropSnapshots(
  session: Session<unknown>,
  runs: readonly (readonly Numbered[])[],
): Promise<void> {
  const tenants = new Map<string, Set<string>>();
  for (const { tenantId, streamId } of runs.flat()) {
    const streams = tenants.get(tenantId) ?? new Set();
    tenants.set(tenantId, streams.add(streamId));
  }
  for (const [tenantId, streams] of tenants) await session.snapshots?.drop(tenantId, [...streams]);
}

/** Names the line of an event that does not fit what is stored. */
function lineErrorOf(error: unknown, run: readonly Numbered[]): unknown {
  if (isEventSourceryError(error, "CONCURRENCY")) {
    return new LineError(run[0]!.line, error.message, { cause: error });
  }
  if (isEventSourceryError(error, "DUPLICATE_EVENT")) {
    const same = run.find(({ event }) => event.id === error.eventId);
    if (same !== undefined) return new LineError(same.line, error.message, { cause: error });
  }
  return error;
}

/**
 * Splits a batch where another stream begins. An append to several streams stores them one after the other, and consumers
 * would see another order than that of the file. Where streams alternate, that is an append an event: 700 a second in a
 * file of libSQL; with 10 events of a stream in a row, 2,300 on Postgres.
 */
function runsOf(batch: readonly Numbered[]): readonly (readonly Numbered[])[] {
  const runs: Numbered[][] = [];
  for (const event of batch) {
    const last = runs.at(-1)?.[0];
    const same = last?.tenantId === event.tenantId && last.streamId === event.streamId;
    if (same) runs.at(-1)!.push(event);
    else runs.push([event]);
  }
  return runs;
}

/** Makes the request of a run, which goes on from the version before its first event. */
function requestOf(run: readonly Numbered[], unpublished: boolean): AppendRequest {
  const { tenantId, streamId, version: first } = run[0]!;
  const events = run.map(({ version, event, line }, index): NewEvent => {
    if (version !== first + index) throw holeAt(line, streamId, version);
    return { ...event, published: event.published && !unpublished, imported: true };
  });
  const category = categoryOf(streamId);
  const slot = slotOf(tenantId, streamId);
  return { tenantId, writes: [{ streamId, category, slot, expectedVersion: first - 1, events }] };
}
