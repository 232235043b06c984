// Postgres ends the workers' connections at random, as an administrator or a failover does.
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../support/journal.ts";
import { fold, judge } from "../support/oracle.ts";
import { consumer, open } from "../support/relay.ts";
import { write } from "../support/scribe.ts";
import { Chance, seed } from "../support/seed.ts";
import { all } from "../support/shop.ts";
import { caughtUp, options, stage } from "../support/stage.ts";

const rounds = 18;

for (const kind of ["outbox", "projection"] as const) {
  test(`${kind} loses nothing while its backends are terminated (SEED=${seed})`, {
    timeout: 120_000,
  }, async () => {
    await using shared = await stage("node-postgres");
    const { journal } = shared;
    const chance = new Chance();
    const url = `${shared.url}?application_name=spared`;
    const spared = open("postgres", url);
    const { consumer: watching, close } = consumer({ ...shared.errand("watching", { kind }), url });
    const errand = { kind, slow: 5, options: { ...options, lease: 1000 } };
    const died: string[] = [];
    const workers = ["one", "two"].map((worker) => {
      journal.note({ what: "killed", worker });
      const child = shared.start(worker, errand);
      void child.ended.then(() => died.push(worker));
      return child;
    });
    let terminated = 0;
    for (let round = 0; round < rounds; round++) {
      const from = journal.entries().length;
      await write(spared, journal, chance, 2);
      const rows = await spared.execute(
        spared.driver.db,
        sql`select pg_terminate_backend(pid) from (
          select pid from pg_stat_activity
          where datname = current_database() and application_name <> 'spared'
          order by pid offset ${chance.below(6)} limit 2
        ) as unlucky`,
      );
      terminated += rows.length;
      // The workers are to get somewhere in between.
      if (round % 3 === 0 && journal.entries().slice(from).some(published)) {
        await journal.find(({ what }) => what === "delivered", from);
      }
    }
    assert.ok(terminated > 0);
    await caughtUp(watching);
    assert.deepEqual(died, []);
    await Promise.all(workers.map((worker) => worker.finish()));
    const log = await all(spared.store.readAll());
    if (kind === "projection") assert.deepEqual(await shared.model(), fold(log));
    else judge(journal.entries(), log);
    await close();
    await spared.close();
  });
}

function published(entry: Entry): boolean {
  return entry.what === "committing" && entry.ids.length > 0;
}
