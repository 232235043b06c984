import { type ConsumerInfo, consumers as listConsumers, type StoredEvent } from "../../mod.ts";
import { type CatalogOptions, type DescribedEvent, eventCatalog } from "../evolution/catalog.ts";
import { inspected, type InspectedEvent } from "./event.ts";
import { scanLog } from "./log.ts";
import type { Source } from "./source.ts";
import { Tally, type TypeCount, type VersionCount } from "./types.ts";

/**
 * The event types of a store, and what of them is stored.
 *
 * @category Inspect
 */
export interface InspectedCatalogue {
  /** The types that the store was made with, by name. */
  readonly types: readonly InspectedType[];
  /** The types that were found in the log, and that the store was not made with; the most frequent first. */
  readonly unknown: readonly UnknownType[];
  /** The number of positions that were counted, in parts that are spread evenly over the log. */
  readonly sampled: number;
  /** Whether the whole log was counted, so that the counts are exact. */
  readonly complete: boolean;
  /** The settled position of the log when it was counted. */
  readonly head: number;
}

/**
 * An event type of a store, as plain JSON but for its example.
 *
 * @category Inspect
 */
export interface InspectedType extends DescribedEvent {
  /** The number of its events in the log, estimated from those that were counted. */
  readonly about: number;
  /** The versions of its schema among those that were counted, the highest first; older ones are upcast when read. */
  readonly versions: readonly VersionCount[];
  /** When its newest event was created, a UTC instant; undefined if none was found within the budget. */
  readonly lastAt: Date | undefined;
  /** Its newest event, with the masks of sensitive fields; undefined if none was found. */
  readonly example: InspectedEvent | undefined;
  /** The registered consumers whose filters take it. */
  readonly consumers: readonly Taker[];
}

/**
 * A consumer that takes an event type.
 *
 * @category Inspect
 */
export type Taker = Pick<ConsumerInfo, "tenantId" | "name" | "version">;

/**
 * A type in the log that a store was not made with.
 *
 * @category Inspect
 */
export interface UnknownType extends TypeCount {
  /** The number of its events in the log, estimated. */
  readonly about: number;
  /** Whether the store has it among its retired types. */
  readonly retired: boolean;
}

/** How many parts of the log are counted, and how many positions each of them has. */
const [parts, partSize] = [10, 1000];

/** Describes the event types of a store; see `Inspector.catalogue`. */
export async function catalogueOf(
  source: Source,
  toJsonSchema: CatalogOptions["toJsonSchema"],
): Promise<InspectedCatalogue> {
  const { events, retired } = eventCatalog(source.types, { toJsonSchema, retired: source.retired });
  const head = await source.session().settled();
  const tally = new Tally();
  const sampled = await count(source, head, tally);
  const about = (counted: number) => Math.round(counted * head / Math.max(1, sampled));
  const newest = await findNewest(source, events, head, tally);
  const consumers = await listConsumers(source.store);
  const counts = tally.types();
  const defined = new Set(events.flatMap(namesOf));
  const types = events.map(async (event): Promise<InspectedType> => {
    const names = namesOf(event);
    const found = counts.filter(({ type }) => names.includes(type));
    const last = newest.get(event.type);
    return {
      ...event,
      about: about(found.reduce((sum, { events }) => sum + events, 0)),
      versions: merged(found),
      lastAt: last && new Date(last.createdAt),
      example: last && (await inspected(source.masked(), [last]))[0],
      consumers: consumers.filter(({ filter }) => takes(filter.types, names))
        .map(({ tenantId, name, version }) => ({ tenantId, name, version })),
    };
  });
  return {
    types: await Promise.all(types),
    unknown: counts.filter(({ type }) => !defined.has(type)).map((found) => ({
      ...found,
      about: about(found.events),
      retired: retired.includes(found.type),
    })),
    sampled,
    complete: sampled === head,
    head,
  };
}

function namesOf({ type, aliases }: DescribedEvent): readonly string[] {
  return [type, ...aliases];
}

function takes(types: readonly string[] | undefined, names: readonly string[]): boolean {
  return types === undefined || names.some((name) => types.includes(name));
}

/** Adds up the versions of a type that is stored under several names. */
function merged(found: readonly TypeCount[]): readonly VersionCount[] {
  const sums = new Map<number, number>();
  for (const { version, events } of found.flatMap(({ versions }) => versions)) {
    sums.set(version, (sums.get(version) ?? 0) + events);
  }
  return [...sums].map(([version, events]) => ({ version, events }))
    .sort((a, b) => b.version - a.version);
}

/** Counts parts of the log that are spread evenly over it, the newest among them, or all of a short one. */
async function count(source: Source, head: number, tally: Tally): Promise<number> {
  const most = Math.min(parts * partSize, source.budget);
  if (head <= most) {
    await tally.count(source, 0, head);
    return head;
  }
  const size = Math.ceil(most / parts);
  for (let part = 1; part <= parts; part++) {
    const last = Math.floor(head * part / parts);
    await tally.count(source, Math.max(0, last - size), last);
  }
  return size * parts;
}

/**
 * Finds the newest event of each type within the budget: one search of the log, which stops at the first event of each
 * type and goes on without it. Of a type that is not there, the newest of the sample.
 */
async function findNewest(
  source: Source,
  types: readonly DescribedEvent[],
  head: number,
  tally: Tally,
): Promise<ReadonlyMap<string, StoredEvent>> {
  const newest = new Map<string, StoredEvent>();
  const missing = new Set(types);
  const first = Math.max(0, head - source.budget);
  for (let last = head; missing.size > 0 && last > first;) {
    const page = await scanLog(source, {
      query: {
        tenantId: source.tenantId,
        types: [...missing].flatMap(namesOf),
        categories: undefined,
        tags: undefined,
      },
      ...{ first, last, backwards: true, limit: 1, budget: Infinity },
    });
    for (const event of page.events) {
      const type = [...missing].find((type) => namesOf(type).includes(event.type))!;
      newest.set(type.type, event);
      missing.delete(type);
    }
    last = page.searchedTo - 1;
  }
  for (const type of missing) {
    const found = tally.newest(namesOf(type));
    if (found !== undefined) newest.set(type.type, found);
  }
  return newest;
}
