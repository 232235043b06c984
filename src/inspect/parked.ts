import {
  type ConsumerInfo,
  type ConsumerName,
  consumers,
  type ParkedGroup,
  type ParkedStream,
  type StoredParking,
  type StreamKey,
} from "../../mod.ts";
import { keyOf } from "../consumer/list.ts";
import { groupOf, parkedOf } from "../consumer/parked.ts";
import { checkName, checkNumber, checkObject, maxInt32 } from "../errors/check.ts";
import { shapedError } from "./event.ts";
import { need, type Source } from "./source.ts";

/**
 * Which parked streams to list.
 *
 * @category Inspect
 */
export interface ParkedSearch {
  /** Only those of this consumer, in all its versions where none is given. @default of all consumers */
  readonly consumer?: ConsumerName | undefined;
  /** Only this stream, wherever it is in the list. @default all streams */
  readonly stream?: StreamKey | undefined;
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
  const { consumer, stream, after, limit = 50 } = checkObject("search", search);
  checkNumber("limit", limit, 1, 1000);
  if (consumer !== undefined) checkConsumer(consumer);
  if (stream !== undefined) checkName("streamId", checkObject("stream", stream).streamId);
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
    const page = (after: StreamKey | undefined, limit: number) =>
      checkpoints!.parkedPage!({ consumer: keyOf(info), after, limit });
    const found = stream !== undefined ? await only(stream, page) : await page(
      after !== undefined && isAt(info, after) ? after : undefined,
      limit + 1 - streams.length, // one more, to know whether there are more
    );
    for (const row of found) {
      streams.push({ consumerTenantId, consumer: name, version, ...parkedOf(row) });
    }
    if (streams.length > limit) break;
  }
  const shown = await withoutQuotes(source, streams.slice(0, limit), ({ position }) => position);
  if (streams.length <= limit) return { streams: shown, next: undefined };
  const { consumerTenantId, consumer: name, version, tenantId, streamId } = shown.at(-1)!;
  return {
    streams: shown,
    next: { consumerTenantId, consumer: name, version, tenantId, streamId },
  };
}

/** Finds a stream among those that begin as it does, but for its last letter: they stand together in the list. */
async function only(
  { tenantId, streamId }: StreamKey,
  page: (after: StreamKey, limit: number) => Promise<readonly StoredParking[]>,
): Promise<readonly StoredParking[]> {
  const beginning = [...streamId].slice(0, -1).join("");
  const belongs = (row: StoredParking) =>
    row.tenantId === tenantId && row.streamId.startsWith(beginning);
  for (let after: StreamKey = { tenantId, streamId: beginning };;) {
    const rows = await page(after, 100);
    const found = rows.filter((row) => row.tenantId === tenantId && row.streamId === streamId);
    const last = rows.at(-1);
    if (found.length > 0 || last === undefined || !belongs(last)) return found;
    after = last;
  }
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
  const positions = new Map<InspectedGroup, number>();
  for (const info of await consumers(source.store)) {
    if (!isWanted(info, consumer) || info.retrying + info.parked === 0) continue;
    const { tenantId: consumerTenantId, name, version } = info;
    const found = await checkpoints!.parkedGroups!(keyOf(info), limit);
    for (const row of found) {
      const group = { consumerTenantId, consumer: name, version, ...groupOf(row) };
      groups.push(group);
      positions.set(group, row.position);
    }
  }
  const shown = groups.sort((a, b) => b.streams - a.streams).slice(0, limit);
  return await withoutQuotes(source, shown, (group) => positions.get(group)!);
}

/** What an error reads as that may quote masked fields. */
const hidden = "hidden: its event has sensitive fields";

/**
 * Hides the errors of events with sensitive fields, which their words may quote; of an event that is gone, they may. In
 * shapes, all are hidden.
 */
async function withoutQuotes<Item extends { readonly error: string | undefined }>(
  source: Source,
  items: readonly Item[],
  positionOf: (item: Item) => number,
): Promise<readonly Item[]> {
  if (source.shape) {
    return items.map((item) => ({ ...item, error: item.error && shapedError(item.error) }));
  }
  const failed = items.filter(({ error }) => error !== undefined);
  if (!source.masks || failed.length === 0) return items;
  const positions = [...new Set(failed.map(positionOf))].sort((a, b) => a - b);
  const events = await source.session().probe?.(positions) ?? [];
  const plain = new Set<number>();
  for (const event of events) {
    if (event?.type !== undefined && !source.isSensitive(event.type)) plain.add(event.position);
  }
  return items.map((item) =>
    item.error === undefined || plain.has(positionOf(item)) ? item : { ...item, error: hidden }
  );
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
