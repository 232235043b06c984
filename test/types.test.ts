import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bin, run } from "./support/command.ts";
import { root, runtime } from "./support/root.ts";
import { program, type Size } from "./types/program.ts";

/** What checking a program of this size may cost, the library's own sources included; it was 146,000 with TypeScript 7. */
const budget = 450_000;
const size: Size = { types: 200, handlers: 100, aggregates: 20 };

// The compiler is the same wherever it is started from.
if (runtime === "node") {
  test("types of a large program check within the budget when tsc checks them", async () => {
    const found = await instantiations(size);
    assert(found > 0 && found <= budget, `${found} instantiations, the budget is ${budget}`);
  });
}

/** Counts what the compiler instantiates to check a program, which must compile. */
async function instantiations(of: Size): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "event-sourcery-types-"));
  try {
    await writeFile(join(folder, "program.ts"), program(of));
    await writeFile(join(folder, "package.json"), `{ "type": "module" }`);
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.json"),
        compilerOptions: {
          rootDir: "/",
          noEmit: true,
          rewriteRelativeImportExtensions: false,
          allowImportingTsExtensions: true,
          typeRoots: [join(root, "node_modules", "@types")],
        },
        include: ["program.ts"],
      }),
    );
    const { ok, output } = await run([bin("tsc"), "-p", folder, "--extendedDiagnostics"]);
    assert(ok, output);
    return Number(/^Instantiations:\s+(\d+)/m.exec(output)?.[1]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
