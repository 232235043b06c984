import type {
  ConsumerDefinition,
  ConsumerState,
  LaneState,
  StoredGroup,
  StoredParking,
} from "../../../mod.ts";
import { flag, number } from "../row.ts";
import { list } from "../wire.ts";

/** A lane, as its statements return it. */
export interface LaneRow {
  readonly lane: string;
  readonly position: string;
  readonly epoch: string;
  readonly crashes: string;
  readonly stalled: string;
  readonly owner: string | null;
  readonly leased_until: string | null;
}

/** A consumer with its lanes. */
export interface ConsumerRow {
  readonly scope: string;
  readonly name: string;
  readonly version: string;
  readonly filter: string;
  readonly retrying: string;
  readonly parked: string;
  readonly seen_at: string | null;
  readonly error_code: string | null;
  readonly error: string | null;
  /** JSON of `LaneRow`s, by number. */
  readonly lanes: string;
}

/** A parked stream. */
export interface ParkedRow {
  /** As JSON text, and so is the stream's id: PGlite drops a byte order mark at the start of a bare text. */
  readonly tenant_id: string;
  readonly stream_id: string;
  readonly position: string;
  readonly attempts: string;
  readonly delay: string | null;
  readonly error: string | null;
  readonly failed_at: string;
  readonly fingerprint: string | null;
  readonly first_failed_at: string | null;
  readonly redriven: string;
  /** Only in a page. */
  readonly behind?: string;
}

/** Parked streams that failed alike. */
export interface GroupRow
  extends Pick<ParkedRow, "tenant_id" | "stream_id" | "position" | "error" | "failed_at"> {
  readonly fingerprint: string;
  readonly streams: string;
  readonly waiting: string;
  readonly first_failed_at: string;
}

/** What a consumer was registered with. */
export interface DefinitionRow {
  readonly lanes: string;
  readonly filter: string;
  readonly position: string;
  readonly replay: string;
}

/** Returns a consumer of a row. */
export function consumerOf(row: ConsumerRow): ConsumerState {
  return {
    ...{ scope: row.scope, name: row.name, version: number(row.version), filter: row.filter },
    lanes: list<LaneRow>(row.lanes).map(laneOf),
    retrying: number(row.retrying),
    parked: number(row.parked),
    seenAt: row.seen_at === null ? undefined : number(row.seen_at),
    failure: row.error_code === null
      ? undefined
      : { code: row.error_code, message: row.error ?? "" },
  };
}

/** Returns a group of a row. */
export function groupOf(row: GroupRow): StoredGroup {
  return {
    fingerprint: row.fingerprint,
    streams: number(row.streams),
    waiting: number(row.waiting),
    firstFailedAt: number(row.first_failed_at),
    failedAt: number(row.failed_at),
    latest: { tenantId: JSON.parse(row.tenant_id), streamId: JSON.parse(row.stream_id) },
    position: number(row.position),
    error: row.error ?? undefined,
  };
}

/** Returns a parked stream of a row. */
export function parkingOf(row: ParkedRow): StoredParking {
  return {
    tenantId: JSON.parse(row.tenant_id),
    streamId: JSON.parse(row.stream_id),
    position: number(row.position),
    attempts: number(row.attempts),
    delay: row.delay === null ? undefined : number(row.delay),
    error: row.error ?? undefined,
    failedAt: number(row.failed_at),
    fingerprint: row.fingerprint ?? undefined,
    firstFailedAt: row.first_failed_at === null ? undefined : number(row.first_failed_at),
    redriven: number(row.redriven),
    ...(row.behind === undefined ? {} : { behind: number(row.behind) }),
  };
}

/** Returns a definition of a row. */
export function definitionOf(
  { lanes, filter, position, replay }: DefinitionRow,
): ConsumerDefinition {
  return { lanes: number(lanes), filter, position: number(position), replay: number(replay) };
}

/** Returns a lane of a row. */
export function laneOf(row: LaneRow): LaneState {
  return {
    lane: number(row.lane),
    position: number(row.position),
    epoch: number(row.epoch),
    owner: row.owner ?? undefined,
    leasedUntil: row.leased_until === null ? undefined : number(row.leased_until),
    crashes: number(row.crashes),
    stalled: flag(row.stalled),
  };
}
