import type { AppendRequest } from "../driver/append.ts";
import type { Capabilities } from "../driver/driver.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { MatchedHandler } from "./handler.ts";
import type { Accepted, Prepared, Terms } from "./prepare.ts";
import type { LoadOptions } from "./reader.ts";
import type { AppendResult, StreamAppend } from "./writer.ts";
import { record } from "../codec/catalog.ts";
import { isEventSourceryError } from "../errors/guard.ts";
import { UnknownOutcomeError, UnsupportedError } from "../errors/driver.ts";
import { categoryOf } from "../event/stream.ts";
import { around, metadataFor } from "../observe/around.ts";
import { collect, readStream } from "./read.ts";
import { handling, type Scope, sessionOf, type Shared, tell, transact } from "./scope.ts";
import { resend } from "./send.ts";
import { Transaction } from "./transaction.ts";

/** Appends to one or several streams atomically: checks, encodes, stores, calls the handlers and wakes consumers. */
export function append<E extends Event, A extends E, Db, Store>(
  shared: Shared<E, Db, Store>,
  scope: Scope<Db>,
  appends: readonly StreamAppend<A>[],
  publish: boolean,
  terms: Terms,
): Promise<readonly AppendResult<A>[]> {
  const accepted = shared.preparer.accept(appends);
  const { observer } = shared;
  if (observer === undefined) return appendAccepted(shared, scope, accepted, publish, terms);
  const { streamId, category, expectedVersion: expected } = accepted[0]!;
  const { tenantId = "" } = scope;
  const events = accepted.flatMap(({ events }) => events.map(({ id, type }) => ({ id, type })));
  return around(
    observer,
    { name: "append", tenantId, streamId, category, events, expected },
    async () => await appendAccepted<E, A, Db, Store>(shared, scope, accepted, publish, terms),
  );
}

/** Completes, encodes and seals what is accepted, and appends it. */
function appendAccepted<E extends Event, A extends E, Db, Store>(
  shared: Shared<E, Db, Store>,
  scope: Scope<Db>,
  accepted: readonly Accepted[],
  publish: boolean,
  terms: Terms,
): Promise<readonly AppendResult<A>[]> {
  const { tenantId = "" } = scope;
  const metadata = metadataFor(shared.observer, scope.metadata);
  const prepared = shared.preparer.prepare(accepted, tenantId, metadata, publish, terms);
  checkCapabilities(shared.driver.capabilities, prepared.request);
  // Sealing takes a while, in which later appends to the same streams wait.
  const sealed = shared.catalog.sealer?.whenSealed(
    scope.transaction ?? shared,
    () => sessionOf(scope),
    prepared,
    shared.catalog,
  );
  return sealed?.then((found) => appendPrepared(shared, scope, found)) ??
    appendPrepared(shared, scope, prepared);
}

/** Appends what is encoded already, in the tenant of the scope: stores, calls the handlers and wakes consumers. */
export function appendPrepared<E extends Event, A extends E, Db, Store>(
  shared: Shared<E, Db, Store>,
  scope: Scope<Db>,
  prepared: Prepared,
): Promise<readonly AppendResult<A>[]> {
  const selected = shared.handlers.filter(({ matches }) =>
    prepared.streams.some((events, index) => {
      const { category } = prepared.request.writes[index]!;
      return events.some((event) => matches(event, category));
    })
  );
  const work = (inner: Scope<Db>) => store<E, A, Db, Store>(shared, inner, prepared, selected);
  if (selected.length === 0) return work(scope);
  // Inside a transaction this is a savepoint: when a handler throws, only its append is rolled back.
  if (selected.some(({ afterCommit }) => !afterCommit)) return transact(scope, work);
  const transaction = new Transaction(scope.transaction);
  return transaction.run(() => work({ ...scope, transaction }));
}

/** @throws {UnsupportedError} If the driver would ignore a part of the request. */
function checkCapabilities({ expectedEventId }: Capabilities, { writes }: AppendRequest): void {
  if (expectedEventId || writes.every((write) => write.expectedEventId === undefined)) return;
  const reason = 'its driver lacks the capability "expectedEventId"';
  throw new UnsupportedError("expect the id of an event", reason);
}

async function store<E extends Event, A extends E, Db, Store>(
  shared: Shared<E, Db, Store>,
  scope: Scope<Db>,
  { streams, request }: Prepared,
  selected: readonly MatchedHandler<E, Db, Store>[],
): Promise<readonly AppendResult<A>[]> {
  const session = sessionOf(scope);
  const outcome = (await session.append([request]))[0]!;
  const sent = outcome.status === "stored"
    ? { repeated: false, writes: outcome.writes }
    : await resend(session, request, outcome);
  const { tenantId } = request;
  const results: AppendResult<A>[] = [];
  for (const [index, { streamId }] of request.writes.entries()) {
    const { version, positions } = sent.writes[index]!;
    const from = version - positions.length + 1;
    const events = sent.repeated
      ? await loadStored(shared, scope, streamId, { from, to: version })
      : streams[index]!.map((event, i) =>
        record(event, streamId, from + i, positions[i]!, tenantId)
      );
    const result = { streamId, version, position: positions.at(-1)!, events };
    results.push(result as unknown as AppendResult<A>); // the events that were given
  }
  if (sent.repeated) return results;
  if (selected.length > 0) await callHandlers(shared, scope, selected, results);
  wakeConsumers(shared, scope);
  return results;
}

/** Loads events that an earlier call has stored. */
async function loadStored<E extends Event, Db, Store>(
  shared: Shared<E, Db, Store>,
  scope: Scope<Db>,
  streamId: string,
  range: LoadOptions,
): Promise<readonly RecordedEvent<E>[]> {
  const { tenantId = "" } = scope;
  try {
    return (await collect(readStream(sessionOf(scope), shared, tenantId, streamId, range))).flat();
  } catch (cause) {
    // A lost connection would say that nothing is stored.
    if (!isEventSourceryError(cause, "CONNECTION")) throw cause;
    throw new UnknownOutcomeError([streamId], { cause });
  }
}

/** Wakes the consumers as soon as what was done is committed. */
export function wakeConsumers<E extends Event, Db, Store>(
  { wakeUps }: Shared<E, Db, Store>,
  { transaction }: Scope<Db>,
): void {
  if (transaction === undefined) wakeUps.notify();
  else transaction.onCommit(async () => wakeUps.notify());
}

/** Calls the handlers for each event in the order of registration; those for after the commit are only scheduled. */
async function callHandlers<E extends Event, Db, Store>(
  shared: Shared<E, Db, Store>,
  scope: Scope<Db>,
  selected: readonly MatchedHandler<E, Db, Store>[],
  results: readonly AppendResult<E>[],
): Promise<void> {
  const { driver, storeAt } = shared;
  for (const event of results.flatMap(({ events }) => events) as readonly RecordedEvent<E>[]) {
    const inner = handling(scope, event);
    for (const { matches, handler, afterCommit } of selected) {
      if (!matches(event, categoryOf(event.streamId))) continue;
      if (!afterCommit) {
        await handler(event, { store: storeAt(inner), db: scope.session.db });
      } else {
        const store = storeAt({ ...inner, session: driver, transaction: undefined });
        scope.transaction?.onCommit(async () => {
          try {
            await handler(event, { store, db: driver.db });
          } catch (error) {
            await tell(shared, error, { phase: "afterCommit", event });
          }
        });
      }
    }
  }
}
