import { createClient } from "@libsql/client";
import { drizzle as drizzleLibsql } from "drizzle-orm/libsql";
import { drizzle } from "drizzle-orm/node-postgres";
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { libsql } from "../../drivers/libsql/mod.ts";
import {
  type LibsqlStatements,
  statementsOf as libsqlStatementsOf,
} from "../../drivers/libsql/sql/statements.ts";
import { postgres } from "../../drivers/postgres/mod.ts";
import { statementsOf } from "../../drivers/postgres/sql/statements.ts";
import type { ScanFilters } from "../../drivers/_sql/statement.ts";
import { createDatabase, type Database } from "../support/postgres.ts";

const none: ScanFilters = {
  tenant: false,
  categories: false,
  types: false,
  tags: 0,
  stream: false,
  published: false,
  lane: false,
  backwards: false,
};
const cases: readonly Partial<ScanFilters>[] = [
  {},
  { tenant: true },
  { published: true },
  { lane: true },
  { lane: true, published: true },
  { types: true },
  { categories: true, types: true },
  { categories: true, types: true, lane: true },
  { backwards: true },
  { backwards: true, published: true },
  { backwards: true, categories: true, types: true },
];
const parameters = `'2000', '20000', '500', '', '["order"]', '["Placed"]', '["tag"]', '', '[1,8]'`;

/** Stands in for a log of some size. */
const fill = `insert into event_sourcery.events
  (position, tenant_id, stream_id, version, category, slot, id, type, schema_version, created_at, metadata, published)
select n, '', 'order:' || n / 10, 1 + n % 10, case when n % 3 = 0 then 'order' else 'cart' end, n / 10 % 1024, n,
  case when n % 4 = 0 then 'Placed' else 'Paid' end, 1, now(), '{}', n % 2 = 0
from generate_series(1, 20000) as n`;
const fillTags = `insert into event_sourcery.event_tags
  select '', tag, n from generate_series(1, 20000) as n, unnest(array['hot', 'warm', 'tag']) as tag
  where tag <> 'tag' or n % 1000 = 0`;
const fillParked = `insert into event_sourcery.parked
  (scope, name, version, tenant_id, stream_id, slot, position, attempts, failed_at)
select 'all', 'c' || n % 3, 1, '', 's' || n, n % 1024, n, 1, now() from generate_series(1, 6000) as n`;

