import type { ConsumerFailure, ConsumerState, LaneState } from "../driver/checkpoints.ts";
import type { ConsumerPlan } from "../engine/plan.ts";

/**
 * The state of a consumer.
 *
 * @category Consumers
 */
export interface ConsumerStatus {
  /** The checkpoint: that of the lane which is furthest behind. */
  readonly position: number;
  /** The settled position of the log. */
  readonly head: number;
  /** The distance from the checkpoint to the head, in positions; these have gaps, so there may be fewer events. */
  readonly lag: number;
  /** When the first event that it has not passed was created, a UTC instant; undefined if it has caught up. */
  readonly oldest: Date | undefined;
  /** The number of parked streams that are retried automatically. */
  readonly retrying: number;
  /** The number of streams that stay parked until `redrive` or `discard`. */
  readonly parked: number;
  /** Whether the log holds any published event; an outbox hands over no others. */
  readonly published: boolean;
  /** The lanes by number; empty if it has never run. */
  readonly lanes: readonly LaneStatus[];
  /** A worker that holds a lease now: it is running a pass, or has vanished recently; undefined if there is none. */
  readonly owner: string | undefined;
  /**
   * The last sign of life of a process that runs it, a UTC instant: an idle one gives it every few seconds, but not
   * more often than it polls; during a long pass, see `owner`. Undefined if it was never run by `run()`.
   */
  readonly seenAt: Date | undefined;
  /** Whether its last pass ended because nothing succeeded. */
  readonly stalled: boolean;
  /** The error that ended a run in any process, until the consumer runs again; undefined if there is none. */
  readonly error: ConsumerFailure | undefined;
}

/**
 * The state of one lane of a consumer.
 *
 * @category Consumers
 */
export interface LaneStatus {
  /** The lane's number, from 0. */
  readonly lane: number;
  /** The lane's checkpoint. */
  readonly position: number;
  /** The worker that holds its lease; undefined if none does. */
  readonly owner: string | undefined;
  /** When the lease runs out unless it is renewed, a UTC instant; undefined if no worker holds it. */
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

/** Returns the part of the status that does not depend on the log. */
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

/** Reads the stored state of a consumer; a driver without `list` returns less of it. */
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
 * Finds when the first event that a lane has not passed was created, lane by lane from the one furthest behind, and
 * only before the event found so far. For a consumer that has caught up, no query is sent.
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
