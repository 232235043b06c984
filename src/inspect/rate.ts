import type { ProbedEvent } from "../../mod.ts";
import { checkInstant, checkNumber, checkObject } from "../errors/check.ts";
import { need, type Source } from "./source.ts";

/**
 * The window of a chart.
 *
 * @category Inspect
 */
export interface RateSearch {
  /** Where it begins, a UTC instant. */
  readonly since: Date;
  /** Where it ends, a UTC instant. @default now */
  readonly until?: Date | undefined;
  /** The greatest number of its parts: one look at an event each. @default 60 */
  readonly buckets?: number | undefined;
}

/**
 * How many events were appended in a part of a window.
 *
 * @category Inspect
 */
export interface RateBucket {
  /** Where it begins, a UTC instant. */
  readonly since: Date;
  /** Where it ends, a UTC instant: after `since`. */
  readonly until: Date;
  /** The positions in it; these have gaps, so there may be fewer events. */
  readonly events: number;
  /** These, divided by its seconds. */
  readonly perSecond: number;
}

/** Measures how fast the log grew; see `Inspector.rate`. */
export async function rate(
  source: Source,
  search: RateSearch,
): Promise<readonly RateBucket[]> {
  const { since, until = new Date(), buckets = 60 } = checkObject("search", search);
  checkInstant("since", since);
  checkInstant("until", until);
  checkNumber("buckets", buckets, 1, 1000);
  if (until <= since) return [];
  const session = source.session();
  need(session.probe !== undefined, "probe", "find the position of an instant");
  const [first, last] = await Promise.all([since, until].map((at) => source.store.positionAt(at)));
  const ends = boundaries(first!, last!, buckets);
  const events = ends.length === 0 ? [] : await session.probe!(ends);
  const inner = events.filter((event) => event !== undefined)
    .filter(({ position, createdAt }) => position <= last! && new Date(createdAt) < until);
  return bucketsOf([
    { position: first!, createdAt: since.getTime() },
    ...inner,
    { position: last!, createdAt: until.getTime() },
  ]);
}

/** The positions between two others that part them evenly. */
function boundaries(first: number, last: number, parts: number): readonly number[] {
  const count = Math.min(parts, last - first) - 1;
  const step = (last - first) / (count + 1);
  return Array.from(
    { length: Math.max(0, count) },
    (_, index) => Math.floor(first + (index + 1) * step),
  );
}

/** The parts between events. One whose time does not rise above that before is passed over. */
function bucketsOf([start, ...ends]: readonly ProbedEvent[]): readonly RateBucket[] {
  const found: RateBucket[] = [];
  let [position, since] = [start!.position, new Date(start!.createdAt)];
  for (const end of ends) {
    const until = new Date(end.createdAt);
    if (!(until > since)) continue;
    const events = end.position - position;
    found.push({ since, until, events, perSecond: events / ((+until - +since) / 1000) });
    [position, since] = [end.position, until];
  }
  return found;
}
