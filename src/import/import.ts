import type { AppendRequest, StreamWrite } from "../driver/append.ts";
import type { Event } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import type { Shared } from "../store/scope.ts";
import { checkNumber, checkObject, wrongType } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { internalsOf } from "../store/internals.ts";
import { storeBatch } from "./batch.ts";
import type { ImportResult } from "./result.ts";

/**
 * An event to be imported, and its stream.
 *
 * @category Import
 */
export interface ImportedEvent<E extends Event = Event> {
  /** The stream that it belongs to; its events come in their order. */
  readonly streamId: string;
  /** The event, made by its type with the id and the time that it had: `Placed(data, { id, createdAt, metadata })`. */
  readonly event: E;
}

/**
 * Options of an import.
 *
 * @category Import
 */
export interface ImportOptions {
  /** The number of events that are stored together, from 1 to 10,000. @default 500 */
  readonly batchSize?: number | undefined;
}

/**
 * Brings in the events of another log. They are history: each is stored with a mark, in-transaction subscriptions do not
 * run, and nothing is published. A consumer that exists handles them like others, with `replaying` set in its context,
 * by which it can leave out mails; one that is made later with `from: "now"` never sees them.
 *
 * A batch is stored as a whole, or not at all. It may be run again, also with other batches, after it was interrupted or
 * when the source has grown: what is stored already is passed over.
 *
 * @param store The store of the event types, outside of a transaction; one of a tenant imports for that tenant.
 * @param source The events; each stream's in its order, the streams mixed as they happened.
 * @param options The size of a batch.
 * @throws {UnsupportedError} If the driver cannot store that events are imported; nothing was read then.
 * @throws {DuplicateEventError} If an id is used in another stream, or an event comes before one that is stored.
 * @throws {UnknownEventTypeError} If an event is of a type that is not among the store's events.
 * @throws {TypeError | RangeError} If an argument, or an item of the source, is malformed.
 *
 * @category Import
 *
 * @example Rows of an old table
 * ```ts
 * import { defineEvent, EventStore, importEvents } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Deposited = defineEvent<number>()("Deposited");
 * const store = new EventStore(memory(), { events: [Deposited] });
 * const rows = [{ key: "17", account: "ada", amount: 5, at: "2021-05-01T10:00:00Z" }];
 *
 * const source = rows.map(({ key, account, amount, at }) => ({
 *   streamId: `account:${account}`,
 *   event: Deposited(amount, { id: key, createdAt: new Date(at) }),
 * }));
 * assert.deepEqual(await importEvents(store, source), { imported: 1, known: 0, position: 1 });
 * assert.deepEqual(await importEvents(store, source), { imported: 0, known: 1, position: 1 });
 * ```
 */
export async function importEvents<E extends Event, Db>(
  store: EventStore<E, Db>,
  source: Iterable<ImportedEvent<NoInfer<E>>> | AsyncIterable<ImportedEvent<NoInfer<E>>>,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const internals = internalsOf<E, Db>(store);
  if (internals === undefined) throw new TypeError("store must be an event store");
  if (internals.transaction !== undefined) {
    throw new TypeError("store must be one outside of transactions");
  }
  const { batchSize = 500 } = checkObject("options", options);
  checkNumber("batchSize", batchSize, 1, 10_000);
  if (!isIterable(source)) {
    throw wrongType("source", "iterable or async iterable", source);
  }
  const { shared, tenantId = "" } = internals;
  const { driver, wakeUps } = shared;
  if (!driver.capabilities.imported) {
    throw new UnsupportedError("import events", 'its driver lacks the capability "imported"');
  }
  const result = { imported: 0, known: 0, position: 0 };
  const flush = async (batch: readonly ImportedEvent<E>[]) => {
    const stored = await storeBatch(driver, await requestOf(shared, tenantId, batch));
    result.imported += stored.imported;
    result.known += stored.known;
    result.position = Math.max(result.position, stored.position);
    if (stored.imported > 0) wakeUps.notify();
  };
  let batch: ImportedEvent<E>[] = [];
  for await (const item of source) {
    batch.push(checkItem(item, result.imported + result.known + batch.length));
    if (batch.length < batchSize) continue;
    await flush(batch);
    batch = [];
  }
  if (batch.length > 0) await flush(batch);
  return result;
}

/** Makes the request of a batch: its streams, each with its events in order. */
async function requestOf<E extends Event, Db>(
  { driver, catalog, preparer }: Pick<Shared<E, Db, unknown>, "driver" | "catalog" | "preparer">,
  tenantId: string,
  batch: readonly ImportedEvent<E>[],
): Promise<AppendRequest> {
  const streams = new Map<string, E[]>();
  for (const { streamId, event } of batch) {
    const events = streams.get(streamId);
    if (events === undefined) streams.set(streamId, [event]);
    else events.push(event);
  }
  const appends = [...streams].map(([streamId, events]) => ({ streamId, events }));
  const prepared = preparer.prepare(preparer.accept(appends), tenantId, {}, false);
  const sealed = catalog.sealer?.whenSealed(driver, () => driver, prepared, catalog);
  const { request } = await sealed ?? prepared;
  const writes = request.writes.map((write): StreamWrite => ({
    ...write,
    events: write.events.map((event) => ({ ...event, published: false, imported: true })),
  }));
  return { tenantId, writes };
}

function checkItem<E extends Event>(item: ImportedEvent<E>, index: number): ImportedEvent<E> {
  const { streamId, event } = checkObject(`item ${index} of source`, item);
  return { streamId, event };
}

function isIterable(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
}
