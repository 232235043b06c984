import type { Checkpoints } from "../driver/checkpoints.ts";
import type { StreamKey } from "../driver/keys.ts";
import type { StoredGroup, StoredParking } from "../driver/progress.ts";
import type { ConsumerPlan } from "../engine/plan.ts";
import { checkName, checkNumber, checkObject } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";

/**
 * A stream that waits because one of its events failed.
 *
 * @category Consumers
 */
export interface ParkedStream extends StreamKey {
  /** The position of the event that failed. */
  readonly position: number;
  /** The number of attempts at it so far, since it was last redriven. */
  readonly attempts: number;
  /** When it is retried, a UTC instant by the system's clock; undefined if it waits for `redrive` or `discard`. */
  readonly dueAt: Date | undefined;
  /** The error of the last attempt, shortened to 1,000 characters; undefined where none has failed since `discard`. */
  readonly error: string | undefined;
  /** When the stream was parked at this event, or its last attempt failed, a UTC instant. */
  readonly failedAt: Date;
  /** The group of failures of its kind, as in `parkedGroups()`; undefined if none has failed, or the driver keeps none. */
  readonly group?: string | undefined;
  /** When this event failed first, a UTC instant; undefined in the same cases. */
  readonly firstFailedAt?: Date | undefined;
  /** How often it was redriven since. @default 0 */
  readonly redriven?: number | undefined;
  /** How many later events its stream has, counted up to 100; undefined in the list of one consumer, or not counted. */
  readonly behind?: number | undefined;
}

/**
 * The parked streams of a consumer whose events failed alike: with the same error, whatever the values in its message.
 *
 * @category Consumers
 */
export interface ParkedGroup {
  /** The name of the group, of ten letters and digits: the same for failures of this kind at any time. */
  readonly group: string;
  /** The number of streams. */
  readonly streams: number;
  /** The number of those that are retried automatically; the others wait for `redrive` or `discard`. */
  readonly retrying: number;
  /** When the first of their events failed first, a UTC instant. */
  readonly firstFailedAt: Date;
  /** When the last of them failed last, a UTC instant. */
  readonly failedAt: Date;
  /** The stream that failed last. */
  readonly latest: StreamKey;
  /** The error of that stream; undefined while it is being tried again. */
  readonly error: string | undefined;
}

/**
 * Selects parked streams by their group.
 *
 * @category Consumers
 */
export interface GroupOptions {
  /** The name of the group. */
  readonly group: string;
  /** The greatest number of streams, by the position of their events; from 1. @default all */
  readonly limit?: number | undefined;
}

/** Whether streams are selected by their group. */
export function isGroup(
  stream: string | StreamKey | GroupOptions | undefined,
): stream is GroupOptions {
  return typeof stream === "object" && stream !== null && "group" in stream;
}

/** Groups the parked streams of a consumer; see `Consumer.parkedGroups`. */
export async function parkedGroups(
  { checkpoints, key }: ConsumerPlan,
  options: { readonly limit?: number | undefined },
): Promise<readonly ParkedGroup[]> {
  const { limit = 100 } = checkObject("options", options);
  checkNumber("limit", limit, 1);
  return (await groupsOf(checkpoints).parkedGroups(key, limit)).map(groupOf);
}

/** Redrives or discards streams of a group; returns how many. */
export async function changeGroup(
  change: "redriveGroup" | "discardGroup",
  { checkpoints, key }: ConsumerPlan,
  { group, limit = Number.MAX_SAFE_INTEGER }: GroupOptions,
): Promise<number> {
  checkName("group", group);
  checkNumber("limit", limit, 1);
  return await groupsOf(checkpoints)[change](key, group, limit);
}

/** Finds a parked stream by its id; undefined if it is not parked. */
export async function findParked(
  { checkpoints, key }: ConsumerPlan,
  stream: string | StreamKey,
): Promise<StreamKey | undefined> {
  const { tenantId, streamId } = typeof stream === "string"
    ? { tenantId: undefined, streamId: stream }
    : checkObject("stream", stream);
  checkName("streamId", streamId);
  if (tenantId !== undefined && tenantId !== "") checkName("tenantId", tenantId);
  const found = (await checkpoints.parked(key)).filter((row) =>
    row.streamId === streamId && (tenantId === undefined || row.tenantId === tenantId)
  );
  if (found.length > 1) {
    throw new TypeError(
      "stream must name its tenant, as { tenantId, streamId }: several have one parked",
    );
  }
  return found[0];
}

/** Makes a parked stream of what is stored. */
export function parkedOf(
  { delay, failedAt, firstFailedAt, fingerprint, ...row }: StoredParking,
): ParkedStream {
  return {
    ...row,
    dueAt: delay === undefined ? undefined : new Date(Date.now() + delay),
    failedAt: new Date(failedAt),
    group: fingerprint,
    firstFailedAt: firstFailedAt === undefined ? undefined : new Date(firstFailedAt),
  };
}

/** Makes a group of what is stored. */
export function groupOf(
  { fingerprint, waiting, position: _, streams, firstFailedAt, failedAt, ...row }: StoredGroup,
): ParkedGroup {
  return {
    ...{ group: fingerprint, streams, retrying: streams - waiting, ...row },
    firstFailedAt: new Date(firstFailedAt),
    failedAt: new Date(failedAt),
  };
}

/** Returns what a driver that groups parked streams has. @throws {UnsupportedError} If it does not. */
function groupsOf(
  checkpoints: Checkpoints,
): Required<Pick<Checkpoints, "parkedGroups" | "redriveGroup" | "discardGroup">> {
  const { parkedGroups, redriveGroup, discardGroup } = checkpoints;
  if (parkedGroups === undefined || redriveGroup === undefined || discardGroup === undefined) {
    throw new UnsupportedError("group parked streams", "this driver keeps no fingerprints");
  }
  return {
    parkedGroups: (...parameters) => parkedGroups.apply(checkpoints, parameters),
    redriveGroup: (...parameters) => redriveGroup.apply(checkpoints, parameters),
    discardGroup: (...parameters) => discardGroup.apply(checkpoints, parameters),
  };
}
