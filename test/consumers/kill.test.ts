// A worker is killed wherever it may stand; others take over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, judge } from "../support/oracle.ts";
import type { Errand, Point } from "../support/relay.ts";
import { write } from "../support/scribe.ts";
import { Chance, seed } from "../support/seed.ts";
import { all } from "../support/shop.ts";
import { engines, recover, stage } from "../support/stage.ts";

const points: readonly { readonly at: Point; readonly nth: number }[] = [
  { at: "claimed", nth: 1 },
  { at: "scanned", nth: 1 },
  { at: "handling", nth: 2 }, // before the handler
  { at: "handled", nth: 3 }, // after it
  { at: "writing", nth: 1 }, // between handler and checkpoint
  { at: "written", nth: 1 },
];

for (const engine of engines) {
  for (const kind of ["outbox", "projection"] as const) {
    const title =
      `${kind} on ${engine} loses and repeats nothing that a checkpoint covers when its worker is killed`;
    test(`${title} (SEED=${seed})`, { timeout: 120_000 }, () => killed(engine, kind, true));
    test(`${title} again and again`, { timeout: 120_000 }, () => killed(engine, kind, false));
  }
}

/** @param recovers Whether a healthy worker handles everything before the next is killed. */
async function killed(engine: Errand["engine"], kind: Errand["kind"], recovers: boolean) {
  await using shared = await stage(engine);
  const { store, journal } = shared;
  const chance = new Chance();
  for (const [index, freeze] of points.entries()) {
    await write(shared, journal, chance, 6);
    const from = journal.entries().length;
    const doomed = shared.start(`doomed ${index}`, { kind, freeze });
    await journal.find(({ what }) => what === "reached", from);
    await doomed.kill();
    if (recovers) await recover(shared, `healthy ${index}`, { kind });
  }
  await recover(shared, "last", { kind });
  const log = await all(store.readAll());
  if (kind === "projection") assert.deepEqual(await shared.model(), fold(log));
  else judge(journal.entries(), log);
}
