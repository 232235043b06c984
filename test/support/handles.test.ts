import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pages } from "./guide.ts";
import { libsqlHandles, postgresHandles } from "./handles.ts";

for (const { name, open } of postgresHandles) {
  test(`postgresHandles reach an empty database through ${name}`, { timeout: 60_000 }, async () => {
    const { db, another, close } = await open();
    try {
      await db.execute(sql`create table t (i int)`);
      await db.transaction(async (tx) => void await tx.execute(sql`insert into t values (1)`));
      const other = await another?.() ?? db;
      assert.equal(
        (await other.execute(sql`select i from t`) as unknown as unknown[]).length ?? 1,
        1,
      );
    } finally {
      await close();
    }
  });
}

for (const { name, open } of libsqlHandles) {
  test(`libsqlHandles reach an empty database through ${name}`, { timeout: 60_000 }, async () => {
    const { db, prefix, another, close } = await open();
    try {
      await db.run(sql.raw(`create table ${prefix}t (i int)`));
      await db.run(sql.raw(`insert into ${prefix}t values (1)`));
      const other = await another?.() ?? db;
      assert.equal((await other.run(sql.raw(`select i from ${prefix}t`))).rows.length, 1);
    } finally {
      await close();
    }
  });
}

test("databases.md has a row for each handle that the contract is run on", () => {
  const page = readFileSync(join(pages, "databases.md"), "utf8");
  const first = [...page.matchAll(/^\| ([^|]*?) +\|/gm)].map(([, handle]) => handle!);
  const beside = ["PgBouncer", "Neon over WebSocket", "Neon over HTTP", "pg-proxy", "replica"];
  const words = [...postgresHandles, ...libsqlHandles].map(({ name }) =>
    name.replace(/ on .*/, "").replace(/^libSQL (in |over )?/, "")
  );
  assert.ok(words.length >= 5);
  const missing = [...new Set([...words, ...beside])].filter((word) =>
    !first.some((handle) => handle.includes(word))
  );
  assert.deepEqual(missing, []);
});
