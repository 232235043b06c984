// Random histories of several processes: what is not forgotten opens, what is forgotten reads as its mask, and no column
// holds either in the clear; whatever transactions are rolled back, and whoever is forgotten meanwhile.
import { defineEvent, type Driver, EventStore, type Session } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import { SubjectForgotten, subjectKeys } from "event-sourcery/privacy";
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { libsqlHandles, type Opened, postgresHandles } from "../support/handles.ts";
import { Chance, seed } from "../support/seed.ts";

const timeout = 60_000;
const secret = "SECRET-5d1c";
const Seen = defineEvent<{ who: string; what: string }>()("Seen", {
  sensitive: { subject: ({ who }) => who, fields: { what: "[gone]" } },
});
const events = [Seen, SubjectForgotten] as const;
const undone = new RangeError("undone");
const storeOn = (driver: Driver) => new EventStore(driver, { events, keys: subjectKeys() });

/** Runs a random history on three processes; returns what it found wrong. */
async function history(drivers: readonly Driver[], run: number): Promise<readonly string[]> {
  const chance = new Chance(seed + run);
  const stores = drivers.map(storeOn);
  const subjects = Array.from({ length: 16 }, (_, index) => `${run}-${index}`);
  const forgotten = new Set<string>();
  let count = 0;
  const writer = async (store: (typeof stores)[number]) => {
    for (let step = 0; step < 12; step++) {
      const who = subjects[chance.below(subjects.length)]!;
      const event = () => Seen({ who, what: `${secret} ${++count}` });
      const kind = chance.below(10);
      if (kind < 5) await store.append(`seen:${who}`, event());
      else if (kind < 9) {
        const rollsBack = chance.below(5) < 2;
        await store.transaction(async ({ store: inner }) => {
          await inner.append(`seen:${who}`, event());
          await inner.load(`seen:${who}`);
          if (rollsBack) throw undone;
        }).catch((error) => assert.equal(error, undone));
        if (rollsBack) await store.append(`seen:${who}`, event());
      } else {
        forgotten.add(who);
        await store.forget(who);
      }
      if (chance.below(3) === 0) await store.load(`seen:${subjects[chance.below(16)]!}`);
    }
  };
  await Promise.all([...stores, ...stores].map(writer));
  const wrong: string[] = [];
  const fresh = storeOn(drivers[0]!);
  for (const store of [...stores, fresh]) {
    for (const who of subjects) {
      const read = await store.load(`seen:${who}`).catch(({ code }) => [{ data: { what: code } }]);
      for (const { data } of read) {
        const { what } = data as { readonly what: string };
        const right = forgotten.has(who) ? what === "[gone]" : what.startsWith(secret);
        // Another process reads on as long as it keeps the key.
        const lags = forgotten.has(who) && what.startsWith(secret) && store !== fresh;
        if (!right && !lags) wrong.push(`${who}: ${what}`);
      }
    }
  }
  return wrong;
}

/** A driver whose transactions pass for the driver's own session: keys that they made are remembered. */
function remembering(driver: Driver): Driver {
  const wrap = <S extends Session>(session: S, inner: boolean): S =>
    new Proxy(session, {
      has: (target, key) => key === "capabilities" || key in target,
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (key === "transaction") {
          return (work: (session: Session) => unknown) =>
            target.transaction(async (one) => await work(wrap(one, true)));
        }
        return typeof value === "function" && !(inner && key === "constructor")
          ? value.bind(target)
          : value;
      },
    });
  return wrap(driver, false);
}

test("in memory", { timeout }, async () => {
  for (let run = 0; run < 20; run++) {
    const driver = memory();
    assert.deepEqual(await history([driver, driver, driver].map(sameDriver), run), []);
  }
});

test("the histories find keys that are remembered from a transaction that was rolled back", {
  timeout,
}, async () => {
  for (let run = 0; run < 50; run++) {
    const driver = remembering(memory());
    const found = await history([driver], run).then((wrong) => wrong.length, () => 1);
    if (found > 0) return;
  }
  assert.fail("nothing was found");
});

/** Another driver object on the same log, so that it has keys of its own in memory. */
function sameDriver(driver: Driver): Driver {
  return new Proxy(driver, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const kinds: readonly (readonly [
  string,
  () => Promise<Opened<never>>,
  (opened: Opened<never>, db: never) => Driver,
])[] = [
  ...postgresHandles.filter(({ name }) => name.startsWith("postgres.js")).map((handle) =>
    [handle.name, handle.open as never, (_: unknown, db: never) => postgres(db)] as const
  ),
  ...libsqlHandles.filter(({ name }) => name !== "libSQL in memory").map((handle) =>
    [
      handle.name,
      handle.open as never,
      ({ prefix }: Opened<never>, db: never) => libsql(db, { prefix, busyTimeout: 30_000 }),
    ] as const
  ),
];

for (const [name, open, driverOf] of kinds) {
  test(`on ${name}`, { timeout }, async () => {
    const opened = await open();
    const close = () => opened.close();
    try {
      const dbs = [opened.db, await opened.another!(), await opened.another!()];
      const drivers = dbs.map((db) => driverOf(opened, db));
      await drivers[0]!.migrate();
      for (let run = 0; run < 2; run++) assert.deepEqual(await history(drivers, run), []);
      const racers = Array.from({ length: 24 }, (_, index) => storeOn(drivers[index % 3]!));
      const again = storeOn(driverOf(opened, dbs[0]!));
      for (let round = 0; round < 3; round++) {
        const who = `racer ${round}`;
        await Promise.all(
          racers.map((store, index) =>
            store.append(`seen:${who}`, Seen({ who, what: `${secret} r${index}` }))
          ),
        );
        const read = await again.load(`seen:${who}`);
        assert.ok(read.every(({ data }) => (data as { what: string }).what.startsWith(secret)));
      }
      assert.equal(await leaked(opened.db, opened.prefix, name), false);
    } finally {
      await close();
    }
  });
}

/** Whether a row of the events, or of anything made from them, holds the secret. */
async function leaked(db: never, prefix: string, name: string): Promise<boolean> {
  interface Runs {
    execute(query: unknown): Promise<Iterable<unknown> & { readonly rows?: readonly unknown[] }>;
    all(query: unknown): Promise<readonly unknown[]>;
  }
  const handle = db as Runs;
  if (!name.startsWith("libSQL")) {
    const rows = await handle.execute(sql.raw(
      `select count(*)::int as count from event_sourcery.events e where e::text like '%${secret}%'`,
    ));
    const [row] = [...(rows.rows ?? rows)] as { count: number }[];
    return row!.count > 0;
  }
  const rows = await handle.all(
    sql.raw(`select data, codec, tags, metadata from ${prefix}events`),
  );
  return JSON.stringify(rows).includes(secret);
}
