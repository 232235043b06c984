import {
  type Checkpoints,
  type Driver,
  type HandledMessages,
  type Schedule,
  type Snapshots,
  type Subjects,
  UnsupportedError,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { type ContractCase, driverContract } from "event-sourcery/testing";
import assert from "node:assert/strict";
import { test } from "node:test";
import { sabotaged } from "../support/sabotage.ts";

test("driverContract() accepts the driver that the others are made from", async () => {
  assert.deepEqual(await failing(driverContract(() => sabotaged(() => ({})))), []);
});

test("driverContract() fails a driver that does nothing in every case", async () => {
  for (const transactions of [true, false]) {
    const cases = driverContract(() => idle(transactions, async () => []));
    assert.deepEqual(await failing(cases), cases.map(({ name }) => name));
  }
});

test("driverContract() fails a driver that only says it has stored in every case", async () => {
  for (const transactions of [true, false]) {
    const cases = driverContract(() => {
      let position = 0;
      return idle(transactions, async (requests) =>
        requests.map(({ writes }) => ({
          status: "stored",
          writes: writes.map(({ events }) => ({
            version: events.length,
            positions: events.map(() => ++position),
          })),
        })));
    });
    assert.deepEqual(await failing(cases), cases.map(({ name }) => name));
  }
});

test("driverContract() accepts a driver without transactions that refuses them", async () => {
  assert.deepEqual(await failing(driverContract(() => modest(true))), []);
});

test("driverContract() fails a driver without transactions that runs them all the same", async () => {
  const failed = await failing(driverContract(() => modest(false)));
  assert.ok(failed.some((name) => name.startsWith("transaction()")));
});

test("driverContract() gives each case a name of its own", () => {
  const names = driverContract(() => memory()).map(({ name }) => name);
  assert.deepEqual(names.toSorted(), [...new Set(names)].toSorted());
  assert.ok(names.length > 90);
});

test("driverContract() reaches every member of the seam", { timeout: 60_000 }, async () => {
  const reached = new Set<string>();
  const spy = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(object, key) {
        reached.add(String(key));
        const value: unknown = Reflect.get(object, key);
        if (["checkpoints", "snapshots", "keys", "inbox", "schedule"].includes(String(key))) {
          return spy(value as object);
        }
        if (typeof value !== "function") return value;
        if (key !== "transaction") return value.bind(object);
        return (work: (session: object) => unknown) =>
          value.call(object, (session: object) => work(spy(session)));
      },
    });
  // Named here, so that a new member does not compile until it stands here, and fails until a case reaches it.
  const members: Readonly<
    Record<
      | (keyof Driver | keyof Checkpoints | keyof Snapshots | keyof Subjects)
      | (keyof HandledMessages | keyof Schedule),
      true
    >
  > = {
    ...{ append: true, blockAppends: true, capabilities: true, checkpoints: true, db: true },
    examiner: true,
    ...{ delete: true, load: true, migrate: true, notifier: true, repairPosition: true },
    ...{
      correlated: true,
      find: true,
      poll: true,
      probe: true,
      query: true,
      snapshots: true,
      inbox: true,
      mark: true,
      clean: true,
      schedule: true,
      schema: true,
      add: true,
      remove: true,
      take: true,
      fail: true,
      retry: true,
      failed: true,
      next: true,
      count: true,
      save: true,
      drop: true,
      scan: true,
      settled: true,
      streams: true,
      transaction: true,
      using: true,
    },
    ...{ advance: true, check: true, claim: true, discard: true, due: true, lanes: true },
    ...{ forget: true, list: true, setFailure: true },
    ...{ keys: true, read: true, find: true, forgotten: true, make: true, replace: true },
    ...{
      parked: true,
      parkedPage: true,
      parkedGroups: true,
      redriveGroup: true,
      discardGroup: true,
      redefine: true,
      redrive: true,
      refilter: true,
      register: true,
      rewind: true,
    },
  };
  for (const { run } of driverContract(() => spy(memory()))) await run();
  assert.deepEqual(Object.keys(members).filter((name) => !reached.has(name)), []);
});

test("driverContract() closes and disposes what each case opened, also when it fails", async () => {
  for (const sabotage of [() => ({}), () => ({ load: async () => [] })]) {
    let opened = 0;
    let [closed, disposed] = [0, 0];
    const open = () => {
      opened++;
      return Object.assign(sabotaged(sabotage), {
        async [Symbol.asyncDispose]() {
          disposed++;
        },
      });
    };
    const cases = driverContract(() => ({
      driver: open(),
      close: () => void closed++,
    })).slice(0, 20);
    await failing(cases);
    assert.deepEqual([opened, closed, disposed], [20, 20, 20]);
  }
});

/** The cases that fail; they run at the same time, since a driver that does nothing makes many of them wait. */
async function failing(cases: readonly ContractCase[]): Promise<readonly string[]> {
  const passed = await Promise.all(cases.map(passes));
  return cases.filter((_, index) => !passed[index]).map(({ name }) => name);
}

async function passes({ run }: ContractCase): Promise<boolean> {
  try {
    await run();
    return true;
  } catch {
    return false;
  }
}

function idle(transactions: boolean, append: Driver["append"]): Driver {
  const driver: Driver = {
    db: undefined,
    checkpoints: {
      register: async (_, definition) => definition,
      claim: async () => undefined,
      check: async () => false,
      advance: async () => false,
      lanes: async () => [],
      parked: async () => [],
      redrive: async () => 0,
      discard: async () => false,
      rewind: async () => {},
      redefine: async () => false,
      refilter: async () => false,
      due: async () => [],
      setFailure: async () => {},
      list: async () => [],
      forget: async () => "unknown",
    },
    capabilities: { transactions },
    append,
    load: async () => ({ events: [], more: false }),
    scan: async ({ until }) => ({ events: [], scanned: until }),
    settled: async () => 0,
    streams: async () => [],
    delete: async () => {},
    blockAppends: async () => {},
    transaction: (work) => work(driver),
    migrate: async () => {},
    repairPosition: async () => 0,
    using: () => driver,
  };
  return driver;
}

function modest(refuses: boolean): Driver {
  const driver = sabotaged((session) => ({
    async transaction(work) {
      if (refuses) throw new UnsupportedError("open a transaction", "this driver has none");
      return await session.transaction(work);
    },
  }));
  return { ...driver, capabilities: { transactions: false } };
}
