import type { ClaimedLane } from "../driver/checkpoints.ts";
import type { Driver } from "../driver/driver.ts";
import type { LaneFilter } from "../driver/keys.ts";
import type { Event } from "../event/event.ts";
import type { Observer } from "../observe/observer.ts";
import type { Report } from "./context.ts";
import type { OutageDetector } from "./outage.ts";
import { quote } from "../errors/base.ts";
import { checkList, checkName, checkNumber, maxInt32 } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { type Internals, internalsOf } from "../store/internals.ts";
import { type Polls, pollsOf, type WakeUps } from "../store/notifier.ts";
import {
  checkLanes,
  checkStart,
  type ConsumerOptions,
  type ConsumerStart,
  type FilterPolicy,
} from "./options.ts";
import { Pass } from "./pass.ts";
import { readRetry } from "./retry.ts";
import { checkSession, type PassSettings, type Work } from "./work.ts";

/** The options of a consumer, with the part that an outbox, subscription or projection adds. */
interface ConsumerSpec<E extends Event, Db> extends Omit<ConsumerOptions, "onFilterChange"> {
  readonly name: string;
  readonly version?: number | undefined;
  readonly from?: ConsumerStart | undefined;
  readonly types?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly published?: boolean | undefined;
  readonly onFilterChange?: FilterPolicy | undefined;
  readonly work: Work<E, Db>;
  readonly watch?: PassWatch | undefined;
}

/** Inspects the events that a consumer has passed, until it has seen enough. */
export interface PassWatch {
  /** Whether it has seen enough, so that `inspect` is not called any more. */
  readonly done: boolean;
  /**
   * Inspects the events between two positions, none of which was handled.
   *
   * @returns A notice for the user; undefined where there is nothing to report.
   */
  readonly inspect: (after: number, until: number) => Promise<Error | undefined>;
}

/** The checked options of a consumer, independent of its types of events. */
export interface ConsumerPlan extends
  Pick<
    PassSettings<Event, unknown>,
    "checkpoints" | "key" | "lanes" | "owner" | "query" | "retry" | "onFailure" | "lease"
  > {
  readonly driver: Driver;
  readonly observer: Observer | undefined;
  readonly wakeUps: WakeUps;
  readonly polls: Polls;
  readonly from: ConsumerStart;
  /** The types and categories that it selects, as text that is compared. */
  readonly filter: string;
  readonly onFilterChange: FilterPolicy;
  readonly watch: PassWatch | undefined;
  /** Creates a pass over a lane whose lease is held. */
  readonly passOver: (
    lane: LaneFilter,
    claimed: ClaimedLane,
    outage: OutageDetector,
    stop: AbortSignal,
    replay: () => number,
    report: Report | undefined,
  ) => Pick<Pass<Event, unknown>, "run">;
}

/**
 * Checks and completes the options of a consumer.
 *
 * @throws {TypeError | RangeError} If an option is malformed or out of range.
 * @throws {UnsupportedError} If the driver does not support consumers, or not in transactions.
 */
export function planOf<E extends Event, Db>(
  store: object,
  spec: ConsumerSpec<E, Db>,
): ConsumerPlan {
  const internals = internalsOf<E, Db>(store);
  if (internals === undefined) throw new TypeError("store must be an event store");
  if (internals.transaction !== undefined) {
    throw new TypeError("store must be one outside of transactions");
  }
  const { name, work, types, categories, published, version = 1, from = "start" } = spec;
  const { concurrency = 1, batchSize = 500, lanes = 1, timeout = 60_000, lease = 15_000 } = spec;
  const { onFailure = "park", onFilterChange = "refuse" } = spec;
  checkName("name", name);
  checkNumber("version", version, 1, maxInt32);
  checkNumber("concurrency", concurrency, 1);
  checkNumber("batchSize", batchSize, 1);
  checkNumber("timeout", timeout, 1, maxInt32);
  checkNumber("lease", lease, 100, maxInt32);
  checkLanes(lanes);
  checkStart(from);
  checkFilter(internals, types, categories);
  if (!["park", "skip", "stop"].includes(onFailure)) {
    throw new TypeError('onFailure must be "park", "skip" or "stop"');
  }
  if (work.mode === "transaction") checkTransactional(internals, concurrency);
  const { tenantId, shared: { catalog } } = internals;
  const scope = scopeOf(tenantId);
  const filter = JSON.stringify({
    types: types && [...types].sort(),
    categories: categories && [...categories].sort(),
    published,
  });
  const { driver, wakeUps } = internals.shared;
  checkSession(driver);
  const query = {
    tenantId,
    categories,
    types: catalog.storedNames(types),
    tags: undefined,
    published,
  };
  const shared = {
    query,
    checkpoints: driver.checkpoints,
    key: { scope, name, version },
    owner: `${name}-${crypto.randomUUID().slice(0, 8)}`,
    retry: readRetry(spec.retry),
    onFailure,
    lease,
  };
  const settings = { ...shared, internals, work, concurrency, batchSize, timeout };
  return {
    ...shared,
    lanes,
    driver,
    wakeUps,
    polls: pollsOf(driver),
    from,
    filter,
    onFilterChange,
    watch: spec.watch,
    observer: internals.shared.observer,
    passOver: (lane, claimed, outage, stop, replay, report) =>
      new Pass<E, Db>({ ...settings, ...lane, replay, report }, claimed, outage, stop),
  };
}

function checkFilter<E extends Event, Db>(
  { shared: { catalog } }: Internals<E, Db>,
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
  { shared: { driver } }: Internals<E, Db>,
  concurrency: number,
): void {
  if (concurrency > 1) {
    throw new TypeError(
      "concurrency must be 1 for a transactional handler: use lanes, or set transaction: false",
    );
  }
  if (!driver.capabilities.transactions) {
    throw new UnsupportedError(
      "make a transactional consumer",
      "this database handle has no interactive transactions",
    );
  }
}

/** Writes the scope of a consumer's key; the tenant is undefined if it handles the events of all. */
export function scopeOf(tenantId: string | undefined): string {
  return tenantId === undefined ? "all" : `tenant:${tenantId}`;
}
