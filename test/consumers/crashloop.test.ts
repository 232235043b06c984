// Rule F3: an event that kills its worker is found and parked, while the others continue.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Consumer } from "event-sourcery";
import { until } from "../support/journal.ts";
import { judge } from "../support/oracle.ts";
import { consumer, type Errand, Noted } from "../support/relay.ts";
import { write } from "../support/scribe.ts";
import { Chance, seed } from "../support/seed.ts";
import { all } from "../support/shop.ts";
import { engines, options, recover, type Stage, stage } from "../support/stage.ts";

const deadly = 5000;
const attempts = 2;
const cautious = { ...options, retry: { ...options.retry, attempts } };

for (const engine of engines) {
  test(
    `an event that kills its worker on ${engine} is parked, and the others are handled (SEED=${seed})`,
    {
      timeout: 120_000,
    },
    () => survives(engine, {}),
  );
}

test("an event that kills its worker slowly, while the lease is renewed, is parked too", {
  timeout: 120_000,
}, () => survives("postgres", { slow: cautious.lease / 2 }));

async function survives(engine: Errand["engine"], more: Partial<Errand>): Promise<void> {
  await using shared = await stage(engine);
  const { store, journal } = shared;
  const chance = new Chance();
  const ids = [crypto.randomUUID(), crypto.randomUUID()];
  if (more.slow === undefined) await write(shared, journal, chance, 8);
  journal.note({ what: "committing", ids });
  await store.publish("deadly", [Noted(deadly, { id: ids[0]! }), Noted(1, { id: ids[1]! })]);
  if (more.slow === undefined) await write(shared, journal, chance, 8);
  const errand = { exit: deadly, options: cautious, ...more };
  const crashes = await restarting(shared, errand);
  assert.ok(crashes <= 2 + attempts, `${crashes} crashes`);

  const behind = (await all(store.readAll())).filter(({ streamId }) => streamId === "deadly");
  const delivered = journal.entries().flatMap((entry) =>
    entry.what === "delivered" ? entry.event.id : []
  );
  assert.deepEqual(behind.filter(({ id }) => delivered.includes(id)), []);
  const { consumer: healthy, close } = consumer(shared.errand("redriving", { options: cautious }));
  assert.equal(await healthy.redrive("deadly"), 1);
  await close();
  await recover(shared, "last", { options: cautious });
  judge(journal.entries(), await all(store.readAll()));
}

/** Starts a worker again and again until nothing is left but what is parked for good; gives how often it died. */
async function restarting(shared: Stage, errand: Partial<Errand>): Promise<number> {
  const { consumer: watching, close } = consumer(shared.errand("watching", errand));
  try {
    for (let crashes = 0; crashes < 10; crashes++) {
      const worker = shared.start(`doomed ${crashes}`, errand);
      let died = false;
      void worker.ended.then(() => died = true);
      await until(async () => died || await settled(watching));
      if (died) continue;
      await worker.finish();
      return crashes;
    }
    throw new Error("Cannot wait any longer: expected the deadly event to be parked for good");
  } finally {
    await close();
  }
}

async function settled(watching: Consumer): Promise<boolean> {
  const { position, head } = await watching.status();
  const parked = await watching.parked();
  return position === head && parked.length === 1 && parked[0]!.dueAt === undefined;
}
