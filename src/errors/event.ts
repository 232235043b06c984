import { EventSourceryError, quote } from "./base.ts";

/**
 * Two event types of one store share a name or an alias.
 *
 * What to do: rename one of the two event types, or remove the alias that equals the other's name.
 *
 * @category Errors
 */
export class DuplicateEventTypeError extends EventSourceryError {
  /** `"DUPLICATE_EVENT_TYPE"`: the store was not made. */
  declare readonly code: "DUPLICATE_EVENT_TYPE";
  /** The name or alias that both have. */
  declare readonly type: string;

  /** Makes the message, which contains the name. */
  constructor(type: string) {
    super(
      "DUPLICATE_EVENT_TYPE",
      `Cannot make an event store: two event types are named ${quote(type)}`,
    );
    this.type = type;
  }
}

/**
 * A problem with an event's data or metadata.
 *
 * @category Errors
 */
export interface Issue {
  /** The problem in the schema's words; may quote data, so it is never part of an error's message. */
  readonly message: string;
  /** The keys that lead to it, outermost first; empty for the whole value. */
  readonly path: readonly PropertyKey[];
}

/**
 * An event's data, metadata, id, time or tags cannot be used; nothing was made or stored.
 *
 * What to do: correct what `issues` lists, each with its path.
 *
 * @category Errors
 */
export class InvalidEventError extends EventSourceryError {
  /** `"INVALID_EVENT"`: nothing was made or stored. */
  declare readonly code: "INVALID_EVENT";
  /** The name of the event's type; `"unknown"` where the event could not be read. */
  declare readonly type: string;
  /** All problems, each with its path. */
  declare readonly issues: readonly Issue[];

  /** Makes the message, which lists the paths of at most ten issues. */
  constructor(
    type: string,
    issues: readonly Issue[],
    options?: ErrorOptions & { readonly reason?: string },
  ) {
    const paths = [...new Set(issues.map(({ path }) => formatPath(path)))].slice(0, 10).join(", ");
    super(
      "INVALID_EVENT",
      `Cannot use event ${quote(type)}: ${options?.reason ?? "invalid data"} at ${paths}`,
      options,
    );
    this.type = type;
    this.issues = issues;
  }
}

/**
 * A stored event, or one to be appended, is of a type that the store was not made with.
 *
 * What to do: add the type to the store's `events`, name it among the `aliases` of its new name, list it as `retired`, or
 * read with `unknownEvents: "keep"`.
 *
 * @category Errors
 */
export class UnknownEventTypeError extends EventSourceryError {
  /** `"UNKNOWN_EVENT_TYPE"`: nothing was stored, or the read has ended. */
  declare readonly code: "UNKNOWN_EVENT_TYPE";
  /** The `type` of the event, stored or to be stored. */
  declare readonly type: string;

  /** Makes the message, which names the type and the ways out. */
  constructor(type: string) {
    super(
      "UNKNOWN_EVENT_TYPE",
      `Cannot use event type ${quote(type)}: it is not among the store's events; ` +
        'add it to "events" or "aliases", or read with unknownEvents: "keep"',
    );
    this.type = type;
  }
}

/**
 * A stored event was written by a newer release of the program: its type has a later schema version than this one knows.
 *
 * What to do: run the release that wrote it, or a later one; consumers wait until one takes their lanes.
 *
 * @category Errors
 */
export class NewerEventError extends EventSourceryError {
  /** `"NEWER_EVENT"`: the read has ended at this event. */
  declare readonly code: "NEWER_EVENT";
  /** The name of the event's type, as stored. */
  declare readonly type: string;
  /** The schema version of the stored event. */
  declare readonly schemaVersion: number;
  /** The latest schema version of the type that the store knows. */
  declare readonly latest: number;

  /** Makes the message, which names the type and both versions. */
  constructor(type: string, schemaVersion: number, latest: number) {
    super(
      "NEWER_EVENT",
      `Cannot read an event of type ${quote(type)}: it has schema version ${schemaVersion}, ` +
        `the store knows ${latest}`,
    );
    this.type = type;
    this.schemaVersion = schemaVersion;
    this.latest = latest;
  }
}

/**
 * A stored event cannot be read: its data does not decode, or an upcaster threw.
 *
 * What to do: look at the `cause`; fix the upcaster that threw, or the row that was changed by hand.
 *
 * @category Errors
 */
export class CorruptEventError extends EventSourceryError {
  /** `"CORRUPT_EVENT"`: the read has ended at this event. */
  declare readonly code: "CORRUPT_EVENT";
  /** The stream of the event, in the tenant that the read was scoped to. */
  declare readonly streamId: string;
  /** The version of the event in its stream. */
  declare readonly version: number;

  /** Makes the message, which names the event by its stream and version. */
  constructor(streamId: string, version: number, reason: string, options?: ErrorOptions) {
    super(
      "CORRUPT_EVENT",
      `Cannot read event ${version} of stream ${quote(streamId)}: ${reason}`,
      options,
    );
    this.streamId = streamId;
    this.version = version;
  }
}

/**
 * The key of a subject cannot be had, so its sensitive fields can be neither sealed nor opened. It is not forgotten: that
 * reads as masks.
 *
 * What to do: give the store the `keys` that the events were sealed with, or bring the place of the keys back; consumers
 * wait until then.
 *
 * @category Errors
 */
export class KeyUnavailableError extends EventSourceryError {
  /** `"KEY_UNAVAILABLE"`: nothing was stored, or the read has ended. */
  declare readonly code: "KEY_UNAVAILABLE";
  /** `true`: once the keys are back, the same call succeeds. */
  override readonly retryable = true;

  /** Makes the message, which names no subject. */
  constructor(action: string, reason: string, options?: ErrorOptions) {
    super("KEY_UNAVAILABLE", `Cannot ${action}: ${reason}`, options);
  }
}

/** Formats a path as in code: `"lines[2].price"`. */
function formatPath(path: readonly PropertyKey[]): string {
  const text = path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("");
  return text === "" ? "the top" : quote(text.replace(/^\./, ""));
}
