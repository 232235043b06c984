import {
  type ExaminedEvent,
  isEventSourceryError,
  type Metadata,
  type StoredEvent,
} from "../../../mod.ts";
import { checkName } from "../../errors/check.ts";
import { categoryOf, slotOf } from "../../event/stream.ts";
import { type Check, type Finding, finding, streamName } from "./finding.ts";

const unreadable = "Restore the event from a backup: whoever loads its stream fails";

/** Compares an event with its stream, its tags and its cause. */
export function* checkPlace(event: ExaminedEvent): Iterable<Finding> {
  const { tenantId, streamId, version, position, previous } = event;
  const where = eventName(event);
  if (version < 1 || (version > 1 && previous === undefined)) {
    const message = version < 1
      ? `Its version is ${version}, and the first of a stream is 1`
      : `Its stream has no event of version ${version - 1}`;
    const advice = "Restore the stream from a backup: who loads it decides without what is missing";
    yield finding("error", "hole", where, message, advice);
  } else if (previous !== undefined && previous >= position) {
    const message = `The event before it in its stream has the later position ${previous}`;
    const advice = "Restore the stream from a backup: consumers handle it in the wrong order";
    yield finding("error", "order", where, message, advice);
  }
  const category = categoryOf(streamId);
  if (event.category !== category) {
    const message = `Its category is stored as ${JSON.stringify(event.category)} instead of ${
      JSON.stringify(category)
    }`;
    const advice = "Correct the column category: who reads the category misses it";
    yield finding("error", "category", where, message, advice);
  }
  const slot = slotOf(tenantId, streamId);
  if (event.slot !== slot) {
    const message = `Its slot is stored as ${event.slot} instead of ${slot}`;
    const advice = "Correct the column slot: two lanes may handle its stream at the same time";
    yield finding("error", "slot", where, message, advice);
  }
  for (const tag of event.untagged) {
    const message = `The table of tags has no entry for its tag ${JSON.stringify(tag)}`;
    const advice = `Insert it into event_tags, with position ${position}`;
    yield finding("error", "tag", where, message, advice);
  }
}

/** Compares an event with the one that its metadata names as its cause. */
export function* checkCause(
  event: ExaminedEvent,
  { causationId, correlationId }: Metadata,
): Iterable<Finding> {
  if (causationId === undefined) return;
  const { cause, position } = event;
  const where = eventName(event);
  if (cause === undefined || cause.position >= position) {
    const message = cause === undefined
      ? "Its causationId is that of no event"
      : `Its cause has the later position ${cause.position}`;
    const advice = "Nothing, if the cause was deleted, or the id is one of another system";
    yield finding("warning", "cause", where, message, advice);
  } else if (cause.correlationId !== correlationId) {
    const message =
      "It has another correlationId than its cause: a trace shows one without the other";
    const advice = "Give correlationId where a flow begins, and leave it out where it goes on";
    yield finding("warning", "correlation", where, message, advice);
  }
}

/** Reads the JSON of an event, or finds what cannot be read. */
export function parseEvent(event: ExaminedEvent): StoredEvent | Finding {
  const wrong = (check: Check, message: string) =>
    finding("error", check, eventName(event), message, unreadable);
  const metadata = parse(event.metadata);
  if (!isRecord(metadata)) return wrong("metadata", "Its metadata is no JSON object");
  const codec = parse(event.codec);
  if (codec !== null && !isRecord(codec)) return wrong("data", "Its codec is no JSON object");
  const tags = parse(event.tags) ?? [];
  if (!isTexts(tags)) return wrong("tag", "Its tags are no JSON array of strings");
  const data = parse(event.data);
  if (data === failed) return wrong("data", "Its data is no JSON");
  // The decoder looks at each of the annotations.
  return { ...event, metadata, codec: codec as Record<string, string> | null, tags, data };
}

/** Checks what every driver shows of an event, and decodes it. */
export function* checkEvent(
  event: StoredEvent,
  decode: (event: StoredEvent) => unknown,
): Iterable<Finding> {
  try {
    checkName("id", event.id);
  } catch (error) {
    yield finding("error", "id", eventName(event), messageOf(error), unreadable);
  }
  try {
    decode(event);
  } catch (error) {
    yield* problemOf(event, error);
  }
}

function* problemOf(event: StoredEvent, error: unknown): Iterable<Finding> {
  const { type } = event;
  const where = eventName(event);
  if (isEventSourceryError(error, "UNKNOWN_EVENT_TYPE")) {
    const message = `It is the first of type ${
      JSON.stringify(type)
    }, which the store does not know`;
    const advice =
      "Define the type, make it an alias of another, or name it in the store's retired";
    yield finding("error", "type", where, message, advice);
  } else if (isEventSourceryError(error, "NEWER_EVENT")) {
    const message = `It is the first of its version. ${messageOf(error)}`;
    yield finding("error", "newer", where, message, "Run a release that is at least as new");
  } else if (isEventSourceryError(error, "KEY_UNAVAILABLE")) {
    const advice = "Restore the keys that belong to this log, or correct the store's keys";
    yield finding("error", "sealed", where, messageOf(error), advice);
  } else if (isEventSourceryError(error, "CORRUPT_EVENT")) {
    yield finding("error", "data", where, messageOf(error), unreadable);
  } else throw error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Names an event: by its position, its stream and its version. */
function eventName(
  event: Pick<StoredEvent, "position" | "tenantId" | "streamId" | "version">,
): string {
  return `event ${event.version} of ${streamName(event)}, position ${event.position}`;
}

const failed = Symbol();

/** Parses JSON; null where there is none. */
function parse(json: string | null): unknown {
  try {
    return json === null ? null : JSON.parse(json);
  } catch {
    return failed; // the parser's own message would quote the text
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
