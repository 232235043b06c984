// Neon's driver over WebSocket, through a proxy before Postgres such as Neon's.
import { neon, neonConfig, Pool } from "@neondatabase/serverless";
import { drizzle as overHttp } from "drizzle-orm/neon-http";
import { drizzle as overWebSocket } from "drizzle-orm/neon-serverless";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import { contractOf } from "../support/contract.ts";
import { startNeonProxy } from "../support/neon.ts";
import { createDatabase } from "../support/postgres.ts";

contractOf(
  {
    name: "Neon's driver over WebSocket",
    async open() {
      const database = await createDatabase();
      const proxy = await startNeonProxy(database.url);
      Object.assign(neonConfig, {
        webSocketConstructor: WebSocket,
        wsProxy: () => proxy.address,
        useSecureWebSocket: false,
        pipelineConnect: false, // the server asks for no password
        pipelineTLS: false,
      });
      const pools: Pool[] = [];
      const another = async () => {
        const pool = new Pool({ connectionString: database.url, max: 10 });
        pools.push(pool);
        return overWebSocket(pool);
      };
      return {
        ...{ db: await another(), prefix: "es_", url: database.url, another },
        async close() {
          await Promise.all(pools.map((pool) => pool.end()));
          proxy.close();
          await database.drop();
        },
      };
    },
  },
  {},
  { every: 3 },
);

test("Neon over HTTP refuses what needs a transaction, before anything is sent", async () => {
  // Nobody answers there: what is sent would fail as a lost connection.
  const driver = postgres(overHttp(neon("postgres://user:password@127.0.0.1:9/shop")));
  assert.equal(driver.capabilities.transactions, false);
  await assert.rejects(driver.transaction(async () => {}), { code: "UNSUPPORTED" });
});
