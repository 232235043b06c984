// Spans and metrics, as the SDK of OpenTelemetry receives them.
import { context, metrics, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import {
  Aggregate,
  defineEvent,
  type EventOf,
  EventStore,
  type Metadata,
  PermanentError,
  Projection,
  Repository,
  Scheduler,
  Subscription,
} from "event-sourcery";
import { inspect } from "event-sourcery/inspect";
import { memory } from "event-sourcery/memory";
import { gauges, otel, type OtelOptions, semconv } from "event-sourcery/otel";
import assert from "node:assert/strict";
import { test } from "node:test";

const Placed = defineEvent<number>()("Placed");
const Mailed = defineEvent("Mailed");

class Order extends Aggregate<EventOf<typeof Placed>> {
  static readonly category = "order";
  protected apply(): void {}
  place(): void {
    this.emit(Placed(1));
  }
}

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register(); // with what makes spans active across awaits
const tracer = trace.getTracer("test");

/** A store whose spans go to the exporter, which is emptied. */
function traced(options: OtelOptions = {}) {
  exporter.reset();
  const observer = otel({ tracer, ...options });
  return new EventStore(memory(), { events: [Placed, Mailed], observer });
}

/** The finished spans of a name, in the order of their end. */
const spans = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name);

const traceOf = (span: ReadableSpan | undefined) => span!.spanContext().traceId;

const parentOf = ({ metadata }: { readonly metadata: Metadata }) => String(metadata.traceparent);

test("an append is a producer's span, below the active one, and its events carry it", async () => {
  const store = traced();
  const both = [Placed(1), Mailed()] as const;
  const { events } = await tracer.startActiveSpan("POST /orders", async (request) => {
    const result = await store.append("order:1", both, { expectedVersion: 0 });
    request.end();
    return result;
  });
  const [span] = spans("append order");
  const [request] = spans("POST /orders");
  assert.equal(span!.kind, SpanKind.PRODUCER);
  assert.equal(span!.parentSpanContext?.spanId, request!.spanContext().spanId);
  assert.deepEqual(span!.attributes, {
    "messaging.system": "event_sourcery",
    "messaging.operation.name": "append",
    "messaging.operation.type": "send",
    "messaging.destination.name": "order",
    "messaging.batch.message_count": 2,
    "event_sourcery.event.types": ["Placed", "Mailed"],
    "event_sourcery.stream.id": "order:1",
    "event_sourcery.expected_version": "0",
    "event_sourcery.stream.version": 2,
    "event_sourcery.position": 2,
  });
  const { traceId, spanId } = span!.spanContext();
  for (const event of events) assert.equal(parentOf(event), `00-${traceId}-${spanId}-01`);
  const own = Placed(1, { metadata: { traceparent: "mine" } });
  const { events: [kept] } = await store.append("order:2", own);
  assert.equal(parentOf(kept), "mine");
});

test("the span of an operation is active while it runs, for the spans of a database's client", async () => {
  const whole = memory();
  const active: (string | undefined)[] = [];
  const note = () => {
    const span = trace.getActiveSpan();
    active.push(span && Reflect.get(span, "name"));
  };
  const append: typeof whole.append = async (requests) => {
    await Promise.resolve();
    note();
    return await whole.append(requests);
  };
  const load: typeof whole.load = async (query) => {
    note();
    return await whole.load(query);
  };
  const driver = new Proxy(whole, {
    get: (target, key) =>
      key === "append" ? append : key === "load" ? load : Reflect.get(target, key, target),
  });
  exporter.reset();
  const store = new EventStore(driver, { events: [Placed, Mailed], observer: otel({ tracer }) });
  await new Repository(store, Order).aggregate("1", (order) => order.place());
  assert.deepEqual(active, ["load order", "append order"]);
  const [command] = spans("command Order");
  const inner = [...spans("load order"), ...spans("append order")];
  assert.deepEqual(inner.map(({ parentSpanContext }) => parentSpanContext?.spanId), [
    ...[command!.spanContext().spanId, command!.spanContext().spanId],
  ]);
  assert.deepEqual(command!.attributes, {
    "event_sourcery.attempt": 1,
    "event_sourcery.aggregate.id": "1",
    "event_sourcery.stream.version": 1,
    "event_sourcery.events": 1,
    "event_sourcery.is_new": true,
  });
});

