// An embedded replica: a file that reads for itself, and sends what it writes to a server.
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { defineEvent, EventStore, Subscription } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ownPrefix, startSqld } from "../support/sqld.ts";

const Noted = defineEvent<number>()("Noted");

test("an embedded replica is migrated, written and read", { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-replica-"));
  // A server of its own: a replica copies everything that the tests beside this one have written.
  const server = await startSqld();
  const client = createClient({
    url: `file:${join(folder, "replica.db")}`,
    syncUrl: server.url,
  });
  try {
    await client.sync();
    const prefix = ownPrefix();
    const driver = libsql(drizzle(client), { prefix });
    await driver.migrate();
    await driver.migrate();
    const store = new EventStore(driver, { events: [Noted] });
    await store.append("a", Noted(1));
    await store.append("a", [Noted(2), Noted(3, { tags: ["t"] })], { expectedVersion: 1 });
    await store.transaction(async ({ store }) => void await store.append("b", Noted(4)));
    await client.sync();
    assert.deepEqual((await store.load("a")).map(({ data }) => data), [1, 2, 3]);
    const seen: unknown[] = [];
    await new Subscription(store, { name: "reader", handler: ({ data }) => void seen.push(data) })
      .runOnce();
    assert.deepEqual(seen, [1, 2, 3, 4]);
    // What others write to the server is there with the next synchronization.
    const direct = createClient({ url: server.url });
    const other = new EventStore(libsql(drizzle(direct), { prefix }), { events: [Noted] });
    await other.append("a", Noted(5));
    direct.close();
    assert.equal(await store.version("a"), 3);
    await client.sync();
    assert.equal(await store.version("a"), 4);
    await store.append("a", Noted(6), { expectedVersion: 4 });
  } finally {
    client.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
