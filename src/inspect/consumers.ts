import {
  Consumer,
  type ConsumerInfo,
  type ConsumerKey,
  consumers,
  Outbox,
  Projection,
  type StoredEvent,
} from "../../mod.ts";
import { workerOf } from "../consumer/consumer.ts";
import { keyOf } from "../consumer/list.ts";
import { checkObject, wrongType } from "../errors/check.ts";
import { categoryOf, slotOf } from "../event/stream.ts";
import { type InspectedParking, parked } from "./parked.ts";
import type { Source } from "./source.ts";

/**
 * How a consumer is, in a word; the first that fits: an error ended its run (`"misconfigured"`), nothing succeeds
 * (`"failing"`), streams are parked for good (`"needs you"`), events wait for longer than `maxAge`, and no process has
 * shown a sign of life within it (`"nobody runs it"`) or one has (`"behind"`), events wait (`"catching up"`), or none does
 * (`"up to date"`).
 *
 * @category Inspect
 */
export type ConsumerHealth =
  | "misconfigured"
  | "failing"
  | "needs you"
  | "nobody runs it"
  | "behind"
  | "catching up"
  | "up to date";

/**
 * A registered consumer, as it is now.
 *
 * @category Inspect
 */
export interface InspectedConsumer extends ConsumerInfo {
  /** How it is, in a word. */
  readonly health: ConsumerHealth;
  /**
   * Whether it is among the `consumers` of the inspector's options; undefined if there are none. One that is not was renamed,
   * has another version, or belongs to another application.
   */
  readonly known: boolean | undefined;
  /** The settled position of the log. */
  readonly head: number;
  /** The distance from its checkpoint to the head, in positions; these have gaps, and some are of events it does not want. */
  readonly lag: number;
  /** When the first wanted event that it has not passed was created, a UTC instant; undefined if none was found. */
  readonly oldest: Date | undefined;
  /** The age of that event, in milliseconds; 0 if none was found. */
  readonly age: number;
  /** The position up to which was looked for that event, by the inspector's budget. */
  readonly searchedTo: number;
}

/**
 * What became of an event at a consumer that takes such events.
 *
 * @category Inspect
 */
export interface InspectedDelivery {
  /** The tenant whose events the consumer handles; undefined if those of all tenants. */
  readonly consumerTenantId: string | undefined;
  /** The name of the consumer. */
  readonly consumer: string;
  /** The version of the consumer. */
  readonly version: number;
  /**
   * - `"handled"`: the consumer is past it. One that was skipped or given up counts, too, and one from before the consumer's
   *   beginning.
   * - `"parked"`: it failed, and its stream waits for a person.
   * - `"retrying"`: it failed, and is tried again.
   * - `"held up"`: an earlier event of its stream failed.
   * - `"to come"`: the consumer has not come so far.
   */
  readonly state: "handled" | "parked" | "retrying" | "held up" | "to come";
  /** Where its stream waits; undefined if it does not. */
  readonly parking: InspectedParking | undefined;
}

/** Tells what became of an event; see `Inspector.deliveries`. */
export async function deliveriesOf(
  source: Source,
  event: Pick<StoredEvent, "tenantId" | "streamId" | "type" | "position" | "published">,
): Promise<readonly InspectedDelivery[]> {
  const { tenantId, streamId, type, position, published } = checkObject("event", event);
  const registered = (await consumers(source.store)).filter(({ tenantId: only, filter }) =>
    (only ?? tenantId) === tenantId &&
    (source.storedNames(filter.types)?.includes(type) ?? true) &&
    (filter.categories?.includes(categoryOf(streamId)) ?? true) &&
    (!filter.published || published)
  );
  const some = registered.some(({ retrying, parked }) => retrying + parked > 0);
  const { streams } = some
    ? await parked(source, { stream: { tenantId, streamId }, limit: 1000 })
    : { streams: [] };
  return registered.map(({ tenantId: consumerTenantId, name, version, lanes }) => {
    const parking = streams.find((row) =>
      row.consumer === name && row.version === version &&
      row.consumerTenantId === consumerTenantId && row.position <= position
    );
    const lane = lanes[slotOf(tenantId, streamId) % lanes.length];
    const state = parking === undefined
      ? position <= (lane?.position ?? 0) ? "handled" : "to come"
      : parking.position < position
      ? "held up"
      : parking.dueAt === undefined
      ? "parked"
      : "retrying";
    return { consumerTenantId, consumer: name, version, state, parking };
  });
}

