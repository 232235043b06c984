// What runs on Bun alone is checked with Bun's types, by itself: their globals hide those of the other runtimes.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bin, type Outcome, run } from "../support/command.ts";
import { root, runtime } from "../support/root.ts";

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

/** Checks a program with Bun's types. */
async function check(program: string): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "event-sourcery-bun-"));
  try {
    await writeFile(join(folder, "program.ts"), `import "${bunsql}";\n${program}`);
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.json"),
        compilerOptions: {
          rootDir: "/",
          noEmit: true,
          rewriteRelativeImportExtensions: false,
          allowImportingTsExtensions: true,
          typeRoots: [modules],
          types: ["bun-types"],
          paths: {
            "event-sourcery": [join(root, "mod.ts")],
            "event-sourcery/*": [join(root, "drivers/*/mod.ts")],
            "*": [join(modules, "*")],
          },
        },
        include: ["program.ts"],
        exclude: [],
      }),
    );
    return await run([bin("tsc"), "-p", folder]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
