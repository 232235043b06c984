import type { InspectedEvent } from "../inspect/mod.ts";
import { clipText, fitted } from "./clip.ts";
import type { Field, Schema } from "./input.ts";
import { anything, flag, list, record, text, whole } from "./tool.ts";

/** The most events, streams or lines that an answer holds. */
export const most = 100;

/** How many are given if nothing is said. */
export const usual = 20;

/** The argument of tools that give pages. */
export const limit = {
  kind: "whole",
  about: `how many at most; ${usual} if left out`,
  min: 1,
  max: most,
} as const satisfies Field;

/** An event in JSON Schema. */
export const eventSchema: Schema = record({
  position: whole,
  id: text,
  type: text,
  stream: text,
  version: whole,
  "tenant?": text,
  created_at: text,
  "data?": anything,
  "tags?": anything,
  "correlation_id?": text,
  "causation_id?": text,
  "metadata?": anything,
  schema_version: whole,
  published: flag,
  "problem?": text,
});

/** What an answer says of how far it has looked. */
export const searched: Readonly<Record<string, Schema>> = { complete: flag, searched_to: whole };

/** Events in JSON Schema. */
export const eventsSchema: Schema = list(eventSchema);

/** Shows an event; its data in at most some bytes. */
export function showEvent(
  { stored, event, problem }: InspectedEvent,
  bytes: number = 4000,
): object {
  const { position, id, streamId, version, tenantId, schemaVersion, published, tags } = stored;
  const { correlationId, causationId, ...metadata } = stored.metadata;
  const data = event === undefined ? stored.data : event.data;
  const defined = event !== undefined && !event.type.startsWith("?");
  return {
    position,
    id,
    type: defined ? event.type : stored.type,
    stream: streamId,
    version,
    ...(tenantId === "" ? {} : { tenant: tenantId }),
    created_at: instant(stored.createdAt),
    ...(data === undefined ? {} : { data: fitted(data, bytes) }),
    ...(tags.length === 0 ? {} : { tags: fitted(tags, 1000) }),
    ...(typeof correlationId === "string" ? { correlation_id: clipText(correlationId, 512) } : {}),
    ...(typeof causationId === "string" ? { causation_id: clipText(causationId, 512) } : {}),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata: fitted(metadata, 1000) }),
    schema_version: schemaVersion,
    published,
    ...(problem === undefined ? {} : { problem: showError(problem) }),
  };
}

/** Shows an error, with its code if it has one. */
export function showError(
  { code, message }: { readonly code?: string | undefined; readonly message: string },
): string {
  return clipText(code === undefined || message === code ? message : `${code}: ${message}`, 200);
}

/** Writes an instant, even one that is none. */
export function instant(value: Date | string | number): string {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? String(value) : date.toISOString();
}
