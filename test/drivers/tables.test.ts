import {
  generateDrizzleJson,
  generateMigration,
  generateSQLiteDrizzleJson,
  generateSQLiteMigration,
} from "drizzle-kit/api";
import { sql } from "drizzle-orm";
import { defineEvent, type Driver, EventStore } from "event-sourcery";
import * as libsqlModule from "event-sourcery/libsql";
import * as postgresModule from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { test } from "node:test";
import { libsqlCatalog, postgresCatalog, query } from "../support/catalog.ts";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";

const { postgres, postgresTables } = postgresModule;
const { libsql, libsqlTables } = libsqlModule;
const timeout = 60_000;

for (
  const { schema, tables } of [
    { schema: "event_sourcery", tables: { ...postgresModule } },
    { schema: "other", tables: { ...postgresTables("other") } },
  ]
) {
  test(
    `drizzle-kit and migrate() make the same Postgres schema "${schema}"`,
    { timeout },
    async () => {
      const [migrated, kit] = await Promise.all([
        postgresHandles[0]!.open(),
        postgresHandles[0]!.open(),
      ]);
      try {
        await postgres(migrated.db, { schema }).migrate();
        const expected = await postgresCatalog(migrated.db, schema);
        const empty = generateDrizzleJson({});
        const statements = await generateMigration(empty, generateDrizzleJson(tables, empty.id));
        for (const statement of statements) await query(kit.db, statement);
        assert.deepEqual(await postgresCatalog(kit.db, schema), expected);
        await isUsable(() => postgres(kit.db, { schema }));
        assert.deepEqual(await postgresCatalog(kit.db, schema), expected);
      } finally {
        await Promise.all([migrated.close(), kit.close()]);
      }
    },
  );
}

for (
  const { prefix, tables } of [
    { prefix: "es_", tables: { ...libsqlModule } },
    { prefix: "other_", tables: { ...libsqlTables("other_") } },
  ]
) {
  test(
    `drizzle-kit and migrate() make the same libSQL tables "${prefix}…"`,
    { timeout },
    async () => {
      const [migrated, kit] = await Promise.all([
        libsqlHandles[0]!.open(),
        libsqlHandles[0]!.open(),
      ]);
      try {
        await libsql(migrated.db, { prefix }).migrate();
        const expected = await libsqlCatalog(migrated.db);
        const empty = await generateSQLiteDrizzleJson({});
        const full = await generateSQLiteDrizzleJson(tables, empty.id);
        const statements = await generateSQLiteMigration(empty, full);
        for (const statement of statements) await kit.db.run(sql.raw(statement));
        assert.deepEqual(await libsqlCatalog(kit.db), expected);
        await isUsable(() => libsql(kit.db, { prefix }));
        assert.deepEqual(await libsqlCatalog(kit.db), expected);
      } finally {
        await Promise.all([migrated.close(), kit.close()]);
      }
    },
  );
}

/** Tables that drizzle-kit made serve as they are, and `migrate()` finds nothing to do. */
async function isUsable(open: () => Driver): Promise<void> {
  const Noted = defineEvent("Noted");
  const store = new EventStore(open(), { events: [Noted] });
  assert.equal((await store.append("a", [Noted(), Noted()])).version, 2);
  await open().migrate();
  assert.deepEqual((await store.load("a")).map(({ version }) => version), [1, 2]);
}
