// Appends that arrive while others are under way travel together, each with its own outcome.
import {
  type AppendOutcome,
  type AppendRequest,
  ConcurrencyError,
  defineEvent,
  type Driver,
  EventStore,
  isEventSourceryError,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import { driverContract } from "event-sourcery/testing";
import type { LibSQLDatabase } from "drizzle-orm/libsql";
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { gate } from "../support/gate.ts";
import {
  type Handle,
  libsqlHandles,
  type PostgresDb,
  postgresHandles,
} from "../support/handles.ts";
import { runtime } from "../support/root.ts";
import { Chance, seed } from "../support/seed.ts";
import { shared } from "../support/shared.ts";

const timeout = 60_000;
const Noted = defineEvent<number>()("Noted");
const Bad = defineEvent<number>()("Bad");
const events = [Noted, Bad] as const;

/** What the tests need of a handle. */
interface Engine {
  readonly name: string;
  /** Makes a driver with tables of its own. */
  open(options?: { groups?: boolean | number; busyTimeout?: number }): Promise<Opened>;
}

interface Opened {
  readonly driver: Driver;
  /** A second driver on the same tables, by another client where there can be one. */
  readonly other: Driver;
  /** The texts of the statements that append, as they are handed to the client. */
  readonly sent: string[];
  /** Lets the database refuse events of the type Bad, as a constraint of the user's own. */
  refuseBad(): Promise<unknown>;
}

const engines: Engine[] = [
  // Other clients and servers differ in nothing that a group could meet; mixed.test.ts has both servers.
  ...postgresHandles.filter(({ name }) => /^(postgres.js on embedded|PGlite|Bun)/.test(name))
    .map(engineOfPostgres),
  ...libsqlHandles.map(engineOfLibsql),
];

function engineOfPostgres(handle: Handle<PostgresDb>): Engine {
  const { open, close } = shared(handle);
  after(close);
  let schemas = 0;
  return {
    name: handle.name,
    async open(options = {}) {
      const { db, second } = await open();
      const schema = `g${++schemas}`;
      const driver = postgres(db, { schema, ...options });
      await driver.migrate();
      const sent = listen(Reflect.get(db._, "session"), `"${schema}"."events"`);
      return {
        ...{ driver, sent },
        other: postgres(second ? await second() : db, { schema, ...options }),
        refuseBad: async () =>
          await db.execute(
            sql.raw(`alter table ${schema}.events add constraint good check (type <> 'Bad')`),
          ),
      };
    },
  };
}

function engineOfLibsql(handle: Handle<LibSQLDatabase>): Engine {
  const { open, close } = shared(handle);
  after(close);
  let prefixes = 0;
  return {
    name: handle.name,
    async open(options = {}) {
      const { db, prefix: own, second } = await open();
      const prefix = `${own}g${++prefixes}_`;
      const driver = libsql(db, { prefix, ...options });
      await driver.migrate();
      return {
        ...{ driver, sent: listen(Reflect.get(db, "session"), `"${prefix}events"`) },
        other: libsql(second ? await second() : db, { prefix, ...options }),
        refuseBad: async () =>
          await db.run(sql.raw(
            `create trigger ${prefix}good before insert on ${prefix}events when new.type = 'Bad' begin select raise(abort, 'bad'); end`,
          )),
      };
    },
  };
}

/** Collects the texts of the statements that insert into a table, as they are handed to the client. */
function listen(session: object, table: string): string[] {
  const sent: string[] = [];
  const hear = (sql: string) => {
    if (sql.includes(`insert into ${table}`)) sent.push(sql);
  };
  // Transactions have sessions of their own, so the class is listened in on.
  const sessions: object = Object.getPrototypeOf(session);
  type Prepare = (this: unknown, ...given: readonly { sql: string }[]) => unknown;
  const prepare: Prepare = Reflect.get(sessions, "prepareQuery");
  const listening: Prepare = function (...given) {
    hear(given[0]!.sql);
    return prepare.apply(this, [...given]);
  };
  Reflect.set(sessions, "prepareQuery", listening);
  type Batched = { _prepare(): { getQuery(): { readonly sql: string } } };
  type Batch = (this: unknown, items: readonly Batched[]) => unknown;
  const batch: Batch | undefined = Reflect.get(sessions, "batch");
  if (batch === undefined) return sent;
  const batching: Batch = function (items) {
    for (const item of items) hear(item._prepare().getQuery().sql);
    return batch.call(this, items);
  };
  Reflect.set(sessions, "batch", batching);
  return sent;
}

/** Makes a random request: to one of a few streams, with any expectation, sometimes with an id that was used before. */
function requestOf(chance: Chance, ids: string[]): AppendRequest {
  const stream = chance.below(5);
  const expected = (["any", "any", "any", "noStream", "streamExists"] as const)[chance.below(7)];
  return {
    tenantId: ["", "acme"][chance.below(2)]!,
    writes: [{
      ...{ streamId: `s:${stream}`, category: "s", slot: stream },
      expectedVersion: expected ?? chance.below(12),
      events: Array.from({ length: 1 + chance.below(3) }, () => {
        const id = ids.length > 0 && chance.below(12) === 0
          ? ids[chance.below(ids.length)]!
          : `id ${ids.push(`id ${ids.length}`) - 1}`;
        // More tags than events: a rowid of theirs is not one of an event.
        const tags = chance.below(4) === 0 ? [] : ["a", "b", "c", `tag ${chance.below(3)}`];
        return {
          ...{ id, type: "Noted", schemaVersion: 1, createdAt: "2026-01-31T12:00:00.000Z" },
          ...{ data: "1", metadata: "{}", codec: null, tags, published: false },
        };
      }),
    }],
  };
}

/** What of an outcome does not depend on the positions that others took. */
function told(outcome: AppendOutcome): unknown {
  if (outcome.status === "stored") return outcome.writes.map(({ version }) => version);
  const { conflict } = outcome;
  if (conflict.kind !== "id") return conflict.kind;
  return conflict.existing.map(({ id, streamId, version }) => `${id} ${streamId} ${version}`)
    .sort();
}

for (const { name, open } of engines) {
  for (const groups of [1, 2, 64, true, false] as const) {
    // What the size of a group changes is the same for all clients.
    if (groups !== true && !/^(postgres.js on embedded|libSQL file)/.test(name)) continue;
    test(
      `${name}: appends sent at once end as one after the other (groups: ${groups}, SEED=${seed})`,
      { timeout },
      async () => {
        const { driver } = await open({ groups });
        const model = memory();
        const chance = new Chance(seed);
        const ids: string[] = [];
        for (let round = 0; round < 8; round++) {
          const requests = Array.from(
            { length: 1 + chance.below(40) },
            () => requestOf(chance, ids),
          );
          // An id that two have at once may be stored by either.
          const used = new Set<string>();
          const once = requests.filter(({ writes }) => {
            const own = writes[0]!.events.map(({ id }) => id);
            const fresh = new Set(own).size === own.length && own.every((id) => !used.has(id));
            own.forEach((id) => used.add(id));
            return fresh;
          });
          // Without groups, requests to one stream race each other.
          const together = groups === false
            ? await inTurn(once, async (request) => (await driver.append([request]))[0]!)
            : await Promise.all(once.map(async (request) => (await driver.append([request]))[0]!));
          const expected = await model.append(once);
          assert.deepEqual(together.map(told), expected.map(told));
        }
        const [tagged, modelled] = await Promise.all([driver, model].map(async (driver) => {
          const until = await driver.settled();
          const page = await driver.scan({
            ...{ after: 0, until, limit: 10_000, tags: ["tag 1"] },
            ...{ tenantId: undefined, categories: undefined, types: undefined },
          });
          return page.events.map(({ id, tags }) => `${id} ${tags}`).sort();
        }));
        assert.deepEqual(tagged, modelled);
      },
    );
  }

  test(`${name}: appends of one stream are stored in call order`, { timeout }, async () => {
    const { driver } = await open();
    const store = new EventStore(driver, { events });
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    await Promise.all(numbers.map((index) => store.append(`s:${index % 3}`, Noted(index))));
    for (const remainder of [0, 1, 2]) {
      const stored = (await store.load(`s:${remainder}`)).map(({ data }) => data);
      assert.deepEqual(stored, numbers.filter((index) => index % 3 === remainder));
    }
  });

  test(`${name}: an expectation behind appends of its stream in one tick finds them`, {
    timeout,
  }, async () => {
    const { driver } = await open();
    const store = new EventStore(driver, { events });
    const results = await Promise.allSettled([
      store.append("s", Noted(1)),
      store.append("s", Noted(2)),
      store.append("s", Noted(3), { expectedVersion: 2 }),
      store.append("s", Noted(4), { expectedVersion: 2 }),
      store.append("s", Noted(5)),
      store.append("s", Noted(6), { expectedVersion: "noStream" }),
      store.append("t", Noted(7), { expectedVersion: 3 }),
      store.append("t", Noted(8)),
    ]);
    const outcomes = results.map((result) =>
      result.status === "fulfilled"
        ? result.value.version
        : result.reason instanceof ConcurrencyError && result.reason.actual
    );
    assert.deepEqual(outcomes, [1, 2, 3, 3, 4, 4, 0, 1]);
  });

  test(`${name}: what the database refuses fails alone`, { timeout }, async () => {
    const { driver, refuseBad } = await open();
    await refuseBad();
    const store = new EventStore(driver, { events });
    const results = await Promise.allSettled(
      Array.from(
        { length: 100 },
        (_, index) => store.append(`s:${index % 40}`, index % 33 === 0 ? Bad(index) : Noted(index)),
      ),
    );
    for (const [index, result] of results.entries()) {
      if (index % 33 > 0) assert.equal(result.status, "fulfilled", String(index));
      else assert.ok(result.status === "rejected" && isEventSourceryError(result.reason, "DRIVER"));
    }
    assert.equal(await count(store), 96);
    for (let stream = 0; stream < 40; stream++) {
      const data = (await store.load(`s:${stream}`)).map(({ data }) => data);
      assert.deepEqual(data, [...data].sort((a, b) => a - b));
    }
  });

  test(`${name}: an event that is appended twice at once is stored once`, { timeout }, async () => {
    const { driver } = await open();
    const store = new EventStore(driver, { events });
    const event = Noted(1);
    const appends = Array.from(
      { length: 60 },
      (_, index) => store.append(`s:${index % 20}`, index % 20 === 7 ? event : Noted(index)),
    );
    const results = await Promise.all(appends);
    const others = Array.from(
      { length: 20 },
      (_, index) => store.append(`t:${index}`, Noted(index)),
    );
    await assert.rejects(
      store.append("elsewhere", [Noted(1), event]),
      (error) => isEventSourceryError(error, "DUPLICATE_EVENT"),
    );
    await Promise.all(others);
    const first = results[7]!;
    assert.deepEqual([results[27], results[47]], [first, first]);
    assert.deepEqual((await store.load("s:7")).map(({ id }) => id), [event.id]);
    assert.equal(await store.version("elsewhere"), 0);
  });

  test(`${name}: what waits is taken out by its signal, and nothing else is`, {
    timeout,
  }, async () => {
    const { driver } = await open();
    const store = new EventStore(driver, { events });
    const reason = new Error("gone");
    const controller = new AbortController();
    const { signal } = controller;
    await store.append("s:0", Noted(0), { signal });
    const first = store.append("s:1", Noted(1));
    // Too few for a second statement beside the first.
    const rest = Array.from({ length: 14 }, (_, index) => {
      return store.append(`s:${index}`, Noted(index), index % 2 === 0 ? { signal } : {});
    });
    const outcomes = Promise.allSettled(rest);
    // A database in this process has answered by then.
    const wait = /^(PGlite|libSQL (in|file))/.test(name) ? 0 : 100;
    for (let microtask = 0; microtask < wait; microtask++) await undefined;
    controller.abort(reason);
    for (const [index, result] of (await outcomes).entries()) {
      if (index % 2 === 1) assert.equal(result.status, "fulfilled");
      else assert.ok(result.status === "rejected" && result.reason === reason, String(index));
    }
    assert.equal((await first).version, 1);
    await assert.rejects(store.append("s:1", Noted(2), { signal }), reason);
    assert.equal(await count(store), 9);
  });

  test(`${name}: appends under conditions travel together, unless one matches another's`, {
    timeout,
  }, async () => {
    const { driver, sent } = await open();
    const store = new EventStore(driver, { events });
    await store.append("s", Noted(0));
    sent.length = 0;
    const tag = (index: number) => ({ tags: [`tag:${index}`] });
    const condition = (index: number) => ({ query: tag(index), after: 0 });
    const book = (index: number, data: number) =>
      store.append(`s:${data}`, Noted(data, tag(index)), { condition: condition(index) });
    const disjoint = Array.from({ length: 30 }, (_, index) => book(index, index));
    await Promise.all([...disjoint, store.append("s", Noted(1))]);
    // The first by itself, and two groups at most; on Postgres, the one without a condition waits for none of them.
    const groups = sent.filter((text) => text.includes("head.cond")).length;
    assert.ok(groups > 0 && sent.length <= 4, `${groups} of ${sent.length} statements`);
    // Ten want each of three tags; those of one tag are not sent in one statement, which sees nothing of itself.
    const racing = Array.from({ length: 30 }, (_, index) => book(100 + index % 3, 100 + index));
    const results = await Promise.allSettled(racing);
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 3);
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      assert.ok(result.reason instanceof ConcurrencyError && result.reason.condition !== undefined);
    }
    // An expectation and a condition must both hold, and what follows in the stream is stored.
    const mixed = await Promise.allSettled([
      store.append("m", Noted(1), { expectedVersion: 0, condition: condition(200) }),
      store.append("n", Noted(2, tag(200)), { expectedVersion: 1, condition: condition(200) }),
      store.append("n", Noted(3)),
      store.append("o", Noted(4), { expectedVersion: 0, condition: condition(0) }),
      store.append("o", Noted(5)),
      ...Array.from({ length: 5 }, (_, index) => store.append("p", Noted(index))),
    ]);
    assert.deepEqual(
      mixed.map(({ status }) => status === "fulfilled"),
      [true, false, true, false, true, true, true, true, true, true],
    );
    assert.deepEqual([await store.version("n"), await store.version("o")], [1, 1]);
  });

  // A database with one connection has no other that could hold a lock, and the server ends one that holds it idly.
  if (["PGlite", "libSQL in memory", "libSQL over HTTP"].includes(name)) continue;

  test(`${name}: what could not be sent within busyTimeout fails, stored nowhere`, {
    timeout,
  }, async () => {
    const { driver, other } = await open({ busyTimeout: 400 });
    const store = new EventStore(driver, { events });
    await store.append("s", Noted(0));
    await new EventStore(other, { events }).transaction(async ({ store: holder }) => {
      await holder.append("s", Noted(1));
      const results = await Promise.allSettled(
        Array.from({ length: 40 }, (_, index) => store.append("s", Noted(index))),
      );
      for (const result of results) {
        assert.ok(result.status === "rejected" && isEventSourceryError(result.reason, "BUSY"));
      }
    });
    assert.equal(await store.version("s"), 2);
  });

  if (name.startsWith("libSQL")) continue; // one writer at a time

  test(`${name}: a locked stream holds up only itself`, { timeout }, async () => {
    const { driver, other } = await open({ busyTimeout: 20_000 });
    const store = new EventStore(driver, { events });
    const release = gate();
    let holder: Promise<void> | undefined;
    await new Promise<void>((resolve) => {
      holder = new EventStore(other, { events }).transaction(async ({ store }) => {
        await store.append("locked", Noted(0));
        resolve();
        await release.passed;
      });
    });
    const waiting: Promise<{ version: number }>[] = [];
    for (let round = 0; round < 5; round++) {
      waiting.push(store.append("locked", Noted(round)));
      await Promise.all(
        Array.from({ length: 64 }, (_, index) => store.append(`s:${index}`, Noted(round))),
      );
    }
    assert.equal(await Promise.race([waiting[0], "still waiting"]), "still waiting");
    for (let index = 0; index < 64; index++) assert.equal(await store.version(`s:${index}`), 5);
    release.open();
    await holder;
    assert.deepEqual((await Promise.all(waiting)).map(({ version }) => version), [2, 3, 4, 5, 6]);
    const data = (await store.load("locked")).map(({ data }) => data);
    assert.deepEqual(data, [0, 0, 1, 2, 3, 4]);
  });

  test(`${name}: a lone append leaves in the same tick, by the statement for one`, {
    timeout,
  }, async () => {
    const { driver, sent } = await open();
    const store = new EventStore(driver, { events });
    await store.append("s", Noted(0));
    sent.length = 0;
    const alone = store.append("s", Noted(1));
    for (let microtask = 0; microtask < 200; microtask++) await undefined;
    assert.equal(sent.length, 1);
    assert.doesNotMatch(sent[0]!, /json_to_recordset/);
    await alone;
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => store.append(`s:${index}`, Noted(index))),
    );
    assert.equal(results.length, 10);
    assert.deepEqual(sent.slice(1).map((text) => /json_to_recordset/.test(text)), [false, true]);
  });
}

// What the size of a group changes is the same for all clients and runtimes; the other cases do not append at once.
const appending = /^(append|appends|of 16|readAll\(\) skips)/;
for (const { name, open } of engines) {
  if (runtime !== "node" || !/^(postgres.js on embedded|libSQL in memory)/.test(name)) continue;
  for (const groups of [1, 2, 64]) {
    const cases = driverContract(async () => {
      const { driver, other } = await open({ groups });
      return { driver, another: () => other };
    });
    for (const { name: title, run } of cases.filter(({ name }) => appending.test(name))) {
      test(`${name}, groups of ${groups}: ${title}`, { timeout }, run);
    }
  }
}

async function count(store: Pick<EventStore, "readAll">): Promise<number> {
  let events = 0;
  for await (const _ of store.readAll()) events++;
  return events;
}

async function inTurn<A, B>(list: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (const item of list) results.push(await work(item));
  return results;
}
