import {
  type Event,
  type EventSourceryErrorCode,
  isEventSourceryError,
  type RecordedEvent,
  type StoredEvent,
} from "../../mod.ts";
import { describe } from "../errors/describe.ts";
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
  { session, open, decode, redact, masks }: Source<E>,
  events: readonly StoredEvent[],
): Promise<readonly InspectedEvent<E>[]> {
  // Decoding changes the parsed JSON.
  const opened = await open(session(), events.map((stored) => structuredClone(stored)));
  return events.map((stored, index) => {
    try {
      const event = decode(opened[index]!);
      return { stored: redact(stored, event), event, problem: undefined };
    } catch (error) {
      const problem = problemOf(error, masks);
      return { stored: redact(stored, undefined), event: undefined, problem };
    }
  });
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
