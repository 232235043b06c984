import type { NewEvent, StoredEvent } from "../../mod.ts";
import type { Location, Row } from "./log.ts";

// Field by field, here and in `read`: spreading and resting an object takes Node 20 twice the time.
/** Makes the row of a new event. */
export function rowOf(
  { id, type, schemaVersion, createdAt, data, metadata, codec, tags, published, imported }:
    NewEvent,
  { tenantId, streamId, category, slot, version, position }: Location,
): Row {
  return {
    id,
    type,
    schemaVersion,
    createdAt,
    data,
    metadata,
    codec,
    tags,
    published,
    imported,
    tenantId,
    streamId,
    category,
    slot,
    version,
    position,
  };
}

/** Returns a row as a driver returns an event. */
export function read(row: Row): StoredEvent {
  const { id, type, schemaVersion, createdAt, published, imported } = row;
  const { tenantId, streamId, version, position, data, metadata, codec } = row;
  return {
    id,
    type,
    schemaVersion,
    createdAt,
    published,
    imported,
    tenantId,
    streamId,
    version,
    position,
    tags: [...row.tags],
    data: data === null ? undefined : JSON.parse(data),
    metadata: JSON.parse(metadata),
    codec: codec === null ? null : JSON.parse(codec),
  };
}
