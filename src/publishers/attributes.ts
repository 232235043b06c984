import type { NewEvent } from "../driver/append.ts";
import type { StoredEvent } from "../driver/read.ts";
import type { CloudEvent } from "./cloudevent.ts";
import { partitionKey, sourceOf } from "./key.ts";

/** The fields of metadata that have an attribute of their own, which CloudEvents' extensions name. */
export const own: Readonly<Record<string, string>> = {
  correlationId: "correlationid",
  causationId: "causationid",
  traceparent: "traceparent",
  tracestate: "tracestate",
};

/** What a CloudEvent says of an event: all that is stored of it, but whether outboxes hand it over. */
type Described =
  & Pick<StoredEvent, "streamId" | "version" | "position" | "tenantId" | "data" | "metadata">
  & Pick<NewEvent, "id" | "type" | "schemaVersion" | "createdAt" | "codec" | "tags">;

/** Describes an event, whose data and metadata are parsed JSON and whose codec is text, as a CloudEvent. */
export function cloudEventOf(event: Described, source: string): CloudEvent {
  const { streamId, version, position, tenantId, schemaVersion, codec, tags, data } = event;
  const attributes: Record<string, string> = {};
  const metadata: Record<string, unknown> = { ...event.metadata };
  for (const [field, attribute] of Object.entries(own)) {
    const value = metadata[field];
    if (typeof value !== "string" || value === "") continue;
    attributes[attribute] = value;
    delete metadata[field];
  }
  if (Object.keys(metadata).length > 0) attributes["metadata"] = JSON.stringify(metadata);
  if (tags.length > 0) attributes["tags"] = JSON.stringify(tags);
  if (codec !== null) attributes["codec"] = codec;
  return {
    specversion: "1.0",
    id: event.id,
    source: sourceOf(source, event),
    type: event.type,
    subject: streamId,
    time: event.createdAt,
    sequence: String(version).padStart(16, "0"),
    partitionkey: partitionKey(event),
    ...(tenantId === "" ? {} : { tenantid: tenantId }),
    position: String(position),
    schemaversion: schemaVersion,
    ...attributes,
    ...(data === undefined ? {} : { datacontenttype: "application/json", data }),
  };
}
