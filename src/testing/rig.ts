import assert from "node:assert/strict";
import type { NewEvent, StreamWrite } from "../driver/append.ts";
import type { Driver } from "../driver/driver.ts";
import type { ExpectedVersion } from "../driver/version.ts";
import type { EventSourceryErrorCode } from "../errors/base.ts";
import type { Event } from "../event/event.ts";
import type { EventType } from "../event/type.ts";
import { type AnyEventSourceryError, isEventSourceryError } from "../errors/guard.ts";
import { defineEvent } from "../event/define.ts";
import { uuidv7 } from "../event/id.ts";
import { categoryOf, slotOf } from "../event/stream.ts";
import { EventStore } from "../store/store.ts";

/** An event with data of any kind. */
export type Noted = Event<"Noted", unknown>;
/** Makes events with data of any kind. */
export const Noted: EventType<Noted> = defineEvent<unknown>()("Noted");

/** An event without data. */
export type Closed = Event<"Closed", undefined>;
/** Makes events without data. */
export const Closed: EventType<Closed> = defineEvent("Closed");

/** The argument of a case. */
export interface Rig {
  /** The driver, on a store that is empty and migrated. */
  readonly driver: Driver;
  /** A store on the driver. */
  readonly store: EventStore<Noted | Closed>;
  /** Returns a second driver on the same database; the same driver if there cannot be another. */
  readonly second: () => Promise<Driver>;
  /** Runs work in a transaction that the caller opened; undefined if `using` cannot be tested so. */
  readonly begin: (<R>(work: (db: unknown) => Promise<R>) => Promise<R>) | undefined;
}

/** The cases of one capability, by name. */
export type Cases = Readonly<Record<string, (rig: Rig) => Promise<void>>>;

/** Makes a store of the contract's events. */
export function storeOn(driver: Driver): EventStore<Noted | Closed> {
  return new EventStore(driver, { events: [Noted, Closed] });
}

/** Makes events whose data counts up from a number. */
export function notes(count: number, from: number = 1): readonly Noted[] {
  return Array.from({ length: count }, (_, index) => Noted(from + index));
}

/** Returns the data of events, in order. */
export function dataOf(events: readonly Event[]): readonly unknown[] {
  return events.map(({ data }) => data);
}

/** Returns the whole numbers from one to another, both included. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/**
 * Asserts that a promise rejects with an error of this library.
 *
 * @returns The error, narrowed to its class.
 */
export async function rejects<Code extends EventSourceryErrorCode>(
  promise: Promise<unknown>,
  code: Code,
): Promise<Extract<AnyEventSourceryError, { readonly code: Code }>> {
  let found: unknown;
  await assert.rejects(promise, (error) => {
    if (!isEventSourceryError(error, code)) {
      throw new assert.AssertionError({
        message: `Expected an error with code ${code}, got ${String(error)}`,
        actual: error,
        operator: "rejects",
      });
    }
    found = error;
    return true;
  });
  return found as Extract<AnyEventSourceryError, { readonly code: Code }>;
}

/**
 * Waits until all promises are settled, so that nothing of a failed case still runs during the next one.
 *
 * @returns The values, in order; rejects with the error of the first promise in the list that failed.
 */
export async function together<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}

/** Makes an encoded event, as a driver receives it. */
export function newEvent(fields: Partial<NewEvent> = {}): NewEvent {
  return {
    id: uuidv7(),
    type: "Noted",
    schemaVersion: 1,
    createdAt: "2026-01-31T12:00:00.123Z",
    data: null,
    metadata: "{}",
    codec: null,
    tags: [],
    published: false,
    ...fields,
  };
}

/** Makes the write to one stream, as part of a request. */
export function write(
  streamId: string,
  expectedVersion: ExpectedVersion,
  ...events: readonly NewEvent[]
): StreamWrite {
  const slot = slotOf("", streamId);
  return { streamId, category: categoryOf(streamId), slot, expectedVersion, events };
}

/** Wraps cases that need transactions: a driver without them must refuse them, and remain usable. */
export function transactional(cases: Cases): Cases {
  return Object.fromEntries(
    Object.entries(cases).map(([name, run]) => [
      name,
      (rig: Rig) => rig.driver.capabilities.transactions ? run(rig) : refuses(rig),
    ]),
  );
}

/** Checks that a driver refuses what it lacks the capability for, and goes on. */
export async function lacks({ store }: Rig, attempt: () => Promise<unknown>): Promise<void> {
  await rejects(attempt(), "UNSUPPORTED");
  await store.append("refused", Noted("still works"));
  assert.deepEqual(dataOf(await store.load("refused")), ["still works"]);
}

async function refuses(bench: Rig): Promise<void> {
  const { driver, store } = bench;
  let ran = false;
  const work = async () => {
    ran = true;
  };
  await lacks(bench, () => store.transaction(work));
  await rejects(driver.transaction(work), "UNSUPPORTED");
  assert.equal(ran, false, "the work of a refused transaction must not run");
  const subscriptions = { "*": [work] };
  assert.throws(
    () => new EventStore(driver, { events: [Noted], subscriptions }),
    (error) => isEventSourceryError(error, "UNSUPPORTED"),
  );
}