test("handling is a trace of its own with a link to the append, and so is what follows from it", async () => {
  const store = traced();
  await store.append("order:1", Placed(1));
  const mails = new Subscription(store, {
    name: "mails",
    types: ["Placed"],
    handler: async ({ streamId }, context) => {
      await context.store.append(streamId, Mailed());
    },
  });
  const log = new Subscription(store, { name: "log", types: ["Mailed"], handler() {} });
  await mails.runOnce();
  await log.runOnce();
  const [placed, mailed] = spans("append order");
  const [mailing, logging] = [spans("handle mails")[0], spans("handle log")[0]];
  assert.equal(mailing!.kind, SpanKind.CONSUMER);
  assert.equal(mailing!.parentSpanContext, undefined);
  assert.notEqual(traceOf(mailing), traceOf(placed));
  const linked = (span: ReadableSpan | undefined) =>
    span!.links.map(({ context: { traceId, spanId } }) => ({ traceId, spanId }));
  const idsOf = (span: ReadableSpan | undefined) => {
    const { traceId, spanId } = span!.spanContext();
    return { traceId, spanId };
  };
  assert.deepEqual(linked(mailing), [idsOf(placed)]);
  assert.equal(mailed!.parentSpanContext?.spanId, mailing!.spanContext().spanId);
  assert.deepEqual(linked(logging), [idsOf(mailed)]);
  const { "messaging.message.id": id, ...attributes } = mailing!.attributes;
  assert.equal(id, (await store.load("order:1"))[0]?.id);
  assert.deepEqual(attributes, {
    "messaging.system": "event_sourcery",
    "messaging.operation.name": "handle",
    "messaging.operation.type": "process",
    "messaging.consumer.group.name": "mails",
    "event_sourcery.event.types": ["Placed"],
    "event_sourcery.stream.id": "order:1",
    "event_sourcery.consumer.version": 1,
    "event_sourcery.lane": 0,
    "event_sourcery.position": 1,
    "event_sourcery.attempt": 1,
  });
  const [pass] = spans("pass mails");
  assert.equal(pass!.attributes["event_sourcery.handled"], 1);
  exporter.reset();
  await mails.runOnce();
  assert.deepEqual(exporter.getFinishedSpans().filter(({ name }) => /pass|handle/.test(name)), []);
});

test("events that are handled together have a link to each of their appends, once", async () => {
  const store = traced();
  await store.append("order:1", [Placed(1), Placed(2)]);
  await store.append("order:2", Placed(3));
  await store.append("order:3", Placed(4, { metadata: { traceparent: "00-wrong" } }));
  const table = new Projection(store, { name: "table", handlers: { Placed() {} }, reset() {} });
  await table.rebuild();
  const [span] = spans("handle table");
  assert.equal(span!.attributes["messaging.batch.message_count"], 4);
  assert.deepEqual(
    span!.links.map(({ context: { traceId } }) => traceId),
    spans("append order").slice(0, 2).map(traceOf),
  );
  assert.equal(spans("rebuild table")[0]!.attributes["event_sourcery.handled"], 4);
});

test('with links: "parent", all that follows from a request is one trace', async () => {
  const store = traced({ links: "parent", api: { context, trace } });
  await store.append("order:1", Placed(1));
  const mails = new Subscription(store, {
    name: "mails",
    types: ["Placed"],
    handler: async ({ streamId }, context) => {
      await context.store.append(streamId, Mailed());
    },
  });
  await mails.runOnce();
  const [placed, mailed] = spans("append order");
  const [mailing] = spans("handle mails");
  assert.equal(mailing!.parentSpanContext?.spanId, placed!.spanContext().spanId);
  assert.equal(traceOf(mailed), traceOf(placed));
  assert.deepEqual(mailing!.links, []);
  assert.throws(() => otel({ tracer, links: "parent" }), TypeError);
});

