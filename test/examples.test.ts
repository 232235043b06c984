import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { run } from "./support/command.ts";
import { root, runtime } from "./support/root.ts";

/** What each example prints when all that it claims has held. */
const examples: Record<string, RegExp> = {
  "01-light": /The hall is dark, the cellar is lit/,
  "02-events": /PaymentFailed -> PaymentFailed -> OrderCancelled/,
  "03-order": /Order 42: 378, at half past nine 249/,
  "04-writers": /16 were told that the table is full/,
  "05-plain": /Ada has 55, Grace 15/,
  "06-reactions": /email gets sent! to grace@example\.com/,
};

for (const [name, line] of Object.entries(examples)) {
  test(`example ${name} keeps its promises`, { timeout: 60_000 }, async () => {
    assert.match(await example(name), line);
  });
}

test("examples are all run by these tests", () => {
  const found = readdirSync(join(root, "examples")).filter((file) => /^\d.*\.ts$/.test(file));
  assert.deepEqual(found.sort(), Object.keys(examples).map((name) => `${name}.ts`).sort());
});

/** Runs an example as a stranger would, and gives what it printed. */
async function example(name: string, ...args: string[]): Promise<string> {
  const program = runtime === "node" ? `dist/examples/${name}.js` : `examples/${name}.ts`;
  const flags = runtime === "deno" ? ["run", "--allow-all", "--no-check"] : [];
  const { ok, output } = await run([process.execPath, ...flags, program, ...args]);
  assert(ok, output);
  return output;
}
