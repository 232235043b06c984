import type { ConsumerFilter } from "../errors/consumer.ts";
import type { Event } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import type { ConsumerKey } from "../driver/keys.ts";
import { scopeOf } from "../engine/plan.ts";
import { filterOf } from "../engine/registration.ts";
import { checkSession } from "../engine/work.ts";
import { checkName, checkNumber, checkObject, maxInt32 } from "../errors/check.ts";
import { BusyError, UnsupportedError } from "../errors/driver.ts";
import { type Internals, internalsOf } from "../store/internals.ts";
import { type ConsumerStatus, storedStatus } from "./status.ts";

/**
 * A consumer that is registered in a database, whether any process runs it or not.
 *
 * @category Consumers
 */
export interface ConsumerInfo
  extends Omit<ConsumerStatus, "head" | "lag" | "oldest" | "published"> {
  /** The tenant whose events it handles; undefined if it handles those of all tenants. */
  readonly tenantId: string | undefined;
  /** The name it was created with. */
  readonly name: string;
  /** Its version; 1 unless it is a projection with another. */
  readonly version: number;
  /** The events that it wants. */
  readonly filter: ConsumerFilter;
}

/**
 * Identifies a consumer of a store.
 *
 * @category Consumers
 */
export interface ConsumerName {
  /** The name it was created with. */
  readonly name: string;
  /** Its version; only projections have others. @default 1 */
  readonly version?: number | undefined;
}

/**
 * Lists the registered consumers by tenant, name and version: all that ever ran, including those that no process runs
 * any longer. A store that is scoped to a tenant lists only that tenant's consumers.
 *
 * @throws {UnsupportedError} If the driver cannot list them.
 *
 * @category Consumers
 *
 * @example Find consumers with parked streams or errors
 * ```ts
 * import { consumers, defineEvent, EventStore, Outbox } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const store = new EventStore(memory(), { events: [defineEvent("OrderPlaced")] });
 * await new Outbox(store, { publisher() {} }).runOnce();
 *
 * const known = await consumers(store);
 * assert.deepEqual(known.map(({ name }) => name), ["outbox"]);
 * assert.deepEqual(known.filter(({ parked, error }) => parked > 0 || error !== undefined), []);
 * ```
 */
export async function consumers<E extends Event, Db>(
  store: EventStore<E, Db>,
): Promise<readonly ConsumerInfo[]> {
  const { checkpoints, scope } = partsOf(store);
  if (checkpoints.list === undefined) throw unsupported("list the consumers");
  const states = await checkpoints.list(scope === undefined ? {} : { scope });
  return states.map((state) => ({
    tenantId: tenantOf(state.scope),
    name: state.name,
    version: state.version,
    filter: filterOf(state.filter),
    ...storedStatus(state),
  }));
}

/**
 * Removes a consumer that was retired or renamed, with its checkpoints and parked streams: created again, it starts
 * anew. A worker that still runs it ends with an error. With a store that is scoped to a tenant, removes that tenant's
 * consumer.
 *
 * @returns Whether it existed.
 * @throws {TypeError | RangeError} If the name is malformed, or the version not a whole number from 1.
 * @throws {BusyError} If a worker holds the lease of one of its lanes: it is running, or has vanished recently.
 * @throws {UnsupportedError} If the driver cannot remove consumers.
 *
 * @category Consumers
 *
 * @example Remove a consumer that was renamed
 * ```ts
 * import { defineEvent, EventStore, forgetConsumer, Outbox } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const store = new EventStore(memory(), { events: [defineEvent("OrderPlaced")] });
 * await new Outbox(store, { name: "old", publisher() {} }).runOnce();
 *
 * assert.equal(await forgetConsumer(store, { name: "old" }), true);
 * assert.equal(await forgetConsumer(store, { name: "old" }), false);
 * ```
 */
export async function forgetConsumer<E extends Event, Db>(
  store: EventStore<E, Db>,
  consumer: ConsumerName,
): Promise<boolean> {
  const { name, version = 1 } = checkObject("consumer", consumer);
  checkName("name", name);
  checkNumber("version", version, 1, maxInt32);
  const { checkpoints, scope = "all" } = partsOf(store);
  if (checkpoints.forget === undefined) throw unsupported("forget a consumer");
  const outcome = await checkpoints.forget({ scope, name, version });
  if (outcome === "leased") throw new BusyError(0, { consumer: name });
  return outcome === "forgotten";
}

/** The scope of a consumer's key is undefined where the store sees all tenants. */
function partsOf(store: object) {
  const internals: Internals<Event, unknown> | undefined = internalsOf(store);
  if (internals === undefined) throw new TypeError("store must be an event store");
  const { tenantId, shared: { driver } } = internals;
  checkSession(driver);
  const scope = tenantId === undefined ? undefined : scopeOf(tenantId);
  return { checkpoints: driver.checkpoints, scope };
}

/** Returns the key under which a driver keeps a consumer. */
export function keyOf({ tenantId, name, version }: ConsumerInfo): ConsumerKey {
  return { scope: scopeOf(tenantId), name, version };
}

function tenantOf(scope: string): string | undefined {
  return scope.startsWith("tenant:") ? scope.slice("tenant:".length) : undefined;
}

function unsupported(action: string): UnsupportedError {
  return new UnsupportedError(action, "this driver cannot");
}
