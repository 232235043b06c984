import type { Driver } from "../driver/driver.ts";
import { append } from "./cases/append.ts";
import { type Cases, type Rig, storeOn } from "./rig.ts";
import { consumers } from "./cases/consumers.ts";
import { deletion } from "./cases/delete.ts";
import { encoding } from "./cases/encoding.ts";
import { guard } from "./guard.ts";
import { handlers } from "./cases/handlers.ts";
import { ids } from "./cases/ids.ts";
import { lanes } from "./cases/lanes.ts";
import { log } from "./cases/log.ts";
import { migrate } from "./cases/migrate.ts";
import { named } from "./cases/names.ts";
import { outbox } from "./cases/outbox.ts";
import { parked } from "./cases/parked.ts";
import { projections } from "./cases/projections.ts";
import { races } from "./cases/races.ts";
import { read } from "./cases/read.ts";
import { registry } from "./cases/registry.ts";
import { repair } from "./cases/repair.ts";
import { savepoints } from "./cases/savepoints.ts";
import { streams } from "./cases/streams.ts";
import { tenants } from "./cases/tenants.ts";
import { transactions } from "./cases/transactions.ts";
import { using } from "./cases/using.ts";
import { versions } from "./cases/versions.ts";

/** One promise of a driver, and how to see whether it is kept. */
export interface ContractCase {
  /** What the driver does, and when; no two cases share a name. */
  readonly name: string;
  /** Opens a store of its own and checks the promise; rejects, mostly with an `AssertionError`, if it is not kept. */
  readonly run: () => Promise<void>;
}

/** A driver on an empty store, with what belongs to it. */
export interface OpenedDriver<Db = unknown> {
  /** The driver; the cases call its `migrate`. */
  readonly driver: Driver<Db>;
  /** Opens a second driver on the same store, as another process would. @default races run through the first alone */
  readonly another?: (() => Driver<Db> | Promise<Driver<Db>>) | undefined;
  /**
   * Runs work in a transaction of the caller's own, for `using`: commits when it resolves, rolls back when it
   * rejects. @default `using` is tried with `driver.db`, for reading only
   */
  readonly begin?: (<R>(work: (db: Db) => Promise<R>) => Promise<R>) | undefined;
  /** Closes what was opened and removes the store. @default nothing */
  readonly close?: (() => unknown) | undefined;
}

const capabilities: readonly Cases[] = [
  ...[append, versions, ids, races, read, log, streams, tenants, deletion, repair, encoding, named],
  ...[transactions, savepoints, handlers, using],
  ...[lanes, registry, parked, outbox, consumers, projections],
];

/**
 * Gives the cases that every driver must pass, for any test runner.
 *
 * A case that needs transactions checks that a driver without them (`capabilities.transactions` is false) refuses
 * them with an `UnsupportedError`.
 *
 * @param open Gives a driver on an empty store of its own, for each call another; migrated or not. Either the driver
 * alone, or the driver with what belongs to it. A driver that has `Symbol.asyncDispose` is disposed of after its case.
 * @returns The cases; each may run alone, in any order, and at the same time as others.
 *
 * @example Prove a driver
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
        await run(benchOf(opened, others));
      } finally {
        for (const driver of [...others, opened.driver]) await dispose(driver);
        await opened.close?.();
      }
    },
  }));
}

function benchOf<Db>(opened: OpenedDriver<Db>, others: Driver<Db>[]): Rig {
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
