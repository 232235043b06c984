import type { StoredEvent } from "../driver/read.ts";
import type { RecordedEvent } from "../event/event.ts";
import { encode } from "./encode.ts";

/**
 * Returns a stored event that has sensitive fields as it would be stored with what it was decoded to, which is masked;
 * without data if it could not be decoded.
 */
export function redact(stored: StoredEvent, event: RecordedEvent | undefined): StoredEvent {
  if (event === undefined) return { ...stored, data: undefined, codec: null };
  const { data, codec } = encode(event.data, event.metadata);
  return {
    ...stored,
    data: data === null ? undefined : JSON.parse(data),
    codec: codec === null ? null : JSON.parse(codec),
  };
}
