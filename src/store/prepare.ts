import type { Catalog } from "../codec/catalog.ts";
import type { Sealable } from "../codec/sealer.ts";
import type { AppendRequest, StreamWrite } from "../driver/append.ts";
import type { ExpectedVersion } from "../driver/version.ts";
import type { Event, Metadata } from "../event/event.ts";
import type { StreamAppend } from "./writer.ts";
import {
  checkBoolean,
  checkFunction,
  checkName,
  checkNumber,
  checkObject,
  wrongType,
} from "../errors/check.ts";
import { DuplicateEventError } from "../errors/store.ts";
import { defaultsOf } from "../event/define.ts";
import { freezeEvent, noMetadata } from "../event/freeze.ts";
import { categoryOf, slotOf } from "../event/stream.ts";

/** A checked and encoded append: the events as they will be recorded, stream by stream, and the driver's request. */
export type Prepared = Sealable;

/** The events for one stream, checked but not yet completed and encoded. */
export interface Accepted extends Omit<StreamWrite, "slot" | "events"> {
  readonly events: readonly Event[];
}

/** What belongs to an append as a whole: its condition, and the signal that takes it out. */
export type Terms = Pick<AppendRequest, "condition" | "signal">;

/** The store options that determine how events are completed. */
interface PreparerOptions {
  readonly publishes?: unknown;
  readonly clock?: (() => Date) | undefined;
  readonly generateId?: (() => string) | undefined;
}

/** Turns the arguments of an append into a request: checks everything, completes the metadata and encodes. */
export class Preparer<E extends Event> {
  readonly #catalog: Catalog<E>;
  readonly #publishes: (event: Event) => boolean;
  readonly #clock: (() => Date) | undefined;
  readonly #generateId: (() => string) | undefined;
  /** The completed copies of given events, so that an event that is appended again gets the same id and time. */
  readonly #stamped: WeakMap<Event, Event> = new WeakMap();

  constructor(catalog: Catalog<E>, { publishes, clock, generateId }: PreparerOptions) {
    if (clock !== undefined) checkFunction("clock", clock);
    if (generateId !== undefined) checkFunction("generateId", generateId);
    this.#catalog = catalog;
    this.#publishes = readPublishes(publishes);
    this.#clock = clock;
    this.#generateId = generateId;
  }

  /** Checks what is to be appended; the events get their ids and times. */
  accept(appends: readonly StreamAppend[]): readonly Accepted[] {
    if (!Array.isArray(appends)) throw wrongType("appends", listed, appends);
    if (appends.length === 0) throw new RangeError("Cannot append to 0 streams");
    // Copied first: `map` would skip the holes of a sparse array.
    const accepted = [...appends].map((append): Accepted => {
      if (typeof append !== "object" || append === null) throw wrongType("appends", listed, append);
      const { streamId, events, expectedVersion = "any", expectedEventId } = append;
      for (const term of ["condition", "signal"]) {
        if (!(term in append)) continue;
        throw new TypeError(`${term} belongs to the whole step, in the options`);
      }
      checkName("streamId", streamId);
      const list: readonly Event[] = Array.isArray(events) ? events : [events];
      if (list.length === 0) throw new RangeError("Cannot append 0 events");
      checkExpectedVersion(expectedVersion);
      if (expectedEventId !== undefined) checkExpectedId(expectedEventId, expectedVersion);
      return {
        streamId,
        category: categoryOf(streamId),
        expectedVersion,
        ...(expectedEventId !== undefined && { expectedEventId }),
        events: [...list].map((event) => this.#accept(event)),
      };
    });
    refuseDuplicates(accepted);
    return accepted;
  }

  /**
   * Prepares an append.
   *
   * @param metadata Defaults for the metadata of every event.
   * @param publish Whether all events are published to the outbox.
   * @param terms What belongs to the request as a whole.
   */
  prepare(
    accepted: readonly Accepted[],
    tenantId: string,
    metadata: Metadata,
    publish: boolean,
    terms?: Terms,
  ): Prepared {
    const streams = accepted.map(({ events }) => events.map((event) => complete(event, metadata)));
    const writes = accepted.map((write, index): StreamWrite => ({
      ...write,
      slot: slotOf(tenantId, write.streamId),
      events: streams[index]!.map((event) =>
        this.#catalog.encode(event, publish || this.#publishes(event))
      ),
    }));
    return { streams, request: { tenantId, writes, ...terms } };
  }

  /** Returns the time by the store's clock. */
  now(): Date {
    return this.#clock?.() ?? new Date();
  }

  /** Returns the event of a known type, frozen, with id and time. */
  #accept(given: Event): Event {
    return this.#clock === undefined && this.#generateId === undefined
      ? this.#catalog.accept(given)
      : this.#stamp(given);
  }

