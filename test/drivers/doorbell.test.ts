import { defineEvent, EventStore } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { query } from "../support/catalog.ts";
import { postgresHandles } from "../support/handles.ts";
import { shared } from "../support/shared.ts";

const Noted = defineEvent<number>()("Noted");
const timeout = 60_000;
/** Longer than any of these tests: whoever hears of an event in time was not woken by the clock. */
const pollInterval = 3_600_000;

for (const handle of postgresHandles.filter(({ name }) => /^(postgres\.js|node-pos)/.test(name))) {
  const { open, close } = shared(handle);
  after(close);

  /** Two stores in one schema, as two processes have them. */
  async function stores() {
    const { db, second } = await open();
    const driver = postgres(db, { schema: "woken" });
    await driver.migrate();
    const other = postgres(await second!(), { schema: "woken" });
    const events = [Noted];
    return {
      db,
      here: new EventStore(driver, { events }),
      there: new EventStore(other, { events }),
    };
  }

  test(`${handle.name}: an append wakes who follows in another process`, { timeout }, async () => {
    const { db, here, there } = await stores();
    const seen: number[] = [];
    const signal = AbortSignal.timeout(20_000);
    await there.append("a", Noted(1));
    for await (const { data } of here.follow({ signal, pollInterval })) {
      seen.push(data);
      if (data === 3) break;
      await there.append("a", Noted(data + 1));
      if (data > 1) continue;
      // A listener that was lost opens a connection again, and looks what it has missed.
      const listening = "query like 'listen %' and datname = current_database()";
      const killed = `select pg_terminate_backend(pid) from pg_stat_activity where ${listening}`;
      while ((await query(db, killed)).length === 0) signal.throwIfAborted();
    }
    assert.deepEqual(seen, [1, 2, 3]);
  });
}
