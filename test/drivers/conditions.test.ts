import { createClient } from "@libsql/client";
import assert from "node:assert/strict";
import { test } from "node:test";
import { drizzle } from "drizzle-orm/libsql";
import { libsql } from "../../drivers/libsql/mod.ts";
import { guard } from "../../drivers/libsql/sql/match.ts";

test("a condition on libSQL reads by indexes from its position on", async () => {
  const client = createClient({ url: ":memory:" });
  try {
    await libsql(drizzle(client)).migrate();
    const places = { tenant: "?1", items: "?2", after: "?3" };
    const condition = guard('"es_events"', '"es_event_tags"', places, "?4");
    const { rows } = await client.execute({
      sql: `explain query plan select 1 where ${condition}`,
      args: ["", "[]", "0", "[]"],
    });
    const plan = rows.map(({ detail }) => String(detail)).join("\n");
    assert.match(plan, /SEARCH t USING .*\(tenant_id=\? AND tag=\? AND position>\?\)/);
    assert.match(plan, /SEARCH e USING .*events_type \(tenant_id=\? AND type=\? AND position>\?\)/);
  } finally {
    client.close();
  }
});
