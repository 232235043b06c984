// The contract is worth what it refuses: each of these drivers breaks one promise.
import { driverContract } from "event-sourcery/testing";
import assert from "node:assert/strict";
import { test } from "node:test";
import { delays } from "../support/delays.ts";
import { drops } from "../support/drops.ts";
import { lapses } from "../support/lapses.ts";
import { leaks } from "../support/leaks.ts";
import { oversights } from "../support/oversights.ts";
import { sabotaged } from "../support/sabotage.ts";
import { sabotages } from "../support/sabotages.ts";
import { slips } from "../support/slips.ts";

const early = { ...sabotages, ...lapses, ...oversights };
const late = { ...slips, ...leaks, ...drops, ...delays }; // found by the last cases
for (const [name, sabotage] of Object.entries({ ...early, ...late })) {
  test(`driverContract() refuses a driver that ${name}`, { timeout: 60_000 }, async () => {
    const cases = driverContract(() => sabotaged(sabotage));
    await assert.rejects(async () => {
      for (const { run } of name in late ? cases.toReversed() : cases) await run();
    });
  });
}
