import type { Bell } from "../store/notifier.ts";
import type { Checkpoints, ClaimedLane, LaneFilter } from "../driver/checkpoints.ts";
import type { Driver } from "../driver/driver.ts";
import type { Event } from "../event/event.ts";
import type { Health } from "./outage.ts";
import type { Inside } from "../store/internals.ts";
import type { Job, Work } from "./work.ts";
import { checkList, checkName, checkNumber, most32 } from "../errors/check.ts";
import { quote } from "../errors/base.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { insideOf } from "../store/internals.ts";
import { Pass } from "./pass.ts";
import { readRetry, type RetryOptions } from "./retry.ts";
import { slots } from "../event/stream.ts";

/** What outboxes, subscriptions and projections have in common. */
export interface ConsumerOptions {
  /**
   * How many streams are worked on at once. Only for handlers outside of transactions; transactional ones run side by
   * side by `lanes`. @default 1
   */
  readonly concurrency?: number | undefined;
  /** How many events are read at once, and at most handed over at once. @default 500 */
  readonly batchSize?: number | undefined;
  /**
   * Into how many parts the streams are shared out, so that as many workers can share the consumer; at most 1024.
   * It is stored, `relane` changes it. @default 1
   */
  readonly lanes?: number | undefined;
  /** When a failed event is tried again. */
  readonly retry?: RetryOptions | undefined;
  /**
   * What becomes of an event that failed as often as `retry` allows: its stream stays parked, it is skipped, or
   * everything stops in front of it at its first failure already and tries it again. @default "park"
   */
  readonly onFailure?: "park" | "skip" | "halt" | undefined;
  /** How long a handler may take, in milliseconds, at most 2^31 - 1; what takes longer has failed. @default 60000 */
  readonly timeout?: number | undefined;
  /**
   * How long a worker that vanished keeps its lane, in milliseconds, at most 2^31 - 1; one that works renews it in time.
   * @default 15000
   */
  readonly lease?: number | undefined;
  /** Whether to go on although the consumer wants other types or categories than before. @default false */
  readonly acceptFilter?: boolean | undefined;
}

/** Where a consumer begins when it first runs: at the first event, after the last one there is, or after a position. */
export type ConsumerStart = "start" | "now" | { readonly after: number };

/** What the face of a consumer says of it. */
export interface Face<E extends Event, Db> extends ConsumerOptions {
  readonly name: string;
  readonly version?: number | undefined;
  readonly from?: ConsumerStart | undefined;
  readonly types?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly published?: boolean | undefined;
  readonly work: Work<E, Db>;
}

/** A consumer once its options are checked, whatever its events are. */
export interface Plan
  extends Pick<Job<Event, unknown>, "checkpoints" | "key" | "lanes" | "owner" | "retry" | "lease"> {
  readonly driver: Driver;
  readonly bell: Bell;
  readonly from: ConsumerStart;
  /** What it wants, as text that is compared. */
  readonly filter: string;
  readonly acceptFilter: boolean;
  /** Begins a pass over one of so many lanes, whose lease is held. */
  readonly begin: (
    lane: LaneFilter,
    claimed: ClaimedLane,
    health: Health,
    stop: AbortSignal,
    report: (error: unknown) => void,
  ) => Pick<Pass<Event, unknown>, "run">;
}

/**
 * Checks what a consumer is made with.
 *
 * @throws {TypeError | RangeError} If an option is malformed or out of range.
 * @throws {UnsupportedError} If the driver serves no consumers, or none in transactions.
 */
export function planOf<E extends Event, Db>(store: object, face: Face<E, Db>): Plan {
  const inside = insideOf<E, Db>(store);
  if (inside === undefined) throw new TypeError("store must be an event store");
  if (inside.unit !== undefined) {
    throw new TypeError("store must be one outside of transactions: a consumer outlives them");
  }
  const { name, work, types, categories, published, version = 1, from = "start" } = face;
  const { concurrency = 1, batchSize = 500, lanes = 1, timeout = 60_000, lease = 15_000 } = face;
  const { onFailure = "park", acceptFilter = false } = face;
  checkName("name", name);
  checkNumber("version", version, 1, most32);
  checkNumber("concurrency", concurrency, 1);
  checkNumber("batchSize", batchSize, 1);
  checkNumber("timeout", timeout, 1, most32);
  checkNumber("lease", lease, 100, most32);
  checkLanes(lanes);
  checkStart(from);
  checkFilter(inside, types, categories);
  if (!["park", "skip", "halt"].includes(onFailure)) {
    throw new TypeError('onFailure must be "park", "skip" or "halt"');
  }
  if (work.mode === "transaction") checkTransactional(inside, concurrency);
  const { tenantId, shared: { catalog } } = inside;
  const scope = tenantId === undefined ? "all" : `tenant:${tenantId}`;
  const filter = JSON.stringify({
    types: types && [...types].sort(),
    categories: categories && [...categories].sort(),
    published,
  });
  const { driver, bell } = inside.shared;
  const shared = {
    checkpoints: checkpointsOf(inside),
    key: { scope, name, version },
    owner: `${name}-${crypto.randomUUID().slice(0, 8)}`,
    retry: readRetry(face.retry),
    lease,
  };
  const query = {
    tenantId,
    categories,
    types: catalog.storedNames(types),
    tags: undefined,
    published,
  };
  const job = { ...shared, inside, query, work, concurrency, batchSize, onFailure, timeout };
  return {
    ...shared,
    lanes,
    driver,
    bell,
    from,
    filter,
    acceptFilter,
    begin: ({ lane, lanes }, claimed, health, stop, report) =>
      new Pass<E, Db>({ ...job, lanes, report }, lane, claimed, health, stop),
  };
}

/** Checks a number of lanes. */
export function checkLanes(lanes: number): void {
  checkNumber("lanes", lanes, 1);
  if (lanes > slots) throw new RangeError(`lanes must be at most ${slots}, got ${lanes}`);
}

function checkStart(from: ConsumerStart): void {
  if (from === "start" || from === "now") return;
  if (typeof from !== "object" || from === null) {
    throw new TypeError('from must be "start", "now" or { after: position }');
  }
  checkNumber("from.after", from.after);
}

function checkFilter<E extends Event, Db>(
  { shared: { catalog } }: Inside<E, Db>,
  types: readonly string[] | undefined,
  categories: readonly string[] | undefined,
): void {
  if (types !== undefined) checkList("types", types);
  if (categories !== undefined) checkList("categories", categories, true);
  for (const type of types ?? []) {
    if (!catalog.has(type)) {
      throw new TypeError(`Cannot consume ${quote(type)}: it is not among the store's events`);
    }
  }
}

function checkTransactional<E extends Event, Db>(
  { shared: { driver } }: Inside<E, Db>,
  concurrency: number,
): void {
  if (concurrency > 1) {
    throw new TypeError(
      "concurrency must be 1 for a transactional handler, whose effects are kept in order: use lanes to run it side " +
        "by side, or say transaction: false",
    );
  }
  if (!driver.capabilities.transactions) {
    throw new UnsupportedError(
      "make a transactional consumer",
      "this database handle has no interactive transactions",
    );
  }
}

function checkpointsOf<E extends Event, Db>({ shared: { driver } }: Inside<E, Db>): Checkpoints {
  if (driver.checkpoints !== undefined) return driver.checkpoints;
  throw new UnsupportedError("make a consumer", "this driver keeps no checkpoints");
}
