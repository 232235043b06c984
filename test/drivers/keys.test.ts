// The keys that every append locks, by which conditions keep other appends out.
import { defineEvent, EventStore } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import { drizzle } from "drizzle-orm/postgres-js";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import client from "postgres";
import { keysOf, mostKeys } from "../../drivers/postgres/keys.ts";
import { createDatabase, type Database } from "../support/postgres.ts";

const timeout = 60_000;
const Noted = defineEvent<number>()("Noted");
const Counted = defineEvent<number>()("Counted");

const tagged = (data: number) => Noted(data, { tags: [`number:${data}`, "noted"] });

let database: Database;
let sql: ReturnType<typeof client>;

before(async () => {
  database = await createDatabase();
  sql = client(database.url, { max: 4, onnotice: () => {}, fetch_types: false });
});

after(async () => {
  await sql.end({ timeout: 1 });
  await database.drop();
});

/** The key of a type or a tag. */
function keyOf(schema: string, tenantId: string, of: "type" | "tag", name: string): bigint {
  const keys = (type: string, tags: readonly string[]) =>
    keysOf(schema, [{
      tenantId,
      writes: [{
        ...{ streamId: "s", category: "", slot: 0, expectedVersion: "any" },
        events: [{
          ...{ id: "", type, schemaVersion: 1, createdAt: "", data: null },
          ...{ metadata: "{}", codec: null, tags, published: false },
        }],
      }],
    }]);
  if (of === "type") return keys(name, [])[0]!;
  const [type] = keys("", []);
  return keys("", [name]).find((key) => key !== type)!;
}

/** The keys that are locked now, sorted, and the modes of their locks. */
async function lockedKeys(): Promise<{ keys: bigint[]; modes: string[] }> {
  const rows = await sql<{ key: string; mode: string }[]>`
    select ((classid::bigint << 32) | objid::bigint)::text as key, mode from pg_locks
    where locktype = 'advisory' and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())`;
  const keys = rows.map(({ key }) => BigInt(key)).sort((a, b) => a < b ? -1 : 1);
  return { keys, modes: [...new Set(rows.map(({ mode }) => mode))] };
}

async function open() {
  const driver = postgres(drizzle(sql));
  await driver.migrate();
  return new EventStore(driver, { events: [Noted, Counted] });
}

test("the key of a type or tag never changes", () => {
  assert.equal(keyOf('"event_sourcery"', "", "type", "Noted"), 5243616913929734634n);
  assert.equal(
    keyOf('"event_sourcery"', "acme", "tag", "student:ä\u{1f600}"),
    -7705927561180810606n,
  );
  const names = Array.from({ length: 20_000 }, (_, index) => `student:${index}`);
  const distinct = new Set(
    names.flatMap((name) =>
      (["type", "tag"] as const).flatMap((of) =>
        ["", "acme"].map((tenant) => keyOf("s", tenant, of, name))
      )
    ),
  );
  assert.equal(distinct.size, 80_000);
});

test("every append holds shared locks on its types and tags, sorted, until it commits", {
  timeout,
}, async () => {
  const store = await open();
  await store.transaction(async ({ store }) => {
    await store.append("a", [tagged(1), tagged(2), Counted(3)]);
    const names = [["type", "Noted"], ["type", "Counted"], ["tag", "noted"]] as const;
    const tags = [["tag", "number:1"], ["tag", "number:2"]] as const;
    const expected = [...names, ...tags].map(([of, name]) =>
      keyOf('"event_sourcery"', "", of, name)
    );
    expected.sort((a, b) => a < b ? -1 : 1);
    assert.deepEqual(await lockedKeys(), { keys: expected, modes: ["ShareLock"] });
    await store.append("b", Counted(4));
    assert.deepEqual(await lockedKeys(), { keys: expected, modes: ["ShareLock"] });
  });
  assert.deepEqual(await lockedKeys(), { keys: [], modes: [] });
  await store.transaction(async ({ store }) => {
    await store.append("c", Counted(5));
    assert.deepEqual((await lockedKeys()).keys, [keyOf('"event_sourcery"', "", "type", "Counted")]);
  });
});

test("keys are locked in one order, whatever the order of the events", () => {
  const request = (tags: string[]) => ({
    tenantId: "",
    writes: tags.map((tag) => ({
      ...{ streamId: tag, category: "", slot: 0, expectedVersion: "any" as const },
      events: [{
        ...{ id: tag, type: "Noted", schemaVersion: 1, createdAt: "", data: null },
        ...{ metadata: "{}", codec: null, tags: [tag], published: false },
      }],
    })),
  });
  const tags = Array.from({ length: 40 }, (_, index) => `tag ${index}`);
  const keys = keysOf("s", [request(tags)]);
  assert.deepEqual(keysOf("s", [request([...tags].reverse())]), keys);
  assert.deepEqual(keys, [...keys].sort((a, b) => a < b ? -1 : 1));
  assert.equal(keys.length, 41);
});

test("many keys are one lock of a table, so that they do not exhaust the server's locks", {
  timeout,
}, async () => {
  const store = await open();
  const many = Array.from({ length: 2000 }, (_, index) => tagged(index));
  await store.append("many", many);
  await store.transaction(async ({ store }) => {
    for (let from = 0; from < 2000; from += 100) {
      await store.append("many", many.slice(from, from + 100).map(({ data }) => tagged(data)));
    }
    const { keys } = await lockedKeys();
    assert.ok(keys.length > 0 && keys.length <= mostKeys, `${keys.length} locks`);
    const wide = await sql`select mode from pg_locks
      where relation = 'event_sourcery.boundary'::regclass and mode = 'ShareLock'`;
    assert.equal(wide.length, 1);
  });
  assert.equal(await store.version("many"), 4000);
});
