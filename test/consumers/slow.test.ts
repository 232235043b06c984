// A transactional handler may take longer than the lease, but not for ever: not even where it hangs in the database.
import { Subscription } from "event-sourcery";
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Noted } from "../support/relay.ts";
import { engines, stage } from "../support/stage.ts";

const timeout = 60_000;
const lease = 200;

for (const engine of engines) {
  test(`a transactional handler on ${engine} may take longer than the lease`, {
    timeout,
  }, async () => {
    await using shared = await stage(engine);
    const { store, execute } = shared;
    await store.append("a", [Noted(1), Noted(2)]);
    const calls: number[] = [];
    const subscription = new Subscription(store, {
      name: "slow",
      lease,
      async handler({ data }, { db }) {
        calls.push(data);
        await new Promise((resolve) => setTimeout(resolve, 2 * lease));
        await execute(db, sql`insert into model (stream_id, seen) values (${String(data)}, '')`);
      },
    });
    assert.equal((await subscription.runOnce()).handled, 2);
    assert.deepEqual(calls, [1, 2]);
    assert.deepEqual(await shared.model(), { 1: "", 2: "" });
  });
}

test("a transactional handler that hangs in Postgres has failed, and lets go of its lane", {
  timeout,
}, async () => {
  await using shared = await stage("postgres");
  const { store, execute } = shared;
  await store.append("a", Noted(1));
  let hangs = true;
  const subscription = new Subscription(store, {
    name: "hanging",
    lease,
    timeout: 300,
    retry: { minDelay: 0, maxDelay: 0 },
    async handler(_, { db }) {
      await execute(db, hangs ? sql`select pg_sleep(3600)` : sql`select 1`);
    },
  });
  assert.equal((await subscription.runOnce()).failed, 1);
  assert.match((await subscription.parked())[0]!.error!, /no answer in 300 ms/);
  hangs = false;
  assert.equal((await subscription.runOnce()).handled, 1);
});
