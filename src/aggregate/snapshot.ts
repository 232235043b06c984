import type { Session } from "../driver/driver.ts";
import type {
  NewSnapshot,
  SnapshotPage,
  SnapshotQuery,
  Snapshots,
  StoredSnapshot,
} from "../driver/snapshots.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import { decode } from "../codec/decode.ts";
import { encode } from "../codec/encode.ts";
import { isSealed } from "../codec/sealer.ts";
import { checkInstant, checkName, checkNumber, checkObject } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { isEventSourceryError } from "../errors/guard.ts";
import { SnapshotError } from "../errors/store.ts";
import { copyData, Unstorable } from "../event/copy.ts";
import { aroundLoad } from "../observe/load.ts";
import { type Internals, internalsOf } from "../store/internals.ts";
import type { EventReader } from "../store/reader.ts";
import { pageSize, readStream } from "../store/read.ts";
import { tell } from "../store/scope.ts";
import { blank, type Folding, type Keeping, type Model, step } from "./model.ts";

/**
 * How the states of long streams are kept, so that a command need not read all of their events.
 *
 * @category Aggregates
 */
export interface SnapshotOptions {
  /** After how many events since the last snapshot another one is kept, a whole number from 1. @default 100 */
  readonly every?: number | undefined;
  /** Tells the snapshots of two models over the same streams apart. @default "aggregate", or "decider" */
  readonly kind?: string | undefined;
}

/** The most characters of a snapshot's JSON. */
const maxSize = 1024 * 1024;

/** The stores and kinds whose last snapshot failed: each failure is reported once, until one succeeds. */
const failing: WeakMap<object, Set<string>> = new WeakMap();

/** The most keys that a snapshot is sealed under. */
const mostKeys = 8;

/** Checks the options, and completes them. */
export function readSnapshotOptions(
  options: SnapshotOptions,
  kind: string,
  stateVersion: number = 1,
): Keeping {
  const { every = 100, kind: given = kind } = checkObject("snapshots", options);
  checkNumber("snapshots.every", every, 1);
  checkName("snapshots.kind", given);
  checkNumber("stateVersion", stateVersion, 1, 2 ** 31 - 1);
  return { kind: given, stateVersion, every };
}

/**
 * Returns the internals of a store whose driver keeps snapshots.
 *
 * @throws {UnsupportedError} If it keeps none.
 */
export function needSnapshots<E extends Event>(store: object): Internals<E, unknown> {
  const internals = internalsOf<E, unknown>(store);
  if (internals?.shared.driver.snapshots !== undefined) return internals;
  throw new UnsupportedError("keep snapshots", "its driver has no `snapshots`");
}

/**
 * Loads a state from its snapshot, if snapshots are kept, and the events after it; after many of these it leaves another
 * snapshot, of what is committed and before any command runs on it.
 *
 * @returns The state; `saving` settles when the snapshot that this load leaves is kept, and never rejects.
 */
export async function loadState<State>(
  store: object,
  streamId: string,
  model: Model<State>,
  { to, at }: { readonly to?: number | undefined; readonly at?: Date | undefined },
): Promise<Folding<State> & { readonly saving: Promise<void> | undefined }> {
  if (at !== undefined) checkInstant("at", at);
  const internals = model.keeping ? needSnapshots(store) : internalsOf<Event, unknown>(store);
  if (internals === undefined) {
    // A store of another copy of this package.
    const folding = await (store as EventReader).fold(streamId, blank(model), (folding, event) => {
      step(folding, model, event);
      return folding;
    }, { to, at });
    return { ...folding, saving: undefined };
  }
  const { tenantId = "", shared } = internals;
  const { catalog, observer } = shared;
  const session = internals.session();
  const query = model.keeping && {
    ...{ tenantId, streamId, kind: model.keeping.kind, stateVersion: model.keeping.stateVersion },
    ...{ to: to ?? Number.MAX_SAFE_INTEGER, at: at?.toISOString(), limit: pageSize },
  };
  const page = query &&
    await (observer === undefined
      ? readPage(internals, query)
      : aroundLoad(observer, query, () => readPage(internals, query)));
  const start = page?.snapshot && await bringBack(internals, streamId, model, page.snapshot);
  const folding = start ?? blank(model);
  async function* pages(): AsyncGenerator<readonly RecordedEvent[]> {
    // A snapshot that cannot be used hides the events before it.
    if (page === undefined || (page.snapshot !== undefined && start === undefined)) {
      return yield* readStream(session, shared, tenantId, streamId, { to });
    }
    if (page.events.length > 0) {
      yield await catalog.decodeAll(session, page.events);
    }
    if (!page.more) return;
    const before = page.events.at(-1)!;
    const options = { from: before.version, to };
    yield* readStream(session, shared, tenantId, streamId, options, before);
  }
  fold: for await (const events of pages()) {
    for (const event of events) {
      if (at !== undefined && event.createdAt.getTime() > at.getTime()) break fold;
      step(folding, model, event);
    }
  }
  const last = to === undefined && at === undefined;
  const saving = last ? leaveSnapshot(internals, streamId, model, folding) : undefined;
  return { ...folding, saving };
}

