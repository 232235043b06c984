/**
 * Spans and metrics of OpenTelemetry, from what a store, its repositories and consumers do. The tracer and the meter are
 * the application's: nothing is imported.
 *
 * @module
 */
export { otel, type OtelOptions, semconv } from "./otel.ts";
export { type GaugedConsumer, type GaugeOptions, gauges, type GaugeSource } from "./gauges.ts";
export type {
  OtelApi,
  OtelAttributes,
  OtelCallback,
  OtelGaugeMeter,
  OtelMeter,
  OtelMetricOptions,
  OtelRemoteSpan,
  OtelResult,
  OtelSpan,
  OtelSpanContext,
  OtelSpanOptions,
  OtelTracer,
} from "./api.ts";