test("with an api, scheduled events carry the active span until they are handled", async () => {
  const store = traced({ api: { context, trace } });
  await tracer.startActiveSpan("POST /reminders", async (request) => {
    await store.schedule("order:1", Mailed(), { at: new Date(0) });
    request.end();
  });
  await new Scheduler(store).runOnce();
  await new Subscription(store, { name: "mails", handler() {} }).runOnce();
  const [link] = spans("handle mails")[0]!.links;
  assert.equal(link!.context.traceId, traceOf(spans("POST /reminders")[0]));
});

test("a conflict is an event of the span and no error; what a handler throws is one", async () => {
  const store = traced();
  let rival = true;
  await new Repository(store, Order).aggregate("1", async (order) => {
    if (rival) await store.append("order:1", Placed(9));
    rival = false;
    order.place();
  });
  const attempts = spans("command Order");
  assert.deepEqual(attempts.map(({ attributes }) => attributes["event_sourcery.attempt"]), [1, 2]);
  assert.deepEqual(attempts.map(({ events }) => events.map(({ name }) => name)), [
    ["conflict"],
    [],
  ]);
  const refused = spans("append order").find(({ attributes }) => "error.type" in attributes);
  for (const span of [attempts[0]!, refused!]) {
    assert.equal(span.attributes["error.type"], "CONCURRENCY");
    assert.equal(span.status.code, SpanStatusCode.UNSET);
  }
  const fails = new Subscription(store, {
    name: "fails",
    handler({ position }) {
      if (position === 1) throw new RangeError("no printer");
      if (position === 2) throw new PermanentError("never");
    },
  });
  await fails.runOnce();
  const [first] = spans("handle fails");
  assert.equal(first!.attributes["error.type"], "RangeError");
  assert.deepEqual(first!.status, {
    code: SpanStatusCode.ERROR,
    message: "RangeError: no printer",
  });
  assert.equal(first!.events[0]?.attributes?.["exception.message"], "no printer");
  const query = Object.assign(new Error("insert … params: secret"), { params: ["secret"] });
  query.cause = new Error("duplicate key");
  const leaks = new Subscription(store, { name: "leaks", handler: () => Promise.reject(query) });
  await leaks.runOnce();
  const { status, events } = spans("handle leaks")[0]!;
  assert.doesNotMatch(JSON.stringify({ status, events }), /secret/);
});

test("with ids: false no span names a stream, a tenant, an event or an aggregate", async () => {
  const store = traced({ ids: false }).scope({ tenantId: "acme" });
  const { events: [event] } = await store.append("order:4711", Placed(1));
  await new Repository(store, Order).aggregate("4711", (order) => order.place());
  await new Subscription(store, { name: "mails", handler() {} }).runOnce();
  assert.ok(exporter.getFinishedSpans().length > 5);
  for (const { name, attributes } of exporter.getFinishedSpans()) {
    const shown = JSON.stringify([name, attributes]);
    for (const id of ["4711", "acme", event.id]) assert.ok(!shown.includes(id), shown);
  }
});

test("a span that is not sampled is passed on as such, and without a tracer nothing is", async () => {
  exporter.reset();
  const off = new NodeTracerProvider({ sampler: new AlwaysOffSampler() }).getTracer("off");
  const events = [Placed, Mailed] as const;
  const store = new EventStore(memory(), { events, observer: otel({ tracer: off }) });
  const { events: [event] } = await store.append("order:1", Placed(1));
  assert.match(parentOf(event), /^00-[\da-f]{32}-[\da-f]{16}-00$/);
  const silent = new EventStore(memory(), { events, observer: otel({}) });
  const { events: [other] } = await silent.append("order:1", Placed(1));
  assert.deepEqual(Object.keys(other.metadata), ["correlationId"]);
  assert.match(semconv, /^\d+\.\d+$/);
});