describe("scan() on Postgres", () => {
  let database: Database;
  let client: pg.Client;

  before(async () => {
    database = await createDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await postgres(drizzle(client)).migrate();
    await client.query("alter table event_sourcery.events set (autovacuum_enabled = false)");
    await client.query(fill);
    await client.query(fillTags);
    await client.query("set plan_cache_mode = force_generic_plan");
  }, { timeout: 60_000 });

  after(async () => {
    await client.end();
    await database.drop();
  });

  for (const statistics of ["no", "new"]) {
    // A tenant may have few events: it is for the planner to decide what to walk, once it knows.
    for (const filters of cases.filter(({ tenant }) => !tenant || statistics === "new")) {
      const names = Object.keys(filters).join(", ") || "nothing";
      it(`reads no more than a page filtered by ${names} where there are ${statistics} statistics`, async () => {
        if (statistics === "new") await client.query("analyze event_sourcery.events");
        const plan = await explain({ ...none, ...filters });
        assert.match(plan, /Index Scan (Backward )?using events_(pkey|published)/);
        // Both bounds are the index's: what lies outside of them is not read.
        assert.match(plan, /Index Cond: .*position\W+ > .*position\W+ <= /);
        assert.doesNotMatch(plan, /Sort|Join|Bitmap|Seq Scan/);
      });
    }
  }

  for (const tenant of [true, false]) {
    const where = tenant ? "of a tenant" : "of all tenants";
    it(`walks the list of a tag and looks up the rest by key ${where}`, async () => {
      await client.query("analyze event_sourcery.events, event_sourcery.event_tags");
      const plan = await explain({ ...none, tenant, tags: 3 });
      assert.match(
        plan,
        /Index Only Scan using event_tags_pkey on event_tags t .*\n.*Index Cond: .*tenant_id = .*tag = .*position\W+ > .*position\W+ <= /,
      );
      assert.match(plan, /Index Scan using events_pkey on events/);
      assert.doesNotMatch(plan, /Seq Scan|Bitmap|Hash|Merge|JIT/);
    });
  }

  it("walks the index for the streams that begin with a prefix", async () => {
    await client.query("analyze event_sourcery.events");
    const { text } = statementsOf('"event_sourcery"').streams;
    const plan = await planOf(text, "'', null, '', 'order:1', 'order:2', '100'");
    const bounds = plan.match(/Index Cond: .*/g)?.[0] ?? "";
    assert.match(plan, /Index Scan using events_stream/);
    assert.match(bounds, /stream_id >= .*stream_id < /);
    assert.doesNotMatch(plan, /Bitmap|Seq Scan/);
  });

  it("looks up positions one by one in the primary key", async () => {
    const { text } = statementsOf('"event_sourcery"').positions;
    const plan = await planOf(text, `'[1,9000,18000]'`);
    assert.match(plan, /Index (Only )?Scan using events_pkey/);
    assert.match(plan, /Index Cond: \(?"?position"? >= /);
    assert.doesNotMatch(plan, /Seq Scan on events|Bitmap/);
  });

  it("finds an event by its id in the index", async () => {
    const { text } = statementsOf('"event_sourcery"').find;
    const plan = await planOf(text, "'', '17'");
    assert.match(plan, /Index Scan using events_id/);
    assert.doesNotMatch(plan, /Seq Scan|Bitmap/);
  });

  it("walks the parked streams of a consumer from the last one on", async () => {
    await client.query(fillParked);
    await client.query("analyze event_sourcery.parked");
    const { text } = statementsOf('"event_sourcery"').checkpoints.parkedPage;
    const plan = await planOf(
      text,
      `'{"scope":"all","name":"c1","version":1,"after":{"tenantId":"","streamId":"s500"},"limit":50}'`,
    );
    assert.match(plan, /Index Scan using parked_pkey/);
    assert.match(plan, /Index Cond: .*version = .*ROW\(.*tenant_id.*stream_id.*\) > ROW/);
    assert.doesNotMatch(plan, /Seq Scan|Bitmap|Sort/);
  });

  it("reads a flow by the index of those that follow, and by the id of the first", async () => {
    await client.query("analyze event_sourcery.events");
    const { text } = statementsOf('"event_sourcery"').correlated;
    const plan = await planOf(text, "'', '17', '0', '1000'");
    assert.match(plan, /events_correlation/);
    assert.match(plan, /events_id/);
    assert.doesNotMatch(plan, /Seq Scan/);
  });

  async function explain(filters: ScanFilters): Promise<string> {
    const { text } = statementsOf('"event_sourcery"').scan(filters);
    const given = parameters.split(", ").map((value, index) =>
      text.includes(`$${index + 1}::text is null`) ? "null" : value
    );
    return await planOf(text, given.join(", "));
  }

  async function planOf(text: string, given: string): Promise<string> {
    await client.query(`prepare page as ${text}`);
    try {
      const { rows } = await client.query<{ "QUERY PLAN": string }>(
        `explain execute page(${given})`,
      );
      return rows.map((row) => row["QUERY PLAN"]).join("\n");
    } finally {
      await client.query("deallocate page");
    }
  }
});

describe("scan() on libSQL", () => {
  for (
    const filters of [...cases, { tenant: true, types: true }, { tenant: true, backwards: true }]
  ) {
    const names = Object.keys(filters).join(", ") || "nothing";
    it(`reads no more than a page filtered by ${names}`, async () => {
      const plan = await planOnLibsql(({ scan }) => scan({ ...none, ...filters }));
      // Both bounds are the index's: what lies outside of them is not read.
      assert.match(
        plan,
        /SEARCH e USING (INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)|INDEX es_events_published \(position>\? AND position<\?\))\n/,
      );
      assert.doesNotMatch(plan, /SEARCH e .*\n(.*SUBQUERY.*\n|.*json_each.*\n)*USE TEMP B-TREE/);
    });
  }

  for (const tenant of [true, false]) {
    const where = tenant ? "of a tenant" : "of all tenants";
    it(`walks the list of a tag and looks up the rest by key ${where}`, async () => {
      const plan = await planOnLibsql(({ scan }) => scan({ ...none, tenant, tags: 3 }));
      assert.match(
        plan,
        /SEARCH t USING .*\(tenant_id=\? AND tag=\? AND position>\? AND position<\?\)/,
      );
      assert.match(plan, /SEARCH o USING .*\(tenant_id=\? AND tag=\? AND position=\?\)/);
      assert.match(plan, /SEARCH e USING INTEGER PRIMARY KEY/);
      assert.doesNotMatch(plan, /SCAN (t|e|o|es_events)\b/);
    });
  }
});

