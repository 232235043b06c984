import {
  type Event,
  type EventSourceryErrorCode,
  isEventSourceryError,
  type RecordedEvent,
  type StoredEvent,
} from "../../mod.ts";
import { describe } from "../errors/describe.ts";
import { plainOf, shapeOf } from "./plain.ts";
import type { Source } from "./source.ts";

/**
 * An event as it is stored, and as the store reads it. One that the store cannot read has a problem instead of an
 * event, so that a page never fails for one of its events.
 *
 * @category Inspect
 */
export interface InspectedEvent<out E extends Event = Event> {
  /** The event as it is stored: JSON, and nothing of it converted. */
  readonly stored: StoredEvent;
  /** The event as the store reads it; undefined if it cannot. */
  readonly event: RecordedEvent<E> | undefined;
  /** Why the store cannot read it; undefined if it can. */
  readonly problem: Problem | undefined;
}

/**
 * Why something cannot be shown.
 *
 * @category Inspect
 */
export interface Problem {
  /** The code of the error, such as `"UNKNOWN_EVENT_TYPE"`; undefined where another one was thrown. */
  readonly code: EventSourceryErrorCode | undefined;
  /** The message of the error, and of its cause, which may quote data. */
  readonly message: string;
}

/** Decodes stored events as far as the store can. */
export async function inspected<E extends Event>(
  { session, open, decode, redact, masks, shape }: Source<E>,
  events: readonly StoredEvent[],
): Promise<readonly InspectedEvent<E>[]> {
  // Decoding changes the parsed JSON.
  const opened = await open(session(), events.map((stored) => structuredClone(stored)));
  const all = events.map((stored, index) => {
    try {
      const event = decode(opened[index]!);
      return { stored: redact(stored, event), event, problem: undefined };
    } catch (error) {
      const problem = problemOf(error, masks);
      return { stored: redact(stored, undefined), event: undefined, problem };
    }
  });
  return !shape ? all : all.map(({ stored, event, problem }) => ({
    stored: shapedEvent(stored),
    event: event && shapedEvent(event),
    problem: problem && shapedProblem(problem),
  }));
}

/**
 * Describes an error.
 *
 * @param masked Whether to leave out its cause, which may be in the words of an upcaster, about data that is not masked.
 */
export function problemOf(error: unknown, masked: boolean = false): Problem {
  const code = isEventSourceryError(error) ? error.code : undefined;
  const cause = isEventSourceryError(error) && error.cause !== undefined && !masked
    ? `: ${describe(error.cause)}`
    : "";
  return { code, message: `${describe(error)}${cause}` };
}

/** Returns an event with the shapes of its data, tags and metadata, but with the ids that lead to other events. */
function shapedEvent<E extends StoredEvent | RecordedEvent<Event>>(event: E): E {
  const { data, tags, metadata: { correlationId, causationId, ...others } } = event;
  return {
    ...event,
    data: data === undefined ? undefined : shapeOf(plainOf(data)),
    tags: tags.map(shapeOf),
    metadata: {
      ...Object.fromEntries(Object.entries(others).map(([key, item]) => [key, shapeOf(item)])),
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(causationId === undefined ? {} : { causationId }),
    },
  };
}

/** Returns a problem without its words, which may quote data. */
export function shapedProblem({ code, message }: Problem): Problem {
  return { code, message: shapedError(message, code) };
}

/** Returns the code of an error, or else the length of its words. */
export function shapedError(message: string, code?: string | undefined): string {
  return code ?? String(shapeOf(message));
}