  #stamp(given: Event): Event {
    const known = this.#stamped.get(given);
    if (known !== undefined) return known;
    const event = this.#catalog.accept(given);
    const defaults = defaultsOf(given);
    if (defaults === undefined) return event; // made by hand: it has both, and may change
    const stamped = freezeEvent({
      ...event,
      id: defaults.id && this.#generateId ? this.#generateId() : event.id,
      createdAt: defaults.createdAt && this.#clock ? this.#clock() : event.createdAt,
    });
    this.#stamped.set(given, stamped);
    return stamped;
  }
}

/** Returns the event as it will be recorded, with its correlation. */
function complete(event: Event, metadata: Metadata): Event {
  const { type, id, createdAt, data, tags, metadata: own } = event;
  const correlationId = own.correlationId ?? metadata.correlationId ?? id;
  // Most events have no metadata: spreading two empty objects would take longer than the rest of this function.
  const completed = own === noMetadata && metadata === noMetadata
    ? Object.freeze({ correlationId })
    : Object.freeze({ ...metadata, ...own, correlationId });
  return { type, id, createdAt, data, metadata: completed, tags };
}

/** What `appends` must be. */
const listed = "a list of { streamId, events }";

function readPublishes(publishes: unknown): (event: Event) => boolean {
  if (publishes === undefined) return () => false;
  if (publishes === true) return () => true;
  if (typeof publishes !== "function") {
    throw wrongType("publishes", "true or a function", publishes);
  }
  return (event) => {
    const answer: unknown = publishes(event);
    checkBoolean("the answer of publishes", answer);
    return answer;
  };
}

function refuseDuplicates(writes: readonly Accepted[]): void {
  if (writes.length === 1 && writes[0]!.events.length === 1) return;
  const streamIds = new Set<string>();
  const ids = new Set<string>();
  for (const { streamId, events } of writes) {
    if (streamIds.has(streamId)) {
      throw new TypeError("Cannot append to one stream twice: join its events");
    }
    streamIds.add(streamId);
    for (const { id } of events) {
      if (ids.has(id)) throw new DuplicateEventError(id);
      ids.add(id);
    }
  }
}

/**
 * Checks an expected version.
 *
 * @throws {TypeError | RangeError} If it is neither a whole number nor one of the three words.
 */
export function checkExpectedVersion(expected: unknown): asserts expected is ExpectedVersion {
  if (typeof expected === "number") return checkNumber("expectedVersion", expected);
  if (expected === "any" || expected === "noStream" || expected === "streamExists") return;
  throw wrongType("expectedVersion", 'a number, "any", "noStream" or "streamExists"', expected);
}

function checkExpectedId(expectedEventId: unknown, expectedVersion: ExpectedVersion): void {
  checkName("expectedEventId", expectedEventId);
  if (typeof expectedVersion !== "number" || expectedVersion === 0) {
    throw new TypeError("expectedEventId needs an expectedVersion from 1");
  }
}

/** The option that `EventStoreOptions` narrows to the names that are given. */
export interface RetiredOption {
  readonly retired?: readonly string[] | undefined;
}

/** Checks what a store is made of, as far as nothing else does. */
export function checkOptions(
  driver: { readonly append: unknown },
  options: {
    readonly events: unknown;
    readonly unknownEvents?: unknown;
    readonly observer?: unknown;
  },
): void {
  if (typeof driver?.append !== "function") {
    throw new TypeError("driver must be a driver");
  }
  if (!Array.isArray(options?.events)) {
    throw wrongType("events", "a list of event types", options?.events);
  }
  const { unknownEvents, observer } = options;
  if (observer !== undefined) checkObject("observer", observer);
  if (unknownEvents !== undefined && unknownEvents !== "error" && unknownEvents !== "keep") {
    throw new TypeError('unknownEvents must be "error" or "keep"');
  }
}
