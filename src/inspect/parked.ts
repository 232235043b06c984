import {
  type ConsumerInfo,
  type ConsumerKey,
  type ConsumerName,
  consumers,
  type ParkedGroup,
  type ParkedStream,
  type StreamKey,
} from "../../mod.ts";
import { groupOf, parkedOf } from "../consumer/parked.ts";
import { checkName, checkNumber, checkObject, maxInt32 } from "../errors/check.ts";
import { need, type Source } from "./source.ts";

/**
 * Which parked streams to list.
 *
 * @category Inspect
 */
export interface ParkedSearch {
  /** Only those of this consumer, in all its versions where none is given. @default of all consumers */
  readonly consumer?: ConsumerName | undefined;
  /** What the last page gave as `next`. @default from the first */
  readonly after?: ParkedCursor | undefined;
  /** The greatest number of streams. @default 50 */
  readonly limit?: number | undefined;
}

/**
 * A parked stream in the list of all; plain JSON.
 *
 * @category Inspect
 */
export interface ParkedCursor extends StreamKey {
  /** The tenant whose events its consumer handles; undefined if those of all tenants. */
  readonly consumerTenantId?: string | undefined;
  /** The name of its consumer. */
  readonly consumer: string;
  /** The version of its consumer. */
  readonly version: number;
}

/**
 * A parked stream, and which consumer it waits for.
 *
 * @category Inspect
 */
export interface InspectedParking extends ParkedStream, ParkedCursor {}

/**
 * Parked streams.
 *
 * @category Inspect
 */
export interface ParkedResult {
  /** The streams, by consumer and then by tenant and id. */
  readonly streams: readonly InspectedParking[];
  /** Where the next page begins; undefined if these are all. */
  readonly next: ParkedCursor | undefined;
}

/**
 * Which groups of parked streams to list.
 *
 * @category Inspect
 */
export interface GroupSearch {
  /** Only those of this consumer, in all its versions where none is given. @default of all consumers */
  readonly consumer?: ConsumerName | undefined;
  /** The greatest number of groups, up to 1,000. @default 50 */
  readonly limit?: number | undefined;
}

/**
 * Parked streams that failed alike, and which consumer they wait for.
 *
 * @category Inspect
 */
export interface InspectedGroup extends ParkedGroup {
  /** The tenant whose events its consumer handles; undefined if those of all tenants. */
  readonly consumerTenantId: string | undefined;
  /** The name of its consumer. */
  readonly consumer: string;
  /** The version of its consumer. */
  readonly version: number;
}

/** Lists the parked streams of consumers; see `Inspector.parked`. */
export async function parked(
  source: Source,
  search: ParkedSearch,
): Promise<ParkedResult> {
  const { consumer, after, limit = 50 } = checkObject("search", search);
  checkNumber("limit", limit, 1, 1000);
  if (consumer !== undefined) checkConsumer(consumer);
  if (after !== undefined) checkObject("after", after);
  const { checkpoints } = source.session();
  need(checkpoints?.parkedPage !== undefined, "parkedPage", "list the parked streams");
  const all = (await consumers(source.store)).filter((info) => isWanted(info, consumer));
  // From the first one, where the one of the last page was forgotten meanwhile.
  const start = Math.max(0, all.findIndex((info) => after !== undefined && isAt(info, after)));
  const streams: InspectedParking[] = [];
  for (const info of all.slice(start)) {
    if (info.retrying + info.parked === 0) continue;
    const { tenantId: consumerTenantId, name, version } = info;
    const found = await checkpoints!.parkedPage!({
      consumer: keyOf(info),
      after: after !== undefined && isAt(info, after) ? after : undefined,
      limit: limit + 1 - streams.length, // one more, to know whether there are more
    });
    for (const row of found) {
      const stream = parkedOf(row);
      const { error, position } = stream;
      streams.push({
        ...{ consumerTenantId, consumer: name, version, ...stream },
        error: error && await mayQuote(source, position) ? hidden : error,
      });
    }
    if (streams.length > limit) break;
  }
  if (streams.length <= limit) return { streams, next: undefined };
  const shown = streams.slice(0, limit);
  const { consumerTenantId, consumer: name, version, tenantId, streamId } = shown.at(-1)!;
  return {
    streams: shown,
    next: { consumerTenantId, consumer: name, version, tenantId, streamId },
  };
}

/** Groups the parked streams of consumers; see `Inspector.parkedGroups`. */
export async function parkedGroups(
  source: Source,
  search: GroupSearch,
): Promise<readonly InspectedGroup[]> {
  const { consumer, limit = 50 } = checkObject("search", search);
  checkNumber("limit", limit, 1, 1000);
  if (consumer !== undefined) checkConsumer(consumer);
  const { checkpoints } = source.session();
  need(checkpoints?.parkedGroups !== undefined, "parkedGroups", "group the parked streams");
  const groups: InspectedGroup[] = [];
  for (const info of await consumers(source.store)) {
    if (!isWanted(info, consumer) || info.retrying + info.parked === 0) continue;
    const { tenantId: consumerTenantId, name, version } = info;
    const found = await checkpoints!.parkedGroups!(keyOf(info), limit);
    for (const row of found) {
      const group = groupOf(row);
      const { error } = group;
      groups.push({
        ...{ consumerTenantId, consumer: name, version, ...group },
        error: error && await mayQuote(source, row.position) ? hidden : error,
      });
    }
  }
  return groups.sort((a, b) => b.streams - a.streams).slice(0, limit);
}

function keyOf({ tenantId, name, version }: ConsumerInfo): ConsumerKey {
  return { scope: tenantId === undefined ? "all" : `tenant:${tenantId}`, name, version };
}

/** What an error reads as that may quote masked fields. */
const hidden = "hidden: its event has sensitive fields";

/** Whether the error of an event is in words that may quote what is masked; of one that is gone, it may. */
async function mayQuote(source: Source, position: number): Promise<boolean> {
  if (!source.masks) return false;
  const all = { tenantId: undefined, types: undefined, categories: undefined, tags: undefined };
  const at = { after: position - 1, until: position, limit: 1 };
  const { events: [event] } = await source.session().scan({ ...all, ...at });
  return event === undefined || source.isSensitive(event.type);
}

function checkConsumer(consumer: ConsumerName): void {
  const { name, version = 1 } = checkObject("consumer", consumer);
  checkName("name", name);
  checkNumber("version", version, 1, maxInt32);
}

function isWanted(info: ConsumerInfo, consumer: ConsumerName | undefined): boolean {
  return consumer === undefined ||
    (info.name === consumer.name && (consumer.version ?? info.version) === info.version);
}

function isAt(info: ConsumerInfo, cursor: ParkedCursor): boolean {
  return info.tenantId === cursor.consumerTenantId && info.name === cursor.consumer &&
    info.version === cursor.version;
}
