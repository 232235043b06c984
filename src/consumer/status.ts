import type { ConsumerFailure, ConsumerState, LaneState } from "../driver/checkpoints.ts";
import type { ConsumerPlan } from "../engine/plan.ts";

/** The state of a consumer. */
export interface ConsumerStatus {
  /** The checkpoint: that of the lane which is furthest behind. */
  readonly position: number;
  /** The settled position of the log. */
  readonly head: number;
  /** How far the checkpoint is behind it, in positions: they have holes, so there are at most as many events. */
  readonly lag: number;
  /** When the first event that it has not passed was created, a UTC instant: the lag as time; undefined without one. */
  readonly oldest: Date | undefined;
  /** How many streams wait for a retry that is made by itself. */
  readonly retrying: number;
  /** How many streams stay parked until `redrive` or `discard`. */
  readonly parked: number;
  /** Whether the log holds anything that was published, which is all that an outbox hands over. */
  readonly published: boolean;
  /** Its lanes, by number; empty where it has never run. */
  readonly lanes: readonly LaneStatus[];
  /** A worker that is working on it at this moment, or has vanished lately; undefined where there is none. */
  readonly owner: string | undefined;
  /**
   * When a process that runs it was last seen, a UTC instant: an idle process is seen every few seconds, but not more often
   * than it polls, and during a long pass `owner` is what shows it. Undefined where it was never run by `run()`.
   */
  readonly seenAt: Date | undefined;
  /** Whether nothing succeeded any more when it last ran. */
  readonly stalled: boolean;
  /** The error that ended a run in any process, until the consumer runs again; undefined where there is none. */
  readonly error: ConsumerFailure | undefined;
}

/** The state of one lane of a consumer. */
export interface LaneStatus {
  /** Its number, from 0. */
  readonly lane: number;
  /** Its checkpoint. */
  readonly position: number;
  /** The worker that holds its lease; undefined where none does. */
  readonly owner: string | undefined;
  /** When the lease runs out unless it is renewed, a UTC instant; undefined where no worker holds it. */
  readonly leasedUntil: Date | undefined;
  /** How often in a row its worker vanished without releasing it. */
  readonly crashes: number;
}

/** Reads the status of a consumer. */
export async function statusOf(plan: ConsumerPlan): Promise<ConsumerStatus> {
  const { driver, query: { tenantId } } = plan;
  const [state, head] = await Promise.all([stateOf(plan), driver.settled()]);
  const stored = storedStatus(state);
  const publishedEvent = { ...nothing, tenantId, published: true, after: 0, until: head, limit: 1 };
  const [oldest, { events }] = await Promise.all([
    oldestOf(plan, state.lanes, head),
    driver.scan(publishedEvent),
  ]);
  return {
    ...stored,
    head,
    lag: Math.max(0, head - stored.position),
    oldest,
    published: events.length > 0,
  };
}

/** Returns the part of the status that needs no look at the log. */
export function storedStatus(
  { lanes, retrying, parked, seenAt, failure }: ConsumerState,
): Omit<ConsumerStatus, "head" | "lag" | "oldest" | "published"> {
  return {
    position: lanes.length === 0 ? 0 : Math.min(...lanes.map(({ position }) => position)),
    retrying,
    parked,
    lanes: lanes.map(({ lane, position, owner, leasedUntil, crashes = 0 }) => ({
      ...{ lane, position, owner, crashes },
      leasedUntil: leasedUntil === undefined ? undefined : new Date(leasedUntil),
    })),
    owner: lanes.find(({ owner }) => owner !== undefined)?.owner,
    seenAt: seenAt === undefined ? undefined : new Date(seenAt),
    stalled: lanes.some(({ stalled }) => stalled),
    error: failure,
  };
}

const nothing = { categories: undefined, types: undefined, tags: undefined };

/** Reads what the database knows of a consumer; from a driver without `list`, what its other members know. */
async function stateOf({ checkpoints, key, filter }: ConsumerPlan): Promise<ConsumerState> {
  const unseen = { ...key, filter, seenAt: undefined, failure: undefined };
  if (checkpoints.list !== undefined) {
    const [found] = await checkpoints.list(key);
    return found ?? { ...unseen, lanes: [], retrying: 0, parked: 0 };
  }
  const [lanes, waiting] = [await checkpoints.lanes(key), await checkpoints.parked(key)];
  const parked = waiting.filter(({ delay }) => delay === undefined).length;
  return { ...unseen, lanes, retrying: waiting.length - parked, parked };
}

/**
 * Looks for the first event that a lane has not passed, lane by lane from the one furthest behind: none is asked that is
 * beyond what was found. A consumer that has caught up asks nothing.
 */
async function oldestOf(
  { driver, query }: ConsumerPlan,
  states: readonly LaneState[],
  head: number,
): Promise<Date | undefined> {
  const lanes = states.length === 0 ? [{ lane: 0, position: 0 }] : states;
  let found: { readonly position: number; readonly createdAt: string | number } | undefined;
  for (const { lane, position } of lanes.toSorted((a, b) => a.position - b.position)) {
    const until = Math.min(head, (found?.position ?? Infinity) - 1);
    if (position >= until) break;
    const filter = lanes.length > 1 ? { lane, lanes: lanes.length } : undefined;
    const { events } = await driver.scan({
      ...query,
      lane: filter,
      after: position,
      until,
      limit: 1,
    });
    found = events[0] ?? found;
  }
  return found && new Date(found.createdAt);
}
