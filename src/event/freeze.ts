import type { Event, Metadata } from "./event.ts";
import { checkInstant, checkList, checkName, wrongType } from "../errors/check.ts";
import { copyData, Unstorable } from "./copy.ts";
import { InvalidEventError } from "../errors/event.ts";

/** The tags of an event without tags: one shared list, recognised by identity. */
export const noTags: readonly string[] = Object.freeze([]);

/** The metadata of an event without metadata: one shared object, recognised by identity. */
export const noMetadata: Metadata = Object.freeze({});

/**
 * Checks an event's id, time, metadata and tags, and freezes it; its data must be copied and frozen already.
 *
 * The order of the keys is the order they print in.
 *
 * @param mark Marks the event.
 */
export function freezeEvent(event: Event, mark?: (event: Event) => unknown): Event {
  const { type, id, createdAt, data, metadata, tags } = event;
  checkName("id", id);
  checkInstant("createdAt", createdAt);
  if (tags !== noTags) checkList("tags", tags);
  const frozen = {
    type,
    id,
    createdAt: new Date(createdAt.getTime()),
    data,
    metadata: copyMetadata(type, metadata),
    tags: tags === noTags ? noTags : Object.freeze([...new Set(tags)]),
  };
  mark?.(frozen); // before it is frozen: an engine may then refuse private fields, too
  return Object.freeze(frozen);
}

/** Copies and freezes metadata; top-level fields that are undefined are omitted. */
export function copyMetadata(type: string, metadata: Metadata): Metadata {
  if (metadata === noMetadata) return noMetadata;
  const copy = storable(type, () => copyData(metadata, ["metadata"]));
  if (!isPlain(copy)) throw wrongType("metadata", "a plain object", copy);
  const { correlationId, causationId } = copy;
  if (correlationId !== undefined) checkName("correlationId", correlationId);
  if (causationId !== undefined) checkName("causationId", causationId);
  const fields = Object.entries({ correlationId, causationId, ...copy });
  return Object.freeze(Object.fromEntries(fields.filter(([, value]) => value !== undefined)));
}

function isPlain(copy: unknown): copy is Metadata {
  return typeof copy === "object" && copy !== null &&
    Object.getPrototypeOf(copy) === Object.prototype;
}

/**
 * Runs a copy of an event's data or metadata.
 *
 * @throws {InvalidEventError} If there is something in it that cannot be stored; the error names the event's type.
 */
export function storable<T>(type: string, copy: () => T): T {
  try {
    return copy();
  } catch (error) {
    if (!(error instanceof Unstorable)) throw error;
    const { issue, message: reason, cause } = error;
    throw new InvalidEventError(
      type,
      [issue],
      cause === undefined ? { reason } : { reason, cause },
    );
  }
}
