// What many events cost grows with their number, not with its square: shown by counting, not by a clock.
import { drizzle } from "drizzle-orm/node-postgres";
import type { AppendRequest } from "event-sourcery";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { eventsParameter, storedWrites } from "../../drivers/_sql/append/append.ts";
import { postgres } from "../../drivers/postgres/mod.ts";
import { statementsOf } from "../../drivers/postgres/sql/statements.ts";
import { createDatabase, type Database } from "../support/postgres.ts";

const timeout = 60_000;
let database: Database;
let client: pg.Client;

before(async () => {
  database = await createDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await postgres(drizzle(client)).migrate();
});

after(async () => {
  await client.end();
  await database.drop();
});

/** A node of a plan that was run. */
interface Node {
  readonly Plans?: readonly Node[];
  readonly [property: string]: unknown;
}

/** How many rows a plan made and threw away again. */
function rowsOf(node: Node): number {
  const loops = Number(node["Actual Loops"]);
  const own = Object.entries(node)
    .filter(([name]) => name === "Actual Rows" || name.startsWith("Rows Removed by"))
    .reduce((sum, [, rows]) => sum + Number(rows) * loops, 0);
  return (node.Plans ?? []).reduce((sum, inner) => sum + rowsOf(inner), own);
}

/** Asks for so many events in each of so many new streams. */
function requestOf(streams: number, length: number): AppendRequest {
  return {
    tenantId: "",
    writes: Array.from({ length: streams }, (_, stream) => ({
      ...{ streamId: `${streams}:${stream}`, category: String(streams), slot: 0 },
      expectedVersion: "any",
      events: Array.from({ length }, (_, index) => ({
        ...{ id: `${streams} ${stream} ${index}`, type: "Noted", schemaVersion: 1 },
        ...{ createdAt: "2026-01-31T12:00:00.123Z", data: "1", metadata: "{}", codec: null },
        ...{ tags: [], published: false },
      })),
    })),
  };
}

for (const fence of ["concurrent", "serial"] as const) {
  for (const length of [1, 2]) {
    const what = `${length === 1 ? "one event" : "two events"} to each of many new streams`;
    test(`append() of ${what} looks at each once by the ${fence} fence`, { timeout }, async () => {
      const { fenced, serialise } = statementsOf('"event_sourcery"');
      await client.query("set plan_cache_mode = force_generic_plan");
      const run = async (streams: number) => {
        await client.query("begin");
        await client.query("select setval('event_sourcery.position', 1, false)");
        await client.query(serialise.text);
        await client.query(`prepare many as ${fenced[fence].bound.events.text}`);
        const events = eventsParameter(requestOf(streams, length)).replaceAll("'", "''");
        const { rows } = await client.query<{ "QUERY PLAN": readonly [{ Plan: Node }] }>(
          `explain (analyze, format json) execute many('', '${events}', null, '{1,2}')`,
        );
        await client.query("rollback; deallocate many");
        return rowsOf(rows[0]!["QUERY PLAN"][0].Plan);
      };
      const [few, many] = [await run(400), await run(1600)];
      assert.ok(few > 400 * length, `${few} rows for ${400 * length} events`);
      assert.ok(many < few * 4.5, `${few} rows for 400 streams, ${many} for 1600`);
    });
  }
}

test("what an append stored is sorted in one pass over its rows", () => {
  const request = requestOf(1000, 2);
  let looks = 0;
  const rows = request.writes.flatMap(({ streamId, events }, stream) =>
    events.map((_, index) => ({
      get stream_id() {
        looks++;
        return JSON.stringify(streamId);
      },
      version: String(2 - index),
      position: String(2 * stream + 2 - index),
    }))
  );
  const stored = storedWrites(request, rows);
  assert.deepEqual(stored[999], { version: 2, positions: [1999, 2000] });
  assert.ok(looks <= rows.length, `${looks} looks at ${rows.length} rows`);
});
