import type { Driver } from "../driver/driver.ts";
import { append } from "./cases/append.ts";
import { type Cases, type Rig, storeOn } from "./rig.ts";
import { conditions } from "./cases/conditions.ts";
import { consumers } from "./cases/consumers.ts";
import { deletion } from "./cases/delete.ts";
import { encoding } from "./cases/encoding.ts";
import { examiner } from "./cases/examiner.ts";
import { guard } from "./guard.ts";
import { handlers } from "./cases/handlers.ts";
import { ids } from "./cases/ids.ts";
import { inbox } from "./cases/inbox.ts";
import { lanes } from "./cases/lanes.ts";
import { log } from "./cases/log.ts";
import { lookup } from "./cases/lookup.ts";
import { migrate, repair } from "./cases/migrate.ts";
import { named } from "./cases/names.ts";
import { outbox } from "./cases/outbox.ts";
import { parked } from "./cases/parked.ts";
import { projections } from "./cases/projections.ts";
import { races } from "./cases/races.ts";
import { read } from "./cases/read.ts";
import { registry } from "./cases/registry.ts";
import { savepoints } from "./cases/savepoints.ts";
import { schedule } from "./cases/schedule.ts";
import { snapshots } from "./cases/snapshots.ts";
import { subjects } from "./cases/subjects.ts";
import { streams } from "./cases/streams.ts";
import { tenants } from "./cases/tenants.ts";
import { transactions } from "./cases/transactions.ts";
import { using } from "./cases/using.ts";
import { versions } from "./cases/versions.ts";

/**
 * One guarantee of a driver, with its test.
 *
 * @category Testing
 */
export interface ContractCase {
  /** The expected behaviour and its condition; unique among the cases. */
  readonly name: string;
  /** Opens a store of its own and tests the guarantee; rejects, usually with an `AssertionError`, if it fails. */
  readonly run: () => Promise<void>;
}

/**
 * A driver on an empty store, with optional parts that more cases need.
 *
 * @category Testing
 */
export interface OpenedDriver<Db = unknown> {
  /** The driver; the cases call its `migrate`. */
  readonly driver: Driver<Db>;
  /** Opens a second driver on the same store, as another process would. @default races use the first driver alone */
  readonly another?: (() => Driver<Db> | Promise<Driver<Db>>) | undefined;
  /**
   * Runs work in a transaction that the caller opens, for `using`: commits when it resolves, rolls back when it
   * rejects. @default `using` is only tested for reading, with `driver.db`
   */
  readonly begin?: (<R>(work: (db: Db) => Promise<R>) => Promise<R>) | undefined;
  /** Closes what was opened and removes the store. @default nothing */
  readonly close?: (() => unknown) | undefined;
}

const capabilities: readonly Cases[] = [
  ...[
    append,
    versions,
    ids,
    races,
    read,
    log,
    lookup,
    streams,
    tenants,
    deletion,
    repair,
    encoding,
    named,
  ],
  ...[transactions, savepoints, handlers, using],
  ...[lanes, registry, parked, outbox, consumers, projections, conditions],
  ...[snapshots, subjects, inbox, schedule, examiner],
];

/**
 * Returns the cases that every driver must pass, for any test runner.
 *
 * A case that needs transactions checks that a driver without them (`capabilities.transactions` is false) refuses
 * them with an `UnsupportedError`.
 *
 * @param open Opens a driver on an empty store, a new one for each call, migrated or not. Returns the driver, or an
 * `OpenedDriver`. A driver that has `Symbol.asyncDispose` is disposed of after its case.
 * @returns The cases; each may run alone, in any order, and at the same time as others.
 *
 * @category Testing
 *
 * @example Test a driver
 * ```ts
 * import { memory } from "event-sourcery/memory";
 * import { driverContract } from "event-sourcery/testing";
 *
 * // With a test runner: for (const { name, run } of driverContract(() => memory())) test(name, run);
 * for (const { run } of driverContract(() => memory())) await run();
 * ```
 */
export function driverContract<Db>(
  open: () => Driver<Db> | OpenedDriver<Db> | Promise<Driver<Db> | OpenedDriver<Db>>,
): readonly ContractCase[] {
  const opening = async () => {
    const opened = await open();
    return "driver" in opened ? opened : { driver: opened };
  };
  return [
    ...capabilities.flatMap((cases) => list(cases, opening, true)),
    ...list(migrate, opening, false),
  ];
}

function list<Db>(
  cases: Cases,
  open: () => Promise<OpenedDriver<Db>>,
  migrated: boolean,
): readonly ContractCase[] {
  return Object.entries(cases).map(([name, run]) => ({
    name,
    async run() {
      const opened = await open();
      const others: Driver<Db>[] = [];
      try {
        if (migrated) await opened.driver.migrate();
        await run(rigOf(opened, others));
      } finally {
        for (const driver of [...others, opened.driver]) await dispose(driver);
        await opened.close?.();
      }
    },
  }));
}

function rigOf<Db>(opened: OpenedDriver<Db>, others: Driver<Db>[]): Rig {
  const { another, begin } = opened;
  const driver = guard(opened.driver);
  return {
    driver,
    store: storeOn(driver),
    begin: begin === undefined ? undefined : (work) => begin(work),
    async second() {
      if (another === undefined) return driver;
      const other = await another();
      others.push(other);
      return guard(other);
    },
  };
}

async function dispose(driver: Driver | AsyncDisposable): Promise<void> {
  if (Symbol.asyncDispose in driver) await driver[Symbol.asyncDispose]();
}