/** Reads the snapshot and the first page after it; undefined, and a report, where the database refuses just that. */
async function readPage(
  internals: Internals<Event, unknown>,
  query: SnapshotQuery,
): Promise<SnapshotPage | undefined> {
  try {
    return await internals.session().snapshots!.load(query);
  } catch (error) {
    // In a transaction, the refusal may have aborted it.
    const refused = isEventSourceryError(error, "DRIVER") ||
      isEventSourceryError(error, "MISSING_SCHEMA");
    if (!refused || internals.transaction !== undefined) throw error;
    report(internals, query.streamId, query.kind, "it cannot be read", error);
    return undefined;
  }
}

/**
 * Makes the state of a snapshot; undefined, and a report, if that cannot be done. One that is sealed under the key of a
 * forgotten subject is passed over: the events tell what is left.
 */
async function bringBack<State>(
  internals: Internals<Event, unknown>,
  streamId: string,
  model: Model<State>,
  snapshot: StoredSnapshot,
): Promise<Folding<State> | undefined> {
  const { version, eventId, latestAt } = snapshot;
  try {
    const { tenantId = "", shared: { catalog: { sealer } } } = internals;
    const key = { tenantId, streamId, ...model.keeping! };
    const opened = isSealed(snapshot)
      ? await sealer?.openSnapshot(internals.session(), key, snapshot)
      : { ...snapshot, keys: [] };
    if (opened === undefined) return undefined;
    const { data, codec, keys } = opened;
    // Not frozen: an aggregate goes on with it.
    const { state, createdAt, updatedAt } = checkObject(
      "snapshot",
      decode(data, "/data", codec, false) as Record<"state" | "createdAt" | "updatedAt", unknown>,
    );
    checkInstant("createdAt", createdAt);
    checkInstant("updatedAt", updatedAt);
    return {
      ...{ state: model.restore(state, version), version, eventId, createdAt, updatedAt },
      ...{ latest: Date.parse(latestAt), replayed: 0, keys: new Set(keys), unknown: false },
      openedAt: keys.length > 0 ? Date.now() : Infinity,
    };
  } catch (cause) {
    report(internals, streamId, model.keeping!.kind, "it cannot be restored", cause);
    return undefined;
  }
}

/**
 * Keeps a snapshot of a state as it is now, if one is due; what fails is reported, and costs the caller nothing.
 *
 * @returns Settles when it is kept; undefined if nothing is under way.
 */
export function leaveSnapshot<State>(
  internals: Internals<Event, unknown>,
  streamId: string,
  { keeping, capture }: Model<State>,
  folding: Folding<State>,
): Promise<void> | undefined {
  const { transaction, shared: { driver, catalog } } = internals;
  if (keeping === undefined || folding.unknown || folding.replayed < keeping.every) {
    return undefined;
  }
  if (catalog.masks) return undefined; // others would take its masks for the state
  const row = encodeState(internals, streamId, keeping, capture, folding);
  folding.replayed = 0;
  const keys = [...folding.keys].sort();
  // Each key is another layer.
  if (row === undefined || keys.length > mostKeys) return undefined;
  // In a transaction a failed statement would abort it, and a single connection is held by it.
  if (transaction === undefined) return save(internals, driver, row, keys);
  transaction.onCommit(() => save(internals, driver, row, keys));
  return undefined;
}

function encodeState<State>(
  internals: Internals<Event, unknown>,
  streamId: string,
  { kind, stateVersion }: Keeping,
  capture: Model<State>["capture"],
  { state, version, eventId, createdAt, updatedAt, latest }: Folding<State>,
): NewSnapshot | undefined {
  try {
    const plain = capture(state);
    if (plain === undefined) return undefined;
    const { data, codec } = encode(copyData({ state: plain, createdAt, updatedAt }), {});
    const size = data!.length + (codec?.length ?? 0);
    if (size > maxSize) {
      const reason = `it has more than ${maxSize} characters`;
      return void report(internals, streamId, kind, reason);
    }
    return {
      ...{ tenantId: internals.tenantId ?? "", streamId, kind, stateVersion, version, eventId },
      ...{ latestAt: new Date(latest).toISOString(), data: data!, codec },
      savedAt: new Date().toISOString(),
    };
  } catch (cause) {
    const reason = cause instanceof Unstorable
      ? `${cause.issue.message} at ${cause.issue.path.map(String).join(".")}`
      : "taking it threw";
    return void report(internals, streamId, kind, reason, cause);
  }
}

async function save(
  internals: Internals<Event, unknown>,
  driver: Session<unknown>,
  row: NewSnapshot,
  keys: readonly string[],
): Promise<void> {
  try {
    const { sealer } = internals.shared.catalog;
    const sealed = keys.length === 0 ? row : await sealer?.sealSnapshot(driver, row, keys);
    if (sealed !== undefined) await (driver.snapshots as Snapshots).save(sealed);
    failing.get(internals.shared)?.delete(row.kind);
  } catch (cause) {
    report(internals, row.streamId, row.kind, "it cannot be kept", cause);
  }
}

/** Tells the store's owner of a failure; for a kind only once, until a snapshot is kept. */
function report(
  { shared }: Internals<Event, unknown>,
  streamId: string,
  kind: string,
  reason: string,
  cause?: unknown,
): void {
  const kinds = failing.get(shared) ?? new Set();
  failing.set(shared, kinds);
  if (kinds.has(kind)) return;
  kinds.add(kind);
  const error = new SnapshotError(streamId, kind, reason, { cause });
  void tell(shared, error, { phase: "snapshot", streamId });
}
