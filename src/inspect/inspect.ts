import type { Consumer, Event, EventStore } from "../../mod.ts";
import { checkFunction, checkNumber, checkObject } from "../errors/check.ts";
import type { CatalogOptions } from "../evolution/catalog.ts";
import { catalogueOf } from "./catalogue.ts";
import { deliveriesOf, inspectConsumers, knownKeys } from "./consumers.ts";
import { inspected } from "./event.ts";
import type { Inspector } from "./inspector.ts";
import { searchLog } from "./log.ts";
import { parked, parkedGroups } from "./parked.ts";
import { rate } from "./rate.ts";
import { sourceOf } from "./source.ts";
import { stateDiff, stateOf, type StateSource } from "./state.ts";
import { searchStreams, streamEvents, touched } from "./stream.ts";
import { caused, findEvent, traced } from "./trace.ts";
import { typesWithin } from "./types.ts";

/**
 * Options of an inspector.
 *
 * @category Inspect
 */
export interface InspectOptions {
  /** How the states of streams are made, by category. @default none: states are not shown */
  readonly aggregates?: Readonly<Record<string, StateSource>> | undefined;
  /**
   * The consumers of the application: those in the database that are none of them are marked, as after a rename.
   * @default none is marked
   */
  readonly consumers?: readonly Consumer[] | undefined;
  /** Describes schemas in the catalogue, as for `eventCatalog`. @default the schema's own `jsonSchema.output` */
  readonly toJsonSchema?: CatalogOptions["toJsonSchema"];
  /** How many positions of the log a search goes through, and the most events of a state. @default 100_000 */
  readonly budget?: number | undefined;
  /**
   * Whether sensitive fields are shown as their masks, those that were stored before they were sensitive, too, or as the
   * store reads them. @default "reveal"
   */
  readonly sensitive?: "mask" | "reveal" | undefined;
  /**
   * Whether data, tags, metadata and states are shown, or only their types and lengths: `customer: "string(12)"`. Errors of
   * others, which may quote data, are then shown by their code or length. @default "values"
   */
  readonly data?: "values" | "shape" | undefined;
  /** How long an event may wait for a consumer that is well, in milliseconds. @default 300_000 */
  readonly maxAge?: number | undefined;
}

/**
 * Makes an inspector of a store: it only reads, each of its queries has a budget, and none fails for an event that the
 * store cannot read.
 *
 * @param store The store; scoped to a tenant, the inspector shows only that tenant. One without a scope shows the log of
 * all tenants, and streams, events by id and flows of the tenant `""`. The inspector shows what its store reads, and with
 * `sensitive: "mask"` no personal data; one with `events: [], unknownEvents: "keep"` reads everything without any
 * code of the application.
 * @throws {TypeError | RangeError} If the store is not one, or an option is malformed.
 *
 * @category Inspect
 *
 * @example Look at the newest events, and at a state as it was
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { inspect } from "event-sourcery/inspect";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Paid = defineEvent<{ cents: number }>()("Paid");
 * const store = new EventStore(memory(), { events: [Paid] });
 * await store.append("order:1", [Paid({ cents: 900 }), Paid({ cents: 100 })]);
 *
 * const order = (events: readonly { data: { cents: number } }[]) => ({
 *   cents: events.reduce((sum, { data }) => sum + data.cents, 0),
 * });
 * const inspector = inspect(store, { aggregates: { order } });
 *
 * const { events, complete } = await inspector.log({ limit: 1 });
 * assert.deepEqual([events[0]?.event?.data, complete], [{ cents: 100 }, false]);
 * assert.deepEqual((await inspector.state("order:1", { version: 1 }))?.state, { cents: 900 });
 * ```
 */
export function inspect<E extends Event, Db>(
  store: EventStore<E, Db>,
  options: InspectOptions = {},
): Inspector<E> {
  const { aggregates = {}, budget = 100_000, maxAge = 300_000 } = checkObject("options", options);
  const { consumers, sensitive = "reveal", data = "values", toJsonSchema } = options;
  if (toJsonSchema !== undefined) checkFunction("toJsonSchema", toJsonSchema);
  checkObject("aggregates", aggregates);
  checkNumber("budget", budget, 1);
  checkNumber("maxAge", maxAge, 1);
  if (sensitive !== "mask" && sensitive !== "reveal") {
    throw new TypeError('sensitive must be "mask" or "reveal"');
  }
  if (data !== "values" && data !== "shape") {
    throw new TypeError('data must be "values" or "shape"');
  }
  const source = sourceOf(store, budget, sensitive === "mask", data === "shape");
  const known = consumers && knownKeys(consumers);
  return {
    log: (search = {}) => searchLog(source, search),
    async event(id) {
      const stored = await findEvent(source, id);
      return stored && (await inspected(source, [stored]))[0];
    },
    streams: (search = {}) => searchStreams(source, search),
    touched: (search = {}) => touched(source, search),
    stream: (streamId, range = {}) => streamEvents(source, streamId, range),
    trace: (correlationId, search = {}) => traced(source, correlationId, search),
    caused: (id, search = {}) => caused(source, id, search),
    state: (streamId, asOf = {}) => stateOf(source, aggregates, streamId, asOf),
    diff: (streamId, from, to) => stateDiff(source, aggregates, streamId, from, to),
    rate: (search) => rate(source, search),
    types: (search = {}) => typesWithin(source, search),
    catalogue: () => catalogueOf(source, toJsonSchema),
    position: () => store.position(),
    positionAt: (date) => store.positionAt(date),
    consumers: () => inspectConsumers(source, maxAge, known),
    deliveries: (event) => deliveriesOf(source, event),
    parked: (search = {}) => parked(source, search),
    parkedGroups: (search = {}) => parkedGroups(source, search),
  };
}
