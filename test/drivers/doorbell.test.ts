import { defineEvent, EventStore } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { query } from "../support/catalog.ts";
import { type PostgresDb, postgresHandles } from "../support/handles.ts";
import { type Shared, shared } from "../support/shared.ts";

const Noted = defineEvent<number>()("Noted");
const timeout = 60_000;
/** Longer than any of these tests: whoever hears of an event in time was not woken by the clock. */
const pollInterval = 3_600_000;

/** Two stores in one schema, as two processes have them. */
async function stores({ db, second }: Awaited<ReturnType<Shared<PostgresDb>["open"]>>) {
  const [driver, other] = [db, await second!()].map((db) => postgres(db, { schema: "woken" }));
  await driver!.migrate();
  const events = [Noted];
  return { here: new EventStore(driver!, { events }), there: new EventStore(other!, { events }) };
}

for (const handle of postgresHandles.filter(({ name }) => /^(postgres\.js|node-pos)/.test(name))) {
  const { open, close } = shared(handle);
  after(close);

  test(`${handle.name}: an append wakes who follows in another process`, { timeout }, async () => {
    const opened = await open();
    const { here, there } = await stores(opened);
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
      while ((await query(opened.db, killed)).length === 0) signal.throwIfAborted();
    }
    assert.deepEqual(seen, [1, 2, 3]);
  });
}
