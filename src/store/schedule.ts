import type { Schedule } from "../driver/schedule.ts";
import type { Event } from "../event/event.ts";
import { checkBoolean, checkInstant, checkName, checkObject } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { DuplicateEventError } from "../errors/store.ts";
import { metadataFor } from "../observe/around.ts";
import { wakeConsumers } from "./append.ts";
import { type Scope, sessionOf, type Shared } from "./scope.ts";
import type { Scheduled, ScheduleOptions } from "./writer.ts";

/** Keeps an event until it is due, complete and encoded as an append would store it. */
export async function schedule<E extends Event, Db, Store>(
  shared: Shared<E, Db, Store>,
  scope: Scope<Db>,
  streamId: string,
  event: Event,
  options: ScheduleOptions,
): Promise<Scheduled> {
  const { at, publish = false } = checkObject("options", options);
  checkInstant("at", at);
  checkBoolean("publish", publish);
  const waiting = scheduleOf(shared, scope);
  const { tenantId = "" } = scope;
  const metadata = { ...metadataFor(shared.observer, scope.metadata), dueAt: at };
  const accepted = shared.preparer.accept([{ streamId, events: checkObject("event", event) }]);
  const prepared = shared.preparer.prepare(accepted, tenantId, metadata, publish);
  const owner = scope.transaction ?? shared;
  const { catalog } = shared;
  const sealed = catalog.sealer?.whenSealed(owner, () => sessionOf(scope), prepared, catalog);
  const { request } = await sealed ?? prepared;
  const { createdAt: _, ...encoded } = request.writes[0]!.events[0]!;
  const kept = await waiting.add({ ...encoded, tenantId, streamId, dueAt: at.getTime() });
  if (kept.streamId !== streamId) throw new DuplicateEventError(encoded.id);
  // A scheduler that sleeps until a later event has to look again.
  wakeConsumers(shared, scope);
  return { id: encoded.id, streamId, at: new Date(kept.dueAt) };
}

/** Takes back an event that waits. */
export async function unschedule<E extends Event, Db, Store>(
  shared: Shared<E, Db, Store>,
  scope: Scope<Db>,
  id: string,
): Promise<boolean> {
  checkName("id", id);
  return await scheduleOf(shared, scope).remove(scope.tenantId ?? "", id);
}

/** @throws {UnsupportedError} If nothing could ever be delivered exactly once. */
function scheduleOf<E extends Event, Db, Store>(
  { driver }: Shared<E, Db, Store>,
  scope: Scope<Db>,
): Schedule {
  const { schedule } = sessionOf(scope);
  if (schedule !== undefined && driver.capabilities.transactions) return schedule;
  throw new UnsupportedError(
    "schedule an event",
    schedule === undefined
      ? "its driver keeps no scheduled events"
      : "this database handle has no interactive transactions",
  );
}
