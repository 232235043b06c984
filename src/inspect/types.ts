import type { StoredEvent } from "../../mod.ts";
import { checkNumber, checkObject } from "../errors/check.ts";
import { scanLog } from "./log.ts";
import type { Source } from "./source.ts";

/**
 * Which events to count.
 *
 * @category Inspect
 */
export interface TypeSearch {
  /** How many of the newest positions, within the inspector's budget. @default 10_000 */
  readonly within?: number | undefined;
}

/**
 * The events of a type among those that were counted.
 *
 * @category Inspect
 */
export interface TypeCount {
  /** The name of the type, as stored: an older one where it was renamed since. */
  readonly type: string;
  /** The number of its events. */
  readonly events: number;
  /** The versions of its schema that wrote them, the highest first. */
  readonly versions: readonly VersionCount[];
  /** The position of the newest of them. */
  readonly position: number;
  /** When the newest of them was created, a UTC instant. */
  readonly lastAt: Date;
}

/**
 * How many events a version of a schema has written.
 *
 * @category Inspect
 */
export interface VersionCount {
  /** The version. */
  readonly version: number;
  /** The number of its events. */
  readonly events: number;
}

/**
 * The events by type.
 *
 * @category Inspect
 */
export interface TypesResult {
  /** The types, the most frequent first. */
  readonly types: readonly TypeCount[];
  /** The position down to which the log was counted, itself included. */
  readonly searchedTo: number;
  /** Whether the log was counted to its beginning. */
  readonly complete: boolean;
  /** The settled position of the log when it was counted. */
  readonly head: number;
}

/** Counts the newest events by type; see `Inspector.types`. */
export async function typesWithin(source: Source, search: TypeSearch): Promise<TypesResult> {
  const { within = 10_000 } = checkObject("search", search);
  checkNumber("within", within, 1);
  const head = await source.session().settled();
  const first = Math.max(0, head - Math.min(within, source.budget));
  const tally = new Tally();
  await tally.count(source, first, head);
  return { types: tally.types(), searchedTo: first + 1, complete: first === 0, head };
}

/** The events of a page: their data is read, too. */
const pageSize = 1000;

/** Counts events by the names of their types as stored. */
export class Tally {
  readonly #types: Map<string, { versions: Map<number, number>; newest: StoredEvent }> = new Map();

  /** Counts the events after a position, up to another. */
  async count(source: Source, first: number, last: number): Promise<void> {
    const { tenantId } = source;
    const query = { tenantId, types: undefined, categories: undefined, tags: undefined };
    const range = { query, last, backwards: false, limit: pageSize, budget: Infinity };
    for (let after = first; after < last;) {
      const { events, searchedTo } = await scanLog(source, { ...range, first: after });
      for (const event of events) this.#add(event);
      after = searchedTo;
    }
  }

  /** Returns the types, the most frequent first. */
  types(): readonly TypeCount[] {
    const types = [...this.#types].map(([type, { versions, newest }]): TypeCount => ({
      type,
      events: [...versions.values()].reduce((sum, events) => sum + events, 0),
      versions: [...versions].map(([version, events]) => ({ version, events }))
        .sort((a, b) => b.version - a.version),
      position: newest.position,
      lastAt: new Date(newest.createdAt),
    }));
    return types.sort((a, b) => b.events - a.events || (a.type < b.type ? -1 : 1));
  }

  /** Returns the newest event that was counted of any of these types. */
  newest(types: readonly string[]): StoredEvent | undefined {
    return types.flatMap((type) => this.#types.get(type)?.newest ?? [])
      .sort((a, b) => b.position - a.position)[0];
  }

  #add(event: StoredEvent): void {
    const { type, schemaVersion, position } = event;
    const found = this.#types.get(type) ?? { versions: new Map(), newest: event };
    found.versions.set(schemaVersion, (found.versions.get(schemaVersion) ?? 0) + 1);
    if (position >= found.newest.position) found.newest = event;
    this.#types.set(type, found);
  }
}
