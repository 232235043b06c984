import { checkNumber, checkObject } from "../errors/check.ts";
import type { OtelAttributes, OtelGaugeMeter, OtelResult } from "./api.ts";

/**
 * What gauges are read from: an inspector of `event-sourcery/inspect`.
 *
 * @category OpenTelemetry
 */
export interface GaugeSource {
  /** Lists the consumers with how they are. */
  readonly consumers: () => Promise<readonly GaugedConsumer[]>;
  /** Returns the settled position of the log. */
  readonly position: () => Promise<number>;
}

/**
 * How a consumer is.
 *
 * @category OpenTelemetry
 */
export interface GaugedConsumer {
  /** Its name. */
  readonly name: string;
  /** Its version. */
  readonly version: number;
  /** The tenant that it is scoped to; undefined if to none. */
  readonly tenantId?: string | undefined;
  /** The positions from its checkpoint to the head. */
  readonly lag: number;
  /** The age of the first event that waits, in milliseconds; 0 if none. */
  readonly age: number;
  /** The number of streams that wait for a person. */
  readonly parked: number;
  /** The number of parked streams that are retried. */
  readonly retrying: number;
  /** Its lanes, and the workers that hold them. */
  readonly lanes: readonly { readonly owner: string | undefined }[];
}

/**
 * Options of `gauges`.
 *
 * @category OpenTelemetry
 */
export interface GaugeOptions<Gauge> {
  /** The meter, `metrics.getMeter(name)`. */
  readonly meter: OtelGaugeMeter<Gauge>;
  /** The inspector, `inspect(store)`. */
  readonly inspector: GaugeSource;
  /** How long an answer is used again, in milliseconds, so that many readers ask the database once. @default 5000 */
  readonly maxAge?: number | undefined;
}

/** The gauges of a consumer: name, description, unit and value. */
const perConsumer: readonly (readonly [
  name: string,
  description: string,
  unit: string,
  value: (consumer: GaugedConsumer) => number,
])[] = [
  ["lag", "The positions from its checkpoint to the head.", "{event}", ({ lag }) => lag],
  ["age", "The age of the first event that waits; 0 if none.", "s", ({ age }) => age / 1000],
  ["parked", "Parked streams that wait for a person.", "{stream}", ({ parked }) => parked],
  ["retrying", "Parked streams that are retried.", "{stream}", ({ retrying }) => retrying],
  [
    "leases",
    "Lanes that a worker holds.",
    "{lane}",
    ({ lanes }) => lanes.filter(({ owner }) => owner !== undefined).length,
  ],
];

/**
 * Has a meter show the head of the log and the state of all consumers, whichever process runs them. In one process is
 * enough: each shows the same values, the database's.
 *
 * @returns A function that ends it.
 * @throws {TypeError | RangeError} If an option is malformed.
 *
 * @category OpenTelemetry
 *
 * @example Once, beside the store
 * ```ts
 * import { metrics } from "@opentelemetry/api";
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { inspect } from "event-sourcery/inspect";
 * import { memory } from "event-sourcery/memory";
 * import { gauges } from "event-sourcery/otel";
 *
 * const store = new EventStore(memory(), { events: [defineEvent("Paid")] });
 * const stop = gauges({ meter: metrics.getMeter("shop"), inspector: inspect(store) });
 * stop(); // when the process ends
 * ```
 */
export function gauges<Gauge>(options: GaugeOptions<Gauge>): () => void {
  const { meter, inspector, maxAge = 5000 } = checkObject("options", options);
  checkNumber("maxAge", maxAge);
  const make = (name: string, description: string, unit: string) =>
    meter.createObservableGauge(`event_sourcery.${name}`, { description, unit });
  const head = make("head", "The settled position of the log.", "{event}");
  const rows = perConsumer.map(([name, description, unit, value]) => ({
    gauge: make(`consumer.${name}`, description, unit),
    value,
  }));
  let state: Promise<readonly [readonly GaugedConsumer[], number]> | undefined;
  let readAt = -Infinity;
  const read = async (result: OtelResult<Gauge>): Promise<void> => {
    if (state === undefined || performance.now() - readAt >= maxAge) {
      readAt = performance.now();
      state = Promise.all([inspector.consumers(), inspector.position()]);
    }
    const asked = state;
    try {
      const [consumers, position] = await asked;
      result.observe(head, position);
      for (const consumer of consumers) {
        for (const { gauge, value } of rows) {
          result.observe(gauge, value(consumer), attributesOf(consumer));
        }
      }
    } catch (error) {
      if (state === asked) state = undefined;
      throw error;
    }
  };
  const all = [head, ...rows.map(({ gauge }) => gauge)];
  meter.addBatchObservableCallback(read, all);
  return () => meter.removeBatchObservableCallback(read, all);
}

function attributesOf({ name, version, tenantId }: GaugedConsumer): OtelAttributes {
  return { consumer: name, version, ...(tenantId !== undefined && { tenant: tenantId }) };
}