/** A meter, and what it has exported. */
function metered() {
  const memories = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({
    exporter: memories,
    exportIntervalMillis: 3_600_000,
  });
  const meters = new MeterProvider({ readers: [reader] });
  /** Reads the data points: by metric, each value with its attributes. */
  const read = async () => {
    memories.reset();
    await reader.forceFlush();
    const all = memories.getMetrics().at(-1)?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return new Map(all.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.map(({ value, attributes }) => [
        typeof value === "object" && value !== null && "count" in value ? value.count : value,
        attributes,
      ]),
    ]));
  };
  return { meter: meters.getMeter("test"), read, close: () => meters.shutdown() };
}

test("metrics count and time appends, commands and handlers, and name no ids", async () => {
  const { meter, read, close } = metered();
  const observer = otel({ meter });
  const store = new EventStore(memory(), { events: [Placed, Mailed], observer });
  await store.append("order:1", [Placed(1), Placed(2)]);
  await store.append("order:1", Placed(3));
  await assert.rejects(store.append("order:1", Placed(1), { expectedVersion: 7 }));
  await assert.rejects(store.append("order:1", { ...Placed(1), type: "Other" } as never));
  await new Repository(store, Order).aggregate("2", (order) => order.place());
  const mails = new Subscription(store, {
    name: "mails",
    retry: { attempts: 1 },
    onFailure: "skip",
    handler({ data }) {
      if (data === 2) throw new PermanentError("never");
    },
  });
  await mails.runOnce();
  const found = await read();
  const category = "order";
  const consumer = { consumer: "mails", version: 1 };
  assert.deepEqual(Object.fromEntries(found), {
    "event_sourcery.append.duration": [
      [3, { category, outcome: "ok" }],
      [1, { category, outcome: "conflict" }],
    ],
    "event_sourcery.append.events": [[4, { category }]],
    "event_sourcery.append.conflicts": [[1, { category }]],
    "event_sourcery.command.attempts": [[1, { aggregate: "Order", outcome: "ok" }]],
    "event_sourcery.consumer.handled": [
      [3, { ...consumer, outcome: "ok" }],
      [1, { ...consumer, outcome: "failed" }],
      [1, { ...consumer, outcome: "skipped" }],
    ],
    "event_sourcery.consumer.handle.duration": [
      [3, { ...consumer, outcome: "ok" }],
      [1, { ...consumer, outcome: "failed" }],
    ],
    "event_sourcery.consumer.delay": [[3, consumer]],
  });
  await close();
});

test("gauges show the head and every consumer, and ask at most once in a while", async () => {
  const { meter, read, close } = metered();
  const store = new EventStore(memory(), { events: [Placed, Mailed] });
  const reader = new Subscription(store, { name: "mails", handler() {} });
  await store.append("order:1", Placed(1));
  await reader.runOnce();
  await store.append("order:1", [Placed(2), Placed(3)]);
  const inspector = inspect(store);
  let asked = 0;
  const source = {
    position: inspector.position,
    consumers: () => (asked++, inspector.consumers()),
  };
  const stop = gauges({ meter, inspector: source });
  await read();
  const found = await read();
  const attributes = { consumer: "mails", version: 1 };
  assert.deepEqual(found.get("event_sourcery.head"), [[3, {}]]);
  assert.deepEqual(found.get("event_sourcery.consumer.lag"), [[2, attributes]]);
  const [[age] = []] = found.get("event_sourcery.consumer.age")!;
  assert.ok(typeof age === "number" && age > 0 && age < 60);
  for (const name of ["parked", "retrying", "leases"]) {
    assert.deepEqual(found.get(`event_sourcery.consumer.${name}`), [[0, attributes]]);
  }
  assert.equal(asked, 1);
  stop();
  const always = gauges({ meter, inspector: source, maxAge: 0 });
  await read();
  await read();
  assert.equal(asked, 3);
  always();
  await read();
  assert.equal(asked, 3);
  assert.throws(() => gauges({ meter, inspector: source, maxAge: -1 }), RangeError);
  assert.ok(metrics.getMeter("none"), "the API's own meter fits, too");
  gauges({ meter: metrics.getMeter("none"), inspector })();
  await close();
});
