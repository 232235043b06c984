import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { bin, must } from "../support/command.ts";
import { project } from "../support/project.ts";
import { root, runtime } from "../support/root.ts";

test(`the package runs the README's programs in an empty ${runtime} project`, {
  timeout: 120_000,
}, async () => {
  const { folder, link, remove } = await project();
  try {
    const needs = (program: string) => program.includes("drizzle-orm");
    const alone = programs().filter((program) => !needs(program));
    assert.equal(alone.length, 3);
    for (const program of alone) {
      assert.equal(await execute(folder, program, true), printed(program));
    }
    link("drizzle-orm", "@libsql/client", "@electric-sql/pglite");
    for (const program of programs().filter(needs)) await execute(folder, program, false);
  } finally {
    remove();
  }
});

/** The programs in the README, in order. */
function programs(): string[] {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  return [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, program]) => program!);
}

/** What a program prints according to the comments in it. */
function printed(program: string): string {
  const lines = [...program.matchAll(/\bconsole\.log\(.*; \/\/ (.*)$/gm)];
  assert(lines.length > 0, "the program says what it prints");
  return lines.map(([, line]) => `${line}\n`).join("");
}

/**
 * Runs a program as a user of this runtime would, types checked where that is usual; gives what it prints. One that
 * needs the package alone gets no permissions, and our declarations must hold under the strictest check.
 */
async function execute(folder: string, program: string, alone: boolean): Promise<string> {
  writeFileSync(join(folder, "program.ts"), program);
  const options = { cwd: folder };
  switch (runtime) {
    case "node": { // compiled, since Node 20 runs no TypeScript
      const flags = ["--strict", "--target", "es2022", "--module", "nodenext"];
      if (!alone) flags.push("--skipLibCheck"); // Drizzle's declarations name packages that are not there
      await must([bin("tsc"), ...flags, "program.ts"], options);
      return await must([process.execPath, "program.js"], options);
    }
    case "deno": { // not by `process.execPath`, to which `node:child_process` gives all permissions
      const flags = ["--quiet", "--check", "--node-modules-dir=manual"];
      if (!alone) flags.push("--allow-all");
      return await must([bin("deno"), "run", ...flags, "program.ts"], options);
    }
    case "bun":
      return await must([process.execPath, "program.ts"], options);
  }
}
