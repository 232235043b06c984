// The events were restored to an older state than the checkpoints: positions would be given twice.
import { sql } from "drizzle-orm";
import { Outbox } from "event-sourcery";
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/journal.ts";
import { Noted, open } from "../support/relay.ts";
import { engines, stage } from "../support/stage.ts";

const rewind = {
  postgres: [
    sql`delete from event_sourcery.events where position > 2`,
    sql`select setval('event_sourcery.position', 2)`,
  ],
  libsql: [
    sql`delete from es_events where position > 2`,
    sql`update sqlite_sequence set seq = 2 where name = 'es_events'`,
  ],
};

for (const engine of engines) {
  test(`a consumer on ${engine} refuses a log that ends before its checkpoint`, {
    timeout: 60_000,
  }, async () => {
    await using shared = await stage(engine);
    const sent: number[] = [];
    const outboxOf = (store: typeof shared.store) =>
      new Outbox(store, { publisher: ({ data }) => void sent.push(data) });
    const worker = outboxOf(shared.store);
    const running = worker.run({ pollInterval: 10, onError() {} });
    const ended = assert.rejects(running, { code: "STORE_REWOUND" });
    for (const number of [1, 2, 3, 4, 5]) await shared.store.publish("a", Noted(number));
    await until(() => sent.length === 5);
    for (const statement of rewind[engine]) await shared.execute(shared.driver.db, statement);
    await shared.store.publish("a", Noted(6));
    await ended;

    const { store, driver, close } = open(engine, shared.url);
    await assert.rejects(outboxOf(store).runOnce(), { code: "STORE_REWOUND" });
    await assert.rejects(driver.migrate(), { code: "STORE_REWOUND" });
    assert.deepEqual(sent, [1, 2, 3, 4, 5]);
    const { owner, error } = await worker.status();
    assert.deepEqual([owner, error?.code], [undefined, "STORE_REWOUND"]);
    await close();
  });
}
