import type { HandledIdentity, Metadata } from "../../mod.ts";
import type { OtelRemoteSpan, OtelSpanContext } from "./api.ts";

/** The longest `tracestate` that goes into the metadata of events, in characters. */
const longest = 256;

/** Returns the metadata that carries a span to whoever handles the event; undefined where nothing traces. */
export function metadataOf(context: OtelSpanContext): Metadata | undefined {
  const { traceId, spanId, traceFlags, traceState } = context;
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined;
  const flags = traceFlags.toString(16).padStart(2, "0");
  const tracestate = traceState?.serialize() ?? "";
  return {
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    ...(tracestate !== "" && tracestate.length <= longest && { tracestate }),
  };
}

/** Returns the spans in which events were appended, each once, as far as their metadata tells. */
export function parentsOf(events: readonly HandledIdentity[]): OtelRemoteSpan[] {
  const found = new Map<string, OtelRemoteSpan>();
  for (const { metadata: { traceparent } } of events) {
    if (typeof traceparent !== "string" || found.has(traceparent)) continue;
    const context = parse(traceparent);
    if (context !== undefined) found.set(traceparent, context);
  }
  return [...found.values()];
}

/** Reads the header `traceparent` of W3C Trace Context, also of a later version; undefined if it is malformed. */
function parse(traceparent: string): OtelRemoteSpan | undefined {
  const parts = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-|$)/.exec(
    traceparent,
  );
  const [, traceId = "", spanId = "", flags = ""] = parts ?? [];
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: parseInt(flags, 16) & 1, isRemote: true };
}
