// A worker is frozen until others have taken over, and then goes on as if nothing had happened.
import type { ConsumerOptions } from "event-sourcery";
import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, judge } from "../support/oracle.ts";
import { consumer, type Errand, type Point } from "../support/relay.ts";
import { write } from "../support/scribe.ts";
import { Chance, seed } from "../support/seed.ts";
import { all } from "../support/shop.ts";
import { caughtUp, engines, options, recover, stage } from "../support/stage.ts";

const outside: readonly Point[] = ["claimed", "scanned", "handling", "handled", "writing"];

for (const engine of engines) {
  test(`outbox on ${engine} takes no checkpoint from a frozen worker (SEED=${seed})`, {
    timeout: 120_000,
  }, () => thawed(engine, "outbox", outside));
  // Frozen in a transaction, a worker holds the one write lock of a SQLite file: no worker could take over. For Postgres, see
  // below: postgres.js would leave the frozen worker waiting for ever for what the server has ended.
  const places = outside.slice(0, 2);
  test(`projection on ${engine} takes no effect from a frozen worker (SEED=${seed})`, {
    timeout: 120_000,
  }, () => thawed(engine, "projection", places));

  test(`a worker on ${engine} whose clock is a day ahead takes no lease from others`, {
    timeout: 60_000,
  }, async () => {
    await using shared = await stage(engine);
    const { store, journal } = shared;
    await write(shared, journal, new Chance(), 8);
    const workers = [
      shared.start("here", { slow: 30 }),
      shared.start("tomorrow", { slow: 30, ahead: 86_400_000 }),
    ];
    const { consumer: watching, close } = consumer(shared.errand("watching"));
    await caughtUp(watching);
    await close();
    await Promise.all(workers.map((worker) => worker.finish()));
    judge(journal.entries(), await all(store.readAll()));
  });
}

test(
  `a worker frozen in a transaction loses it, and what it wrote in it (SEED=${seed})`,
  {
    timeout: 120_000,
  },
  () => thawed("node-postgres", "projection", ["handling", "handled", "writing"], { timeout: 300 }),
);

async function thawed(
  engine: Errand["engine"],
  kind: Errand["kind"],
  places: readonly Point[],
  more: ConsumerOptions = {},
): Promise<void> {
  await using shared = await stage(engine);
  const { store, journal } = shared;
  const chance = new Chance();
  const errand = { kind, options: { ...options, ...more } };
  for (const [index, at] of places.entries()) {
    await write(shared, journal, chance, 5);
    const from = journal.entries().length;
    const zombie = shared.start(`zombie ${index}`, { ...errand, freeze: { at, nth: 1 } });
    await journal.find(({ what }) => what === "reached", from);
    await recover(shared, `healthy ${index}`, errand);
    const after = journal.entries().length;
    zombie.go();
    const first = await journal.find(
      ({ what, ...entry }) =>
        "worker" in entry && entry.worker === zombie.name &&
        ["wrote", "refused", "failed"].includes(what),
      after,
    );
    assert.notEqual(first.what, "wrote", `frozen when ${at}`);
    await zombie.finish();
  }
  await recover(shared, "last", errand);
  const log = await all(store.readAll());
  if (kind === "projection") assert.deepEqual(await shared.model(), fold(log));
  else judge(journal.entries(), log);
}
