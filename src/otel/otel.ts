import type { Observer, Operation } from "../../mod.ts";
import type { OtelApi, OtelMeter, OtelSpan, OtelTracer } from "./api.ts";
import { checkObject } from "../errors/check.ts";
import { type Measure, measureWith } from "./measure.ts";
import { metadataOf, parentsOf } from "./parent.ts";
import { fail, isBusy, spanOf, succeed } from "./span.ts";

/**
 * The version of OpenTelemetry's semantic conventions whose names are used. Those of messaging are still in development:
 * a later version is taken with a major release only.
 *
 * @category OpenTelemetry
 */
export const semconv = "1.45";

/**
 * Options of `otel`.
 *
 * @category OpenTelemetry
 */
export interface OtelOptions {
  /** The tracer, `trace.getTracer(name)`. @default no spans, and no trace context in the metadata of events */
  readonly tracer?: OtelTracer | undefined;
  /** The meter, `metrics.getMeter(name)`. @default no metrics */
  readonly meter?: OtelMeter | undefined;
  /**
   * How the handling of an event belongs to its append: as a trace of its own with a link, or as a part of the same trace,
   * if the events that are handled together come from one append. With `"parent"`, what follows from one request is one
   * trace, however many handlers and days that takes. @default "link"
   */
  readonly links?: "link" | "parent" | undefined;
  /**
   * `{ context, trace }` of `@opentelemetry/api`: needed for `links: "parent"`, and for the trace context of events that
   * are scheduled. @default none
   */
  readonly api?: OtelApi | undefined;
  /** Whether spans name streams, tenants, events and aggregates by their ids; metrics never do. @default true */
  readonly ids?: boolean | undefined;
}

/**
 * Makes an observer of a store that writes spans and metrics to OpenTelemetry, and the trace context into the metadata of
 * events: `traceparent`, and `tracestate` up to 256 characters.
 *
 * @throws {TypeError} If `links` is `"parent"` without an `api`.
 *
 * @category OpenTelemetry
 *
 * @example With the OpenTelemetry SDK
 * ```ts
 * import { metrics, trace } from "@opentelemetry/api";
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import { otel } from "event-sourcery/otel";
 * import assert from "node:assert/strict";
 *
 * const observer = otel({ tracer: trace.getTracer("shop"), meter: metrics.getMeter("shop") });
 * const Paid = defineEvent("Paid");
 * const store = new EventStore(memory(), { events: [Paid], observer });
 *
 * // Without an SDK the API traces nothing, and the store works all the same.
 * const { events } = await store.append("order:1", Paid());
 * assert.equal(events[0].metadata.traceparent, undefined);
 * ```
 */
export function otel(options: OtelOptions): Required<Pick<Observer, "around" | "metadata">> {
  const { tracer, meter, links = "link", api, ids = true } = checkObject("options", options);
  if (links !== "link" && (links !== "parent" || api === undefined)) {
    throw new TypeError('links must be "link", or "parent" beside an api');
  }
  const measure = meter === undefined ? () => {} : measureWith(meter);
  /** The span of an append that is being prepared: that is synchronous, so nobody else sees it. */
  let appending: OtelSpan | undefined;

  /** Runs an operation with its span active. */
  function traced<R>(tracer: OtelTracer, operation: Operation, run: () => Promise<R>): Promise<R> {
    const { name, options } = spanOf(operation, ids);
    const within = (span: OtelSpan) => {
      const before = appending;
      appending = operation.name === "append" ? span : before;
      const running = run();
      appending = before;
      return ending(span, operation, running);
    };
    if (operation.name !== "handle") return tracer.startActiveSpan(name, options, within);
    const parents = parentsOf(operation.events);
    if (links === "parent" && parents.length === 1) {
      const context = api!.trace.setSpanContext(api!.context.active(), parents[0]!);
      return tracer.startActiveSpan(name, options, context, within);
    }
    const contexts = parents.map((context) => ({ context }));
    return tracer.startActiveSpan(name, { ...options, root: true, links: contexts }, within);
  }

  return {
    around<R>(operation: Operation, run: () => Promise<R>): Promise<R> {
      const timed = () => timing(measure, operation, run);
      if (tracer === undefined) return timed();
      // Not active: the spans of what it handles are traces of their own.
      if (operation.name === "pass") return looking(tracer, operation, timed);
      return traced(tracer, operation, timed);
    },
    metadata: () => {
      const span = appending ?? api?.trace.getActiveSpan();
      return span && metadataOf(span.spanContext());
    },
  };

  /** Runs a pass, and writes its span afterwards: if it has done anything. */
  async function looking<R>(
    tracer: OtelTracer,
    operation: Operation & { readonly name: "pass" },
    run: () => Promise<R>,
  ): Promise<R> {
    const { name, options } = spanOf(operation, ids);
    const startTime = new Date();
    const running = run();
    await running.catch(() => {});
    if (isBusy(operation)) {
      const span = tracer.startSpan(name, { ...options, startTime, root: true });
      return await ending(span, operation, running);
    }
    return await running;
  }
}

/** Runs an operation, and takes its measure. */
async function timing<R>(
  measure: Measure,
  operation: Operation,
  run: () => Promise<R>,
): Promise<R> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    const result = await run();
    measure(operation, seconds());
    return result;
  } catch (error) {
    measure(operation, seconds(), { error });
    throw error;
  }
}

/** Ends a span with its operation. */
async function ending<R>(span: OtelSpan, operation: Operation, running: Promise<R>): Promise<R> {
  try {
    const result = await running;
    succeed(span, operation);
    return result;
  } catch (error) {
    fail(span, operation, error);
    throw error;
  } finally {
    span.end();
  }
}