/** Lists the consumers with how they are; see `Inspector.consumers`. */
export async function inspectConsumers(
  source: Source,
  maxAge: number,
  known?: ReadonlySet<string>,
): Promise<readonly InspectedConsumer[]> {
  const registered = await consumers(source.store);
  const head = await source.session().settled(); // later than the checkpoints: none is above it
  return await Promise.all(registered.map(async (info) => {
    const { oldest, searchedTo } = await oldestOf(source, info, head);
    const age = oldest === undefined ? 0 : Math.max(0, Date.now() - oldest.getTime());
    const waits = oldest !== undefined || searchedTo < head;
    const lag = Math.max(0, head - info.position);
    return {
      ...info,
      health: wordFor(info, waits, age, maxAge),
      known: known?.has(textOf(keyOf(info))),
      head,
      lag,
      oldest,
      age,
      searchedTo,
    };
  }));
}

/** How a consumer of this process was made. */
export interface ConsumerSettings
  extends Pick<ReturnType<typeof workerOf>["plan"], "from" | "lease" | "retry" | "onFailure"> {
  readonly kind: "outbox" | "projection" | "subscription";
}

/** Returns how a consumer was made. */
export function settingsOf(consumer: Consumer): ConsumerSettings {
  const { from, lease, retry, onFailure } = workerOf(consumer).plan;
  const kind = consumer instanceof Outbox
    ? "outbox"
    : consumer instanceof Projection
    ? "projection"
    : "subscription";
  return { kind, from, lease, retry, onFailure };
}

/** Returns the keys of consumers. @throws {TypeError} If one is none. */
export function knownKeys(consumers: readonly Consumer[]): ReadonlySet<string> {
  if (!Array.isArray(consumers)) throw wrongType("consumers", "a list", consumers);
  return new Set(consumers.map((consumer) => {
    if (!(consumer instanceof Consumer)) throw wrongType("consumers", "consumers only", consumer);
    return textOf(workerOf(consumer).plan.key);
  }));
}

function textOf({ scope, name, version }: ConsumerKey): string {
  return JSON.stringify([scope, name, version]);
}

function wordFor(
  { error, stalled, parked, owner, seenAt }: ConsumerInfo,
  waits: boolean,
  age: number,
  maxAge: number,
): ConsumerHealth {
  if (error !== undefined) return "misconfigured";
  if (stalled) return "failing";
  if (parked > 0) return "needs you";
  if (!waits) return "up to date";
  if (age <= maxAge) return "catching up";
  const alive = owner !== undefined ||
    (seenAt !== undefined && Date.now() - seenAt.getTime() <= maxAge);
  return alive ? "behind" : "nobody runs it";
}

/**
 * Finds the first wanted event that a lane has not passed, lane by lane from the one furthest behind, and only before the
 * event found so far. For a consumer that has caught up, no query is sent.
 */
async function oldestOf(
  source: Source,
  { filter, lanes, tenantId }: ConsumerInfo,
  head: number,
): Promise<{ readonly oldest: Date | undefined; readonly searchedTo: number }> {
  const session = source.session();
  const query = {
    tenantId,
    categories: filter.categories,
    types: source.storedNames(filter.types),
    tags: undefined,
    published: filter.published,
    limit: 1,
  };
  let oldest: Date | undefined;
  let [searchedTo, last] = [head, head];
  for (const { lane, position } of lanes.toSorted((a, b) => a.position - b.position)) {
    if (position >= last) break;
    const until = Math.min(last, position + source.budget);
    const part = lanes.length > 1 ? { lane, lanes: lanes.length } : undefined;
    const { events } = await session.scan({ ...query, lane: part, after: position, until });
    const found = events[0];
    if (found !== undefined) [oldest, last] = [new Date(found.createdAt), found.position - 1];
    else searchedTo = Math.min(searchedTo, until);
  }
  return { oldest, searchedTo };
}
