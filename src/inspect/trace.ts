import type { Event, StoredEvent } from "../../mod.ts";
import { checkName, checkNumber, checkObject } from "../errors/check.ts";
import { inspected, type InspectedEvent } from "./event.ts";
import type { EventPage } from "./log.ts";
import { need, type Source } from "./source.ts";

/**
 * Which part of a flow to show.
 *
 * @category Inspect
 */
export interface FlowSearch {
  /** Only events after this position. @default from the first */
  readonly after?: number | undefined;
  /** The greatest number of events that are read. @default 1000 */
  readonly limit?: number | undefined;
}

/**
 * A flow: the events that share a correlation id.
 *
 * @category Inspect
 */
export interface InspectedTrace<out E extends Event = Event> {
  /** What they share. */
  readonly correlationId: string;
  /** The number of events in the trees. */
  readonly events: number;
  /** The events whose cause is not among those that were read, by position. */
  readonly roots: readonly InspectedNode<E>[];
  /** The position of the last event that was read: the next page begins after it. */
  readonly searchedTo: number;
  /** Whether all that follow were read. */
  readonly complete: boolean;
}

/**
 * An event of a flow, with what followed from it.
 *
 * @category Inspect
 */
export interface InspectedNode<out E extends Event = Event> extends InspectedEvent<E> {
  /** The events that name it as their cause, by position. */
  readonly effects: readonly InspectedNode<E>[];
}

/** Reads a flow; see `Inspector.trace`. */
export async function traced<E extends Event>(
  source: Source<E>,
  correlationId: string,
  search: FlowSearch,
): Promise<InspectedTrace<E> | undefined> {
  const { events, after, ...searched } = await flow(source, correlationId, search);
  if (events.length === 0 && after === 0) return undefined;
  const roots: InspectedNode<E>[] = [];
  const lists = new Map<string, InspectedNode<E>[]>();
  for (const event of await inspected(source, events)) {
    const { metadata, id } = event.stored;
    const effects: InspectedNode<E>[] = [];
    // A cause that comes later is none, so that trees end.
    const list = lists.get(String(metadata["causationId"])) ?? roots;
    list.push({ ...event, effects });
    lists.set(id, effects);
  }
  return { correlationId, events: events.length, roots, ...searched };
}

/** Finds what an event has caused; see `Inspector.caused`. */
export async function caused<E extends Event>(
  source: Source<E>,
  id: string,
  search: FlowSearch,
): Promise<EventPage<E> | undefined> {
  const event = await findEvent(source, id);
  if (event === undefined) return undefined;
  const { after = event.position, limit } = checkObject("search", search);
  const { correlationId = id } = event.metadata;
  const found = await flow(source, String(correlationId), { after, limit });
  const effects = found.events.filter(({ metadata }) => metadata["causationId"] === id);
  const { searchedTo, complete } = found;
  return { events: await inspected(source, effects), searchedTo, complete };
}

/** Finds an event by its id; see `Inspector.event`. */
export async function findEvent(
  source: Source,
  id: string,
): Promise<StoredEvent | undefined> {
  checkName("id", id);
  const session = source.session();
  need(session.find !== undefined, "find", "find an event by its id");
  return await session.find!(source.tenantId ?? "", id);
}

/** Reads the events of a flow page by page, up to the limit. */
async function flow(source: Source, correlationId: string, search: FlowSearch) {
  checkName("correlationId", correlationId);
  const { after = 0, limit = 1000 } = checkObject("search", search);
  checkNumber("after", after);
  checkNumber("limit", limit, 1, 10_000);
  const session = source.session();
  need(session.correlated !== undefined, "correlated", "trace a flow");
  const events: StoredEvent[] = [];
  let more = true;
  while (more && events.length < limit) {
    const page = await session.correlated!({
      tenantId: source.tenantId ?? "",
      correlationId,
      after: events.at(-1)?.position ?? after,
      limit: limit - events.length,
    });
    events.push(...page.events);
    more = page.more;
  }
  return { events, after, searchedTo: events.at(-1)?.position ?? after, complete: !more };
}