/** How SQLite goes about a statement, a line a step. */
async function planOnLibsql(
  pick: (all: LibsqlStatements) => { readonly text: string },
): Promise<string> {
  const client = createClient({ url: ":memory:" });
  await libsql(drizzleLibsql(client)).migrate();
  const { text } = pick(libsqlStatementsOf("es_"));
  const args = Array.from({ length: new Set(text.match(/\?\d+/g)).size }, () => "[]");
  const { rows } = await client.execute({ sql: `explain query plan ${text}`, args });
  client.close();
  return rows.map((row) => String(row["detail"])).join("\n");
}

describe("inspect() on libSQL", () => {
  for (
    const [name, pick, uses] of [
      [
        "find",
        (all: LibsqlStatements) => all.find,
        /SEARCH e USING .*events_id \(tenant_id=\? AND id=\?\)/,
      ],
      [
        "parkedPage",
        (all: LibsqlStatements) => all.checkpoints.parkedPage,
        /SEARCH es_parked USING INDEX .*\(scope=\? AND name=\? AND version=\? AND \(tenant_id,stream_id\)>\(\?,\?\)\)/,
      ],
      [
        "parkedGroups",
        (all: LibsqlStatements) => all.checkpoints.parkedGroups,
        /SEARCH es_parked USING INDEX .*\(scope=\? AND name=\? AND version=\?\)/,
      ],
      [
        "positions",
        (all: LibsqlStatements) => all.positions,
        /SEARCH e USING INTEGER PRIMARY KEY \(rowid=\?\).*\n.*\nSEARCH es_events USING INTEGER PRIMARY KEY \(rowid>\?\)/,
      ],
      [
        "correlated",
        (all: LibsqlStatements) => all.correlated,
        /events_id \(tenant_id=\? AND id=\?\)[^]*events_correlation \(tenant_id=\? AND <expr>=\? AND rowid>\?\)/,
      ],
    ] as const
  ) {
    it(`reads no more than it was asked for (${name})`, async () => {
      const plan = await planOnLibsql(pick);
      assert.match(plan, uses);
      assert.doesNotMatch(plan, /SCAN es_/);
    });
  }
});

describe("streams() on libSQL", () => {
  it("begins at the prefix, and not at the first stream", async () => {
    const client = createClient({ url: ":memory:" });
    await libsql(drizzleLibsql(client)).migrate();
    const { text } = libsqlStatementsOf("es_").streams;
    const args = ["", null, "", "order:1", "order:2", "100"];
    const { rows } = await client.execute({ sql: `explain ${text}`, args });
    client.close();
    const codes = rows.map((row) => String(row["opcode"])).filter((code) => /^Seek/.test(code));
    assert.equal(codes[0], "SeekGE", "the greater of the two bounds, included");
  });
});

describe("append() on libSQL", () => {
  for (const name of ["appendOne", "appendAfter", "appendEvents", "appendGroup"] as const) {
    it(`reads the last version of a stream and none before it (${name})`, async () => {
      const client = createClient({ url: ":memory:" });
      await libsql(drizzleLibsql(client)).migrate();
      const { text } = libsqlStatementsOf("es_")[name];
      const count = new Set(text.match(/\?\d+/g)).size;
      const args = Array.from({ length: count }, () => "[]");
      const { rows } = await client.execute({ sql: `explain ${text}`, args });
      client.close();
      const codes = rows.map((row) => String(row["opcode"]));
      // From the end of the index: "SeekGE" would begin with the first version, and go through all.
      const seeks = codes.slice(0, codes.indexOf("AggStep")).filter((code) => /^Seek/.test(code));
      assert.equal(seeks.at(-1), "SeekLE");
    });
  }
});
