// A request, its command, the append and a handler that ran later, as OpenTelemetry shows them; and one line a failure.
import { metrics, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import {
  Aggregate,
  defineEvent,
  type EventOf,
  EventStore,
  PermanentError,
  Repository,
  Subscription,
} from "event-sourcery";
import { logger } from "event-sourcery/inspect";
import { memory } from "event-sourcery/memory";
import { otel } from "event-sourcery/otel";
import assert from "node:assert/strict";

// What every service with OpenTelemetry has: here the spans stay in memory.
const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
const tracer = trace.getTracer("shop");

const Placed = defineEvent<{ email: string }>()("Placed");

class Order extends Aggregate<EventOf<typeof Placed>> {
  static readonly category = "order";
  protected apply(): void {}
  place(email: string): void {
    this.emit(Placed({ email }));
  }
}

// Spans and metrics to OpenTelemetry, what needs a person to the log.
const lines: string[] = [];
const write = (_: object, line: string) => void lines.push(line);
const observer = {
  ...otel({ tracer, meter: metrics.getMeter("shop") }),
  notice: logger({ error: write, warn: write }), // logger(pino())
};
const store = new EventStore(memory(), { events: [Placed], observer });
const orders = new Repository(store, Order);

const request = async (id: string, email: string) =>
  await tracer.startActiveSpan("POST /orders", async (span) => {
    await orders.aggregate(id, (order) => order.place(email));
    span.end();
  });
await request("1", "ada@example.org");
await request("2", "grace");

const mails = new Subscription(store, {
  name: "mails",
  handler({ data: { email } }) {
    if (!email.includes("@")) throw new PermanentError("no such address");
  },
});
await mails.runOnce();

// One trace holds the request; the handler's is another, with a link to the append.
const spans = exporter.getFinishedSpans();
const first = spans.find(({ name }) => name === "POST /orders")!.spanContext().traceId;
const names = spans.filter((span) => span.spanContext().traceId === first).map(({ name }) => name);
assert.deepEqual(names, ["load order", "append order", "command Order", "POST /orders"]);
const [handled] = spans.filter(({ name }) => name === "handle mails");
assert.equal(handled!.links[0]!.context.traceId, first);

console.log(`${names.reverse().join(" > ")}; later, linked to it: ${handled!.name}`);
console.log(lines.join("\n"));
