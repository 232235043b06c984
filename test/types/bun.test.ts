// What runs on Bun alone is checked with Bun's types, by itself: their globals hide those of the other runtimes.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Outcome } from "../support/command.ts";
import { root, runtime } from "../support/root.ts";
import { compile } from "./compile.ts";

const modules = join(root, "node_modules");
const bunsql = join(root, "test/support/bunsql.ts");

// The compiler is the same wherever it is started from.
if (runtime === "node") {
  test("what connects by Bun SQL type-checks with Bun's types", async () => {
    const { ok, output } = await check("");
    assert.ok(ok, output);
  });

  test("… and its client is Bun's, not any", async () => {
    const { ok, output } = await check(
      `import { drizzle } from "drizzle-orm/bun-sql";\ndrizzle("").$client.nothing;\n`,
    );
    assert.ok(!ok && output.includes("'nothing' does not exist"), output);
  });
}

/** Checks a program with Bun's types, besides what connects by Bun SQL. */
async function check(program: string): Promise<Outcome> {
  return await compile(`import "${bunsql}";\n${program}`, {
    compilerOptions: {
      typeRoots: [modules],
      types: ["bun-types"],
      paths: {
        "event-sourcery": [join(root, "mod.ts")],
        "event-sourcery/*": [join(root, "drivers/*/mod.ts")],
        "drizzle-orm/*": [join(modules, "drizzle-orm/*/index.d.ts")],
      },
    },
  });
}
