import type { Publisher, PublisherContext } from "../consumer/outbox.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { AnyEventType } from "../event/type.ts";
import { allSettledOrThrow } from "../async/settle.ts";
import { checkObject } from "../errors/check.ts";
import { binary, type Encoded, structured } from "./cloudevent.ts";
import { catalogOf, checkSource, encodeEvent } from "./encoding.ts";
import { partitionKey } from "./key.ts";

/**
 * Options that all publishers have in common.
 *
 * @category Publishers
 */
export interface PublisherOptions<Types extends readonly AnyEventType[]> {
  /** The event types of the store, as given to it. */
  readonly events: Types;
  /** Where the events happen, such as `"/shop"`: the source of their CloudEvents, see `encodeEvent`. */
  readonly source: string;
}

/**
 * Options of publishers to brokers.
 *
 * @category Publishers
 */
export interface BrokerOptions<Types extends readonly AnyEventType[]>
  extends PublisherOptions<Types> {
  /**
   * The mode of their CloudEvents: structured, one JSON document; or binary, with the data as the body and all else in
   * headers, of which brokers limit the size.
   * @default "structured"
   */
  readonly mode?: "structured" | "binary" | undefined;
}

/**
 * A publisher that keeps a connection to a broker. It opens it when it is first needed, and opens another when it is lost:
 * what was not confirmed by then is rejected, and the outbox tries it again.
 *
 * @category Publishers
 */
export interface BrokerPublisher<E extends Event = Event> extends Publisher<E> {
  /** Publishes an event, and resolves when the broker has confirmed it. */
  (event: RecordedEvent<E>, context: PublisherContext): Promise<void>;
  /** Publishes events, those of a stream in order, and resolves when the broker has confirmed them all. */
  readonly batch: (
    events: readonly RecordedEvent<E>[],
    context: PublisherContext,
  ) => Promise<void>;
  /**
   * Closes the connection, if it is open; call it when the outbox has ended. It never rejects, and waits for a broker that
   * does not answer for at most a second. Later calls of the publisher are rejected.
   */
  readonly close: () => Promise<void>;
}

/**
 * Checks the options that all publishers have, and returns what encodes events as CloudEvents.
 *
 * @throws {TypeError} If one is malformed.
 */
export function encoderOf(
  options: BrokerOptions<readonly AnyEventType[]>,
  prefix: Parameters<typeof binary>[1],
): (event: RecordedEvent) => Encoded {
  const { events, source, mode = "structured" } = checkObject("options", options);
  catalogOf(events);
  checkSource(source);
  if (mode !== "structured" && mode !== "binary") {
    throw new TypeError('mode must be "structured" or "binary"');
  }
  return (event) => {
    const encoded = encodeEvent(events, event, source);
    return mode === "binary" ? binary(encoded, prefix) : structured(encoded);
  };
}

/**
 * Sends events side by side, but an event only once the one before it in its stream was sent: where a broker refuses one
 * of a stream, none after it has overtaken it.
 */
export async function inStreams<E extends RecordedEvent>(
  events: readonly E[],
  send: (event: E) => Promise<void>,
): Promise<void> {
  const last = new Map<string, Promise<void>>();
  await allSettledOrThrow(events.map((event) => {
    const key = partitionKey(event);
    const before = last.get(key);
    const sending = before === undefined ? send(event) : before.then(() => send(event));
    last.set(key, sending);
    return sending;
  }));
}
