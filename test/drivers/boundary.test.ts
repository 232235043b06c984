// Conditions under concurrent writers, judged by a replay: in the order of positions, every append under a condition
// stands where its condition holds. Without any one of the locks and checks, the same histories fail.
import {
  type AppendCondition,
  defineEvent,
  type Driver,
  type EventQuery,
  EventStore,
  isEventSourceryError,
  type RecordedEvent,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import { drizzle } from "drizzle-orm/postgres-js";
import { PostgresJsSession } from "drizzle-orm/postgres-js/session";
import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import client from "postgres";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";
import { createDatabase } from "../support/postgres.ts";
import { Chance, seed } from "../support/seed.ts";

const Noted = defineEvent<number>()("Noted");
const Closed = defineEvent<number>()("Closed");
type Events = ReturnType<typeof Noted> | ReturnType<typeof Closed>;
type Store = EventStore<Events>;
const open = (driver: Driver): Store => new EventStore(driver, { events: [Noted, Closed] });

const seconds = Number(process.env["BOUNDARY_SECONDS"] ?? 1);
const timeout = 120_000;

/** An append that was stored under a condition. */
interface Claim {
  readonly condition: AppendCondition;
  readonly first: number;
}

/** How a history is made. */
interface History {
  /** How many tags there are. */
  readonly tags: number;
  /** How long a transaction stays open, in milliseconds. */
  readonly pause: number;
  readonly chance: Chance;
}

function queryOf({ chance, tags }: History): EventQuery<"Noted" | "Closed"> {
  const tag = () => `tag:${chance.below(tags)}`;
  return [
    { tags: [tag()] },
    { tags: [tag(), "some"] },
    { types: ["Closed"] as const, tags: [tag()] },
    { types: ["Closed"] as const },
    [{ tags: [tag()] }, { types: ["Closed"] as const, tags: ["some"] }],
  ][chance.below(5)]!;
}

function eventOf({ chance, tags }: History): Events {
  const type = chance.below(8) === 0 ? Closed : Noted;
  const some = chance.below(3) === 0 ? ["some"] : [];
  return type(chance.below(1000), { tags: [`tag:${chance.below(tags)}`, ...some] });
}

/** Appends with and without conditions, alone, to several streams and in transactions, some of which roll back. */
async function work(store: Store, history: History, claims: Claim[], until: () => boolean) {
  const { chance, pause } = history;
  let kept: AppendCondition | undefined;
  while (!until()) {
    const streamId = `s:${chance.below(40)}`;
    const decide = async (store: Pick<Store, "query" | "append" | "appendAll">) => {
      const condition: AppendCondition = kept !== undefined && chance.below(6) === 0
        ? kept
        : (await store.query(queryOf(history))).condition;
      if (chance.below(3) === 0) await turn(1);
      const events = Array.from({ length: 1 + chance.below(2) }, () => eventOf(history));
      const result = chance.below(5) === 0
        ? (await store.appendAll([{ streamId, events }, {
          streamId: `${streamId}b`,
          events: eventOf(history),
        }], {
          condition,
        }))[0]
        : await store.append(streamId, events, { condition });
      return { condition, first: result.events[0]!.position };
    };
    try {
      const kind = chance.below(12);
      if (kind < 4) {
        await store.append(streamId, eventOf(history));
      } else if (kind < 6) {
        await store.transaction(async ({ store }) => {
          await store.append(streamId, eventOf(history));
          await turn(pause);
          if (chance.below(3) === 0) throw new Error("changed its mind");
        });
      } else if (kind < 7) {
        claims.push(
          await store.transaction(async ({ store }) => {
            const claim = await decide(store as unknown as Store);
            await store.append(`${streamId}c`, eventOf(history));
            if (chance.below(3) === 0) throw new Error("changed its mind");
            return claim;
          }),
        );
      } else {
        const claim = await decide(store);
        // One of a transaction that is rolled back later may hold positions that others take.
        kept = claim.condition;
        claims.push(claim);
      }
    } catch (error) {
      const expected = isEventSourceryError(error)
        ? ["CONCURRENCY", "BUSY", "TRANSACTION_ABORTED"].includes(error.code)
        : error instanceof Error && error.message === "changed its mind";
      if (!expected) throw error;
    }
  }
}

/** Counts the conditions that do not hold where their append stands in the log. */
async function broken(store: Store, claims: readonly Claim[]): Promise<number> {
  const log: RecordedEvent<Events>[] = [];
  for await (const event of store.readAll()) log.push(event);
  return claims.filter(({ condition: { query, after, seen = [] }, first }) =>
    log.some(({ position, type, tags }) =>
      position < first && position > after && !seen.includes(position) &&
      [query].flat().some((item) =>
        (item.types === undefined || item.types.includes(type)) &&
        (item.tags ?? []).every((tag) => tags.includes(tag))
      )
    )
  ).length;
}

/** Runs a history until the time is over, or something is broken. */
async function run(
  stores: readonly Store[],
  limit: number,
  { tags = 8, pause = 1, rounds = 1 } = {},
) {
  const claims: Claim[] = [];
  for (let round = 0; round < rounds; round++) {
    const end = performance.now() + limit * 1000;
    const until = () => performance.now() > end;
    await Promise.all(
      Array.from(
        { length: 24 },
        (_, index) =>
          work(
            stores[index % stores.length]!,
            { tags, pause, chance: new Chance(seed + 100 * round + index) },
            claims,
            until,
          ),
      ),
    );
    const wrong = await broken(stores[0]!, claims);
    if (wrong > 0) return { wrong, claims: claims.length };
  }
  return { wrong: 0, claims: claims.length };
}

function holds(name: string, make: () => Promise<readonly Driver[]>): void {
  test(`${name}: a replay satisfies every condition (SEED=${seed})`, { timeout }, async (t) => {
    const drivers = await make();
    await drivers[0]!.migrate();
    const { wrong, claims } = await run(drivers.map(open), seconds);
    t.diagnostic(`${claims} appends under a condition`);
    assert.equal(wrong, 0);
    assert.ok(claims > 0, `${claims} appends under a condition`);
  });
}

holds("memory", async () => [memory()]);
// PGlite has one connection, so nothing runs beside anything.
for (const handle of postgresHandles.filter(({ name }) => name.startsWith("postgres.js"))) {
  holds(handle.name, async () => {
    const { db, another, close } = await handle.open();
    after(close);
    return [postgres(db), ...(another ? [postgres(await another())] : [])];
  });
}
for (const handle of libsqlHandles.filter(({ name }) => name !== "libSQL in memory")) {
  holds(handle.name, async () => {
    const { db, prefix, another, close } = await handle.open();
    after(close);
    return [libsql(db, { prefix }), libsql(await another!(), { prefix })];
  });
}

/** What to take out of the statements' texts. */
const sabotages: Record<string, (text: string) => string> = {
  "conditions lock nothing": (text) => text.replace("pg_advisory_xact_lock(own.key)", "own.key"),
  "plain appends lock nothing": (text) =>
    text.replace("count(pg_advisory_xact_lock_shared(key))", "count(key)")
      .replace("pg_advisory_xact_lock_shared($15::text::bigint)", "$15::text::bigint"),
  "the check sees what was there before the locks": (text) =>
    text.replace(/isolation level read committed/i, "isolation level repeatable read")
      .replace("current_setting('transaction_isolation')", "'read committed'::text"),
};

let replace: ((text: string) => string) | undefined;
type Prepare = (query: { readonly sql: string }, ...rest: readonly unknown[]) => unknown;
const prototype: object = PostgresJsSession.prototype;
const prepare: Prepare = Reflect.get(prototype, "prepareQuery");
Reflect.set(
  prototype,
  "prepareQuery",
  function (this: unknown, ...given: Parameters<Prepare>) {
    const [query, ...rest] = given;
    const sql = replace === undefined ? query.sql : replace(query.sql);
    return prepare.call(this, { ...query, sql }, ...rest);
  },
);

for (const [name, text] of Object.entries(sabotages)) {
  test(`the replay finds it when ${name} (SEED=${seed})`, { timeout }, async () => {
    const database = await createDatabase();
    const options = { max: 10, onnotice: () => {}, fetch_types: false };
    const clients = [client(database.url, options), client(database.url, options)];
    try {
      const drivers = clients.map((sql) => postgres(drizzle(sql)));
      await drivers[0]!.migrate();
      replace = text;
      const { wrong } = await run(drivers.map(open), 1, { tags: 2, pause: 5, rounds: 12 });
      assert.ok(wrong > 0, "the replay found nothing");
    } finally {
      replace = undefined;
      await Promise.all(clients.map((sql) => sql.end({ timeout: 1 })));
      await database.drop();
    }
  });
}

function turn(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
