/**
 * The attributes of a span, or of a measurement.
 *
 * @category OpenTelemetry
 */
export type OtelAttributes = Record<string, string | number | boolean | string[]>;

/**
 * What identifies a span, as in `@opentelemetry/api`.
 *
 * @category OpenTelemetry
 */
export interface OtelRemoteSpan {
  /** The trace, as 32 hexadecimal digits. */
  readonly traceId: string;
  /** The span, as 16 hexadecimal digits. */
  readonly spanId: string;
  /** 1 where the span is sampled, else 0. */
  readonly traceFlags: number;
  /** Whether it came from elsewhere. */
  readonly isRemote?: boolean;
}

/**
 * What identifies a span of this process, as in `@opentelemetry/api`.
 *
 * @category OpenTelemetry
 */
export interface OtelSpanContext extends OtelRemoteSpan {
  /** What vendors add. */
  readonly traceState?: {
    /** Returns the value of the header `tracestate`. */
    serialize(): string;
  };
}

/**
 * A span, as in `@opentelemetry/api`.
 *
 * @category OpenTelemetry
 */
export interface OtelSpan {
  /** Returns what identifies it. */
  spanContext(): OtelSpanContext;
  /** Adds attributes. */
  setAttributes(attributes: OtelAttributes): unknown;
  /** Adds an event. */
  addEvent(name: string, attributes?: OtelAttributes): unknown;
  /** Sets its status; 2 is an error. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Adds an error as an event. */
  recordException(exception: Error | string): void;
  /** Ends it. */
  end(): void;
}

/**
 * Options of a span, as in `@opentelemetry/api`.
 *
 * @category OpenTelemetry
 */
export interface OtelSpanOptions {
  /** 0 internal, 3 producer, 4 consumer. */
  kind?: number;
  /** The attributes that it starts with. */
  attributes?: OtelAttributes;
  /** Spans that it follows from. */
  links?: { context: OtelRemoteSpan }[];
  /** When it started, if not now. */
  startTime?: Date;
  /** Whether it begins a trace of its own. */
  root?: boolean;
}

/**
 * A tracer, as `trace.getTracer(name)` of `@opentelemetry/api` returns it.
 *
 * @category OpenTelemetry
 */
export interface OtelTracer {
  /** Starts a span below the active one. */
  startSpan(name: string, options: OtelSpanOptions): OtelSpan;
  /** Starts a span below the active one, and runs a function in which it is active. */
  startActiveSpan<F extends (span: OtelSpan) => unknown>(
    name: string,
    options: OtelSpanOptions,
    run: F,
  ): ReturnType<F>;
  /** Starts a span below that of a context, and runs a function in which it is active. */
  startActiveSpan<F extends (span: OtelSpan) => unknown>(
    name: string,
    options: OtelSpanOptions,
    context: unknown,
    run: F,
  ): ReturnType<F>;
}

/**
 * Options of an instrument, as in `@opentelemetry/api`.
 *
 * @category OpenTelemetry
 */
export interface OtelMetricOptions {
  /** What it measures. */
  description?: string;
  /** The unit, such as `"s"`. */
  unit?: string;
  /** How a histogram is best divided. */
  advice?: { explicitBucketBoundaries?: number[] };
}

/**
 * A meter, as `metrics.getMeter(name)` of `@opentelemetry/api` returns it.
 *
 * @category OpenTelemetry
 */
export interface OtelMeter {
  /** Makes a histogram. */
  createHistogram(name: string, options: OtelMetricOptions): {
    /** Adds a value. */
    record(value: number, attributes: OtelAttributes): void;
  };
  /** Makes a counter. */
  createCounter(name: string, options: OtelMetricOptions): {
    /** Adds to the count. */
    add(value: number, attributes: OtelAttributes): void;
  };
}

/**
 * The part of a meter that makes gauges, which are asked for their values.
 *
 * @category OpenTelemetry
 */
export interface OtelGaugeMeter<Gauge> {
  /** Makes a gauge. */
  createObservableGauge(name: string, options: OtelMetricOptions): Gauge;
  /** Adds a function that is called for the values of gauges. */
  addBatchObservableCallback(callback: OtelCallback<Gauge>, gauges: Gauge[]): void;
  /** Removes it. */
  removeBatchObservableCallback(callback: OtelCallback<Gauge>, gauges: Gauge[]): void;
}

/**
 * A function that gives the values of gauges.
 *
 * @category OpenTelemetry
 */
export type OtelCallback<Gauge> = (result: OtelResult<Gauge>) => Promise<void>;

/**
 * Takes the values of gauges.
 *
 * @category OpenTelemetry
 */
export interface OtelResult<Gauge> {
  /** Takes a value. */
  observe(gauge: Gauge, value: number, attributes?: OtelAttributes): void;
}

/**
 * The part of `@opentelemetry/api` that knows what is active: `{ context, trace }`.
 *
 * @category OpenTelemetry
 */
export interface OtelApi {
  /** Its `context`. */
  readonly context: {
    /** Returns the active context. */
    active(): unknown;
  };
  /** Its `trace`. */
  readonly trace: {
    /** Returns the active span. */
    getActiveSpan(): OtelSpan | undefined;
    /** Returns a context below a remote span. */
    setSpanContext(context: unknown, span: OtelRemoteSpan): unknown;
  };
}
