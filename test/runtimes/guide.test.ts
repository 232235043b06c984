// Files of the guide that other programs run: workerd and drizzle-kit. Node asks for all runtimes.
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { bin, must } from "../support/command.ts";
import { write } from "../support/folder.ts";
import { blocks } from "../support/guide.ts";
import { connectLibsql } from "../support/handles.ts";
import { openPool } from "../support/pool.ts";
import { createDatabase } from "../support/postgres.ts";
import { runtime } from "../support/root.ts";
import { sqldUrl } from "../support/sqld.ts";
import { startWorker } from "../support/workerd.ts";

if (runtime === "node") {
  const folder = write(blocks);
  after(() => folder.remove());

  test(
    "the guide's worker.ts appends, publishes and runs by cron",
    { timeout: 60_000 },
    async () => {
      const posted: string[] = [];
      const webhook = createServer((request, response) => {
        request.setEncoding("utf8").on("data", (text) => posted.push(text));
        request.on("end", () => response.writeHead(posted.length === 1 ? 503 : 204).end());
      });
      await new Promise<void>((resolve) => webhook.listen(0, "127.0.0.1", resolve));
      const { port } = webhook.address() as AddressInfo;
      const bindings = {
        ...{ TURSO_DATABASE_URL: await sqldUrl(), TURSO_AUTH_TOKEN: "" },
        WEBHOOK_URL: `http://127.0.0.1:${port}/`,
      };
      const { db, close } = await connectLibsql(bindings.TURSO_DATABASE_URL);
      await libsql(db).migrate();
      const worker = await startWorker(join(folder.path, "worker.ts"), bindings);
      try {
        const id = crypto.randomUUID();
        const post = (body: unknown) =>
          worker.dispatchFetch(`http://worker/${id}`, {
            method: "POST",
            body: JSON.stringify(body),
          });
        const answer = await post({ sku: "tea", quantity: 2, cents: 450 });
        assert.deepEqual([answer.status, await answer.json()], [200, { cents: 900 }]);
        assert.equal((await post({ sku: "tea" })).status, 422);
        const cron = () => worker.dispatchFetch("http://worker/cdn-cgi/handler/scheduled");
        while (posted.length < 2) assert((await cron()).ok); // the webhook was busy at first
        const [first, second] = posted.map((text) => JSON.parse(text));
        assert.deepEqual(first, second);
        assert.equal(first.subject, `order:${id}`);
      } finally {
        await worker.dispose();
        await close();
        webhook.close();
      }
    },
  );

  test("drizzle-kit push --force, set up as in the guide, leaves the events alone", {
    timeout: 60_000,
  }, async () => {
    const file = `file:${join(folder.path, "kit.db")}`;
    const { db, close } = await connectLibsql(file);
    await libsql(db).migrate();
    try {
      const ours = () =>
        db.all(
          sql`select name, rootpage, sql from sqlite_schema where tbl_name like 'es\\_%' escape '\\' order by name`,
        );
      const before = await ours();
      await push(folder.path, "turso.config.ts", { LIBSQL_URL: file });
      await push(folder.path, "turso.config.ts", { LIBSQL_URL: file });
      assert(before.length > 0);
      assert.deepEqual(await ours(), before);
      assert.deepEqual(await db.all(sql`select track from charts`), []);
    } finally {
      await close();
    }
  });

  test(
    "drizzle-kit push --force, set up as in the guide, leaves the schema of the events alone",
    { timeout: 60_000 },
    async () => {
      const { url, drop } = await createDatabase();
      const { pool, close } = openPool(url, 1);
      try {
        await postgres(drizzle(pool)).migrate();
        const ours = async () =>
          (await pool.query(`select oid, relname, relfilenode from pg_class
          where relnamespace = 'event_sourcery'::regnamespace order by oid`)).rows;
        const before = await ours();
        await push(folder.path, "drizzle.config.ts", { DATABASE_URL: url });
        await push(folder.path, "drizzle.config.ts", { DATABASE_URL: url });
        assert(before.length > 0);
        assert.deepEqual(await ours(), before);
        assert.deepEqual((await pool.query("select id from public.orders")).rows, []);
      } finally {
        await close();
        await drop();
      }
    },
  );
}

async function push(cwd: string, config: string, env: Record<string, string>): Promise<void> {
  await must([bin("drizzle-kit"), "push", "--force", `--config=${config}`], { cwd, env });
}
