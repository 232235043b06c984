import { checkNumber, checkObject } from "../../errors/check.ts";
import type { InspectedConsumer } from "../consumers.ts";
import type { Inspector } from "../inspector.ts";

/**
 * Options of `metrics`.
 *
 * @category Inspect
 */
export interface MetricsOptions {
  /** How long an answer is used again, in milliseconds, so that many scrapers ask the database once. @default 5000 */
  readonly maxAge?: number | undefined;
}

/** A gauge of each consumer: its name, what it says, and its value; undefined where it has none. */
type Gauge = readonly [
  name: string,
  help: string,
  value: (consumer: InspectedConsumer) => number | undefined,
];

const gauges: readonly Gauge[] = [
  ["position", "Its checkpoint, a position of the log.", ({ position }) => position],
  ["lag", "The positions from its checkpoint to the head.", ({ lag }) => lag],
  ["age_seconds", "The age of the first event that waits; 0 if none.", ({ age }) => age / 1000],
  ["retrying", "Parked streams that are retried by themselves.", ({ retrying }) => retrying],
  ["parked", "Parked streams that wait for a person.", ({ parked }) => parked],
  [
    "leases",
    "Lanes that a worker holds.",
    ({ lanes }) => lanes.filter(({ owner }) => owner !== undefined).length,
  ],
  [
    "crashes",
    "How often in a row workers of its lanes vanished.",
    ({ lanes }) => lanes.reduce((sum, { crashes }) => sum + crashes, 0),
  ],
  ["stalled", "Whether nothing succeeds.", ({ stalled }) => Number(stalled)],
  ["misconfigured", "Whether an error ended its run.", ({ error }) => Number(error !== undefined)],
  ["seen_timestamp_seconds", "When a process that runs it last showed a sign of life.", (
    { seenAt },
  ) => seenAt && seenAt.getTime() / 1000],
];

/**
 * Makes a handler of HTTP requests that answers with the head of the log and the state of all consumers, in the text
 * format of Prometheus. Scraped by several processes, each gives the same values: they are the database's.
 *
 * @returns A fetch handler. It answers 503 while the database cannot be asked.
 * @throws {TypeError | RangeError} If an option is malformed.
 *
 * @category Inspect
 *
 * @example Serve metrics
 * ```ts
 * import { defineEvent, EventStore, Outbox } from "event-sourcery";
 * import { inspect, metrics } from "event-sourcery/inspect";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const store = new EventStore(memory(), { events: [defineEvent("Paid")] });
 * await new Outbox(store, { publisher() {} }).runOnce();
 *
 * const handler = metrics(inspect(store)); // app.get("/metrics", ({ req }) => handler(req.raw))
 * const text = await (await handler(new Request("http://localhost/metrics"))).text();
 * assert.match(text, /^event_sourcery_consumer_parked\{consumer="outbox",version="1"\} 0$/m);
 * ```
 */
export function metrics(
  inspector: Pick<Inspector, "consumers" | "position">,
  options: MetricsOptions = {},
): (request?: Request) => Promise<Response> {
  const { maxAge = 5000 } = checkObject("options", options);
  checkNumber("maxAge", maxAge);
  let text: Promise<string> | undefined;
  let readAt = -Infinity;
  return async () => {
    if (text === undefined || performance.now() - readAt >= maxAge) {
      readAt = performance.now();
      text = textOf(inspector);
    }
    const asked = text;
    try {
      const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };
      return new Response(await asked, { headers });
    } catch {
      if (text === asked) text = undefined;
      return new Response("# The database cannot be asked\n", { status: 503 });
    }
  };
}

async function textOf(inspector: Pick<Inspector, "consumers" | "position">): Promise<string> {
  const [consumers, head] = [await inspector.consumers(), await inspector.position()];
  const lines = [
    ...headOf("head", "The settled position of the log."),
    `event_sourcery_head ${head}`,
  ];
  for (const [name, help, value] of gauges) {
    lines.push(...headOf(`consumer_${name}`, help));
    for (const consumer of consumers) {
      const found = value(consumer);
      if (found !== undefined) {
        lines.push(`event_sourcery_consumer_${name}{${labelsOf(consumer)}} ${found}`);
      }
    }
  }
  return lines.join("\n") + "\n";
}

function headOf(name: string, help: string): readonly string[] {
  return [`# HELP event_sourcery_${name} ${help}`, `# TYPE event_sourcery_${name} gauge`];
}

function labelsOf({ name, version, tenantId }: InspectedConsumer): string {
  const labels = { consumer: name, version, ...(tenantId !== undefined && { tenant: tenantId }) };
  return Object.entries(labels).map(([label, value]) => `${label}="${escape(String(value))}"`)
    .join();
}

function escape(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
