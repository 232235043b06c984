// The in-memory driver is the oracle: on the same history, every driver shows the same.
// SEED=123 repeats a run; what fails is shrunk to the shortest history that still does.
import type { Driver } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import * as fc from "fast-check";
import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";
import { histories, play, type Step } from "../support/history.ts";
import { sabotaged, storing, writing } from "../support/sabotage.ts";
import { shared } from "../support/shared.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = Number(process.env["RUNS"] ?? 40);

for (const handle of postgresHandles) {
  const { open, close } = shared(handle);
  after(close);
  let schemas = 0;
  compare(handle.name, async () => postgres((await open()).db, { schema: `s${++schemas}` }));
}

for (const handle of libsqlHandles) {
  const { open, close } = shared(handle);
  after(close);
  let prefixes = 0;
  compare(handle.name, async () => {
    const { db, prefix } = await open();
    return libsql(db, { prefix: `${prefix}${++prefixes}_` });
  });
}

test(`play() tells a broken driver from the in-memory one by a short history (SEED=${seed})`, async () => {
  const broken = [
    writing(({ expectedVersion: expected }) => ({
      expectedVersion: expected === 0 ? "any" : expected,
    })),
    storing(({ tags }) => ({ tags: tags.toSorted() })),
  ];
  for (const sabotage of broken) {
    const property = agrees(async () => sabotaged(sabotage));
    const { failed, counterexample } = await fc.check(property, { seed, numRuns: 1000 });
    assert.ok(failed);
    assert.ok(counterexample![0].length <= 2, `${counterexample![0].length} steps`);
  }
});

function compare(name: string, open: () => Promise<Driver>): void {
  const title = `${name} agrees with memory on random histories (SEED=${seed})`;
  test(title, { timeout: 120_000 }, () => fc.assert(agrees(open), { seed, numRuns }));
}

function agrees(open: () => Promise<Driver>): fc.IAsyncProperty<[readonly Step[]]> {
  return fc.asyncProperty(histories, async (history) => {
    const driver = await open();
    await driver.migrate();
    assert.deepEqual(await play(driver, history), await play(memory(), history));
  });
}
