import type { Event } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import { checkSession } from "../engine/work.ts";
import { checkName, checkNumber, checkObject, maxInt32 } from "../errors/check.ts";
import { BusyError, UnsupportedError } from "../errors/driver.ts";
import { type Internals, internalsOf } from "../store/internals.ts";
import { type ConsumerStatus, storedStatus } from "./status.ts";

/** A consumer that a database knows, whether any process runs it or not. */
export interface ConsumerInfo
  extends Omit<ConsumerStatus, "head" | "lag" | "oldest" | "published"> {
  /** The tenant whose events it sees; undefined where it sees those of all. */
  readonly tenantId: string | undefined;
  /** Its name. */
  readonly name: string;
  /** Its version; 1 unless it is a projection of another. */
  readonly version: number;
}

/** Names a consumer of a store. */
export interface ConsumerName {
  /** Its name. */
  readonly name: string;
  /** Its version. @default 1 */
  readonly version?: number | undefined;
}

/**
 * Lists the consumers that the database knows, by tenant, name and version: all that ever ran, including those that no
 * process runs any longer. A store that is scoped to a tenant lists that tenant's only.
 *
 * @throws {UnsupportedError} If the driver cannot list them.
 *
 * @example Look for consumers that are in trouble
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
    ...storedStatus(state),
  }));
}

/**
 * Removes a consumer that was retired or renamed, with its checkpoints and parked streams: made again, it begins anew. A
 * worker that still runs it ends with an error. Of a store that is scoped to a tenant, that tenant's consumer is meant.
 *
 * @returns Whether there was one.
 * @throws {TypeError | RangeError} If the name is not a valid one, or the version not a whole number from 1.
 * @throws {BusyError} If a worker holds the lease of one of its lanes: it works on it, or has vanished lately.
 * @throws {UnsupportedError} If the driver cannot remove consumers.
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
  const scope = tenantId === undefined ? undefined : `tenant:${tenantId}`;
  return { checkpoints: driver.checkpoints, scope };
}

function tenantOf(scope: string): string | undefined {
  return scope.startsWith("tenant:") ? scope.slice("tenant:".length) : undefined;
}

function unsupported(action: string): UnsupportedError {
  return new UnsupportedError(action, "this driver cannot");
}
