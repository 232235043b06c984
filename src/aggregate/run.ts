import type { Event, RecordedEvent } from "../event/event.ts";
import { isEventSourceryError } from "../errors/guard.ts";
import type { Internals } from "../store/internals.ts";
import type { EventStore } from "../store/store.ts";
import { readStream } from "../store/read.ts";
import { cacheOf, type Entry, type StateCache } from "./cache.ts";
import { type Folding, type Model, pass, step } from "./model.ts";
import { leaveSnapshot, loadState } from "./snapshot.ts";

/**
 * The second argument of a command: facts about the loaded stream.
 *
 * @category Aggregates
 */
export interface CommandContext<E extends Event = Event> {
  /** Whether the stream had no events. */
  readonly isNew: boolean;
  /** The version that was loaded; 0 for a new aggregate. */
  readonly version: number;
  /** When its first event was created, a UTC instant; undefined for a new aggregate. */
  readonly createdAt: Date | undefined;
  /** When its last event was created, a UTC instant; undefined for a new aggregate. */
  readonly updatedAt: Date | undefined;
  /** The number of the attempt, from 1; higher when the command runs again after a conflict. */
  readonly attempt: number;
  /** The repository's store. */
  readonly store: EventStore<E>;
}

/** What a command did. */
export interface Ran<State, R> {
  readonly result: R;
  /** The state after it. */
  readonly state: State;
  /** What it has stored. */
  readonly events: readonly RecordedEvent[];
}

/** A command on one stream, and where its state is kept. */
export interface Run<State, R> {
  readonly store: object;
  readonly streamId: string;
  readonly model: Model<State>;
  /** The options of the cache, and whose states it holds; undefined without one. */
  readonly cache: CacheUse | undefined;
  /** Runs the command. */
  readonly run: (folding: Folding<State>, attempt: Attempt) => Promise<Ran<State, R>>;
}

/** One run of a command. */
export interface Attempt {
  /** The id that the event at the state's version must have; undefined if the state was loaded just now. */
  readonly pinned: string | undefined;
  /** Whether its append has begun: then its events may be stored, and whatever fails, it runs again only after a conflict. */
  sent: boolean;
}

/** The complete options of a cache, and whose states it holds. */
interface CacheUse {
  readonly max: number;
  readonly maxAge: number;
  /** A class or a decider. */
  readonly owner: object;
}

/** The cache, the key and the store of a command. */
interface Place<State> {
  readonly cache: StateCache<State>;
  readonly key: string;
  readonly internals: Internals<Event, unknown>;
}

/**
 * Runs a command on the state of a stream: on one that is kept, if that turns out to be current, else on one that is
 * loaded. In a transaction no state is kept or used.
 */
export async function runOn<State, R>(command: Run<State, R>): Promise<R> {
  const place = placeOf(command);
  const keyAge = place?.internals.shared.catalog.sealer?.maxAge;
  const entry = place?.cache.take(place.key, command.cache!.maxAge, keyAge);
  let contended = false;
  if (entry !== undefined && command.model.isIntact(entry.state, entry.version)) {
    const fresh = !entry.contended || await catchUp(place!, command, entry);
    if (fresh) {
      const ran = await onKept(place!, command, entry);
      if (ran !== undefined) return await checkIn(place!, command, entry, ran, entry.contended);
    }
    contended = true;
  }
  const folding = await loadState(command.store, command.streamId, command.model, {});
  try {
    const ran = await command.run(folding, { pinned: undefined, sent: false });
    return place === undefined
      ? ran.result
      : await checkIn(place, command, folding, ran, contended);
  } finally {
    // Begun with the command, and awaited: a serverless process may freeze once it has answered.
    await folding.saving;
  }
}

/** Keeps the state after a command that did not load one. */
export async function keepNew<State, R>(
  command: Run<State, R>,
  folding: Folding<State>,
  ran: Ran<State, R>,
): Promise<void> {
  const place = placeOf(command);
  if (place !== undefined) await checkIn(place, command, folding, ran, false);
}

function placeOf<State, R>(
  { store, streamId, cache: options }: Run<State, R>,
): Place<State> | undefined {
  if (options === undefined) return undefined;
  const { cache, internals } = cacheOf<State>(store, options.owner, options);
  const key = `${internals.tenantId ?? ""}\0${streamId}`;
  if (internals.transaction === undefined) return { cache, key, internals };
  // What it appends is not to be seen before it is committed.
  internals.transaction.onCommit(async () => cache.drop(key));
  return undefined;
}

/** Reads what others have stored since; false if the stream is another one by now. */
async function catchUp<State, R>(
  { internals }: Place<State>,
  { streamId, model }: Run<State, R>,
  entry: Entry<State>,
): Promise<boolean> {
  const { tenantId = "", shared: { catalog } } = internals;
  let first = true;
  entry.contended = false;
  const options = { from: entry.version };
  for await (
    const events of readStream(internals.session(), catalog, tenantId, streamId, options)
  ) {
    for (const event of events) {
      if (first) {
        first = false;
        if (event.id !== entry.eventId) return false;
      } else {
        step(entry, model, event);
        entry.contended = true;
      }
    }
  }
  return !first;
}

/** Runs a command on a kept state; undefined if that turns out to be old: then its outcome counts for nothing. */
async function onKept<State, R>(
  place: Place<State>,
  { streamId, run }: Run<State, R>,
  entry: Entry<State>,
): Promise<Ran<State, R> | undefined> {
  const { version } = entry;
  const attempt = { pinned: entry.eventId, sent: false };
  try {
    const ran = await run(entry, attempt);
    // What was stored has been compared; that there was nothing to do has not.
    return ran.events.length > 0 || await isCurrent(place, streamId, entry) ? ran : undefined;
  } catch (error) {
    if (attempt.sent) {
      const conflict = isEventSourceryError(error, "CONCURRENCY") && !error.transactionAborted;
      if (conflict && error.streamId === streamId && error.expected === version) return undefined;
      // An invalid event is found before anything is sent.
      if (!isEventSourceryError(error, "INVALID_EVENT")) throw error;
    }
    // A refusal on an old state, whoever makes it, may be none on the present one.
    if (await isCurrent(place, streamId, entry)) throw error;
    return undefined;
  }
}

async function isCurrent<State>(
  { internals }: Place<State>,
  streamId: string,
  { version, eventId }: Folding<State>,
): Promise<boolean> {
  const { tenantId = "" } = internals;
  const query = { tenantId, streamId, from: version, to: Number.MAX_SAFE_INTEGER };
  const { events } = await internals.session().load({ ...query, limit: 2, backwards: false });
  return events.length === 1 && events[0]!.id === eventId;
}

/** Keeps the state after a command, and leaves a snapshot of it where one is due. */
async function checkIn<State, R>(
  { cache, key, internals }: Place<State>,
  { streamId, model }: Run<State, R>,
  folding: Folding<State>,
  { result, state, events }: Ran<State, R>,
  contended: boolean,
): Promise<R> {
  for (const event of events) pass(folding, event);
  folding.state = state;
  const saving = leaveSnapshot(internals, streamId, model, folding);
  if (model.isIntact(state, folding.version)) cache.put(key, folding, contended);
  await saving;
  return result;
}
