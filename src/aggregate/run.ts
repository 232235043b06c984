import type { Event, RecordedEvent } from "../event/event.ts";
import { type ExpectedVersion, fits } from "../driver/version.ts";
import { isEventSourceryError } from "../errors/guard.ts";
import { ConcurrencyError } from "../errors/store.ts";
import { around } from "../observe/around.ts";
import { type Internals, internalsOf } from "../store/internals.ts";
import type { EventStore } from "../store/store.ts";
import { checkExpectedVersion } from "../store/prepare.ts";
import { readStream } from "../store/read.ts";
import { withRetries } from "./attempt.ts";
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

/** The stream that a command runs on, and where its state is kept. */
export interface Target<State> {
  readonly store: object;
  /** The name of the class, or the category of the decider. */
  readonly aggregate: string;
  /** The id, without the category. */
  readonly id: string;
  readonly streamId: string;
  readonly model: Model<State>;
  /** The options of the cache, and whose states it holds; undefined without one. */
  readonly cache: CacheUse | undefined;
}

/** Runs a command on a state. */
type Run<State, R> = (folding: Folding<State>, attempt: Attempt) => Promise<Ran<State, R>>;

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

/** A stream whose state may be kept. */
interface Kept<State> extends Pick<Target<State>, "streamId" | "model"> {
  readonly states: StateCache<State>;
  readonly key: string;
  readonly internals: Internals<Event, unknown>;
}

/**
 * Runs a command on the state of its stream; after a conflict with another writer, again.
 *
 * @param retries How often to try again after a conflict; ignored where the caller expects a version.
 * @param expected The version that the caller expects.
 * @throws {ConcurrencyError} If the stream is not at the expected version, or the last attempt met a conflict too.
 */
export async function runCommand<State, R>(
  target: Target<State>,
  command: Run<State, R>,
  retries: number,
  expected: ExpectedVersion = "any",
): Promise<R> {
  checkExpectedVersion(expected);
  const { store, streamId } = target;
  const run: Run<State, R> = async (folding, attempt) => {
    const { version } = folding;
    if (!fits(expected, version)) throw new ConcurrencyError(streamId, expected, version);
    return await command(folding, attempt);
  };
  const maxRetries = expected === "any" ? retries : 0;
  let attempts = 0;
  const attempt = () => observed(target, ++attempts, runOnce<State, R>, run);
  return await withRetries(store, streamId, maxRetries, attempt);
}

/** Runs an attempt at a command, inside the observer of the store if there is one. */
export function observed<State, Command, R>(
  target: Target<State>,
  attempt: number,
  run: (target: Target<State>, command: Command) => Promise<R>,
  command: Command,
): Promise<R> {
  const { store, aggregate, id } = target;
  const observer = internalsOf(store)?.shared.observer;
  return observer === undefined
    ? run(target, command)
    : around(observer, { name: "command", aggregate, id, attempt }, () => run(target, command));
}

/**
 * Runs a command on a state that is kept, if that turns out to be current, else on one that is loaded. In a transaction
 * no state is kept or used.
 */
async function runOnce<State, R>(target: Target<State>, run: Run<State, R>): Promise<R> {
  const { store, streamId, model, cache } = target;
  const kept = keptOf(target);
  const keyAge = kept?.internals.shared.catalog.sealer?.maxAge;
  const entry = kept?.states.take(kept.key, cache!.maxAge, keyAge);
  let contended = false;
  if (entry !== undefined && model.isIntact(entry.state, entry.version)) {
    if (!entry.contended || await catchUp(kept!, entry)) {
      const ran = await runOnKept(kept!, run, entry);
      if (ran !== undefined) return await checkIn(kept!, entry, ran, entry.contended);
    }
    contended = true;
  }
  const folding = await loadState(store, streamId, model, {});
  try {
    const ran = await run(folding, { pinned: undefined, sent: false });
    return kept === undefined ? ran.result : await checkIn(kept, folding, ran, contended);
  } finally {
    // Begun with the command, and awaited: a serverless process may freeze once it has answered.
    await folding.saving;
  }
}

/** Keeps the state after a command that did not load one. */
export async function keepNew<State, R>(
  target: Target<State>,
  folding: Folding<State>,
  ran: Ran<State, R>,
): Promise<void> {
  const kept = keptOf(target);
  if (kept !== undefined) await checkIn(kept, folding, ran, false);
}

function keptOf<State>(target: Target<State>): Kept<State> | undefined {
  const { store, streamId, model, cache } = target;
  if (cache === undefined) return undefined;
  const { cache: states, internals } = cacheOf<State>(store, cache.owner, cache);
  const key = `${internals.tenantId ?? ""}\0${streamId}`;
  if (internals.transaction === undefined) return { streamId, model, states, key, internals };
  // What it appends is not to be seen before it is committed.
  internals.transaction.onCommit(async () => states.drop(key));
  return undefined;
}

/** Reads what others have stored since; false if the stream is another one by now. */
async function catchUp<State>(
  { internals, streamId, model }: Kept<State>,
  entry: Entry<State>,
): Promise<boolean> {
  const { tenantId = "", shared } = internals;
  let first = true;
  entry.contended = false;
  const options = { from: entry.version };
  for await (
    const events of readStream(internals.session(), shared, tenantId, streamId, options)
  ) {
    for (const event of events) {
      if (!first) {
        step(entry, model, event);
        entry.contended = true;
      } else if (event.id !== entry.eventId) return false;
      first = false;
    }
  }
  return !first;
}

/** Runs a command on a kept state; undefined if that turns out to be old: then its outcome counts for nothing. */
async function runOnKept<State, R>(
  kept: Kept<State>,
  run: Run<State, R>,
  entry: Entry<State>,
): Promise<Ran<State, R> | undefined> {
  const { streamId } = kept;
  const { version } = entry;
  const attempt = { pinned: entry.eventId, sent: false };
  try {
    const ran = await run(entry, attempt);
    // What was stored has been compared; that there was nothing to do has not.
    return ran.events.length > 0 || await isCurrent(kept, entry) ? ran : undefined;
  } catch (error) {
    if (attempt.sent) {
      const conflict = isEventSourceryError(error, "CONCURRENCY") && !error.transactionAborted;
      if (conflict && error.streamId === streamId && error.expected === version) return undefined;
      // An invalid event is found before anything is sent.
      if (!isEventSourceryError(error, "INVALID_EVENT")) throw error;
    }
    // A refusal on an old state, whoever makes it, may be none on the present one.
    if (await isCurrent(kept, entry)) throw error;
    return undefined;
  }
}

async function isCurrent<State>(
  { internals, streamId }: Kept<State>,
  { version, eventId }: Folding<State>,
): Promise<boolean> {
  const { tenantId = "" } = internals;
  const last = { from: version, to: Number.MAX_SAFE_INTEGER, limit: 2, backwards: false };
  const { events } = await internals.session().load({ tenantId, streamId, ...last });
  return events.length === 1 && events[0]!.id === eventId;
}

/** Keeps the state after a command, and leaves a snapshot of it where one is due. */
async function checkIn<State, R>(
  { states, key, internals, streamId, model }: Kept<State>,
  folding: Folding<State>,
  { result, state, events }: Ran<State, R>,
  contended: boolean,
): Promise<R> {
  for (const event of events) pass(folding, event);
  folding.state = state;
  const saving = leaveSnapshot(internals, streamId, model, folding);
  if (model.isIntact(state, folding.version)) states.put(key, folding, contended);
  await saving;
  return result;
}
