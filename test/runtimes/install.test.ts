import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { bin, must, run } from "../support/command.ts";
import { project } from "../support/project.ts";
import { root, runtime } from "../support/root.ts";

test(`the package runs the README's programs in an empty ${runtime} project`, {
  timeout: 120_000,
}, async () => {
  const { folder, link, remove } = await project();
  try {
    const needs = (program: string) => program.includes("drizzle-orm");
    const alone = programs().filter((program) => !needs(program));
    assert.equal(alone.length, 1);
    for (const program of alone) {
      assert.equal(await execute(folder, program, true), printed(program));
    }
    await commandLine(folder, []); // without the packages of any database
    link("drizzle-orm", "@libsql/client", "@electric-sql/pglite", "tsx");
    await commandLine(folder, ["migrate", "--url", "file:shop.db"]);
    for (const program of programs().filter(needs)) await execute(folder, program, false);
  } finally {
    remove();
  }
});

/** Runs the command line as a user of this runtime would; last with a configuration in TypeScript. */
async function commandLine(folder: string, line: readonly string[]): Promise<void> {
  const installed = join(folder, "node_modules", ".bin", "event-sourcery");
  const start = {
    // npm takes a second to find out that it is the very same file.
    node: line.length === 0 ? ["npm", "exec", "--offline", "--", "event-sourcery"] : [installed],
    bun: [process.execPath, "x", "--no-install", "--bun", "event-sourcery"],
    deno: [
      ...[bin("deno"), "run", "--allow-all", "--quiet", "--node-modules-dir=manual"],
      "node_modules/event-sourcery/dist/src/cli/mod.js",
    ],
  }[runtime];
  const options = { cwd: folder, env: { npm_config_registry: "http://127.0.0.1:9" } };
  if (line.length === 0) {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.equal((await must([...start, "--version"], options)).trim(), version);
    const { ok, output } = await run([...start, "status", "--url", "file:package.json"], options);
    assert.equal(ok, false);
    assert.match(output, /drizzle-orm.* must be installed beside event-sourcery/);
    return;
  }
  assert.match(await must([...start, ...line], options), /the tables are of version \d+/);
  writeFileSync(join(folder, "event-sourcery.config.ts"), configuration);
  const { consumers, database } = JSON.parse(await must([...start, "status", "--json"], options));
  assert.deepEqual([consumers, database], [[], "event-sourcery.config.ts"]);
}

/** An enum is what type stripping alone does not run. */
const configuration = `
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { defineEvent, EventStore } from "event-sourcery";
import { defineConfig } from "event-sourcery/cli";
import { libsql } from "event-sourcery/libsql";

enum Sign { None, Some }

export default defineConfig(() => {
  const client = createClient({ url: "file:shop.db" });
  const events = [defineEvent<Sign>()("Signed")] as const;
  return { store: new EventStore(libsql(drizzle(client)), { events }), close: () => client.close() };
});
`;

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
