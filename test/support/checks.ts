import { existsSync } from "node:fs";
import { join } from "node:path";
import { bin } from "./command.ts";
import { root } from "./root.ts";

/** A command that must succeed, without running a test of ours. */
export interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const entries = [
  "mod.ts",
  "drivers/memory/mod.ts",
  "drivers/postgres/mod.ts",
  "drivers/libsql/mod.ts",
  "src/cli/mod.ts",
  "src/evolution/mod.ts",
  "src/inspect/mod.ts",
  "src/otel/mod.ts",
  "src/mcp/mod.ts",
  "src/privacy/mod.ts",
  "src/publishers/mod.ts",
  "src/studio/mod.ts",
  "src/testing/mod.ts",
];

/** What must hold before any test runs, cheapest first. */
export const checks: readonly Check[] = [
  { name: "format", command: [bin("deno"), "fmt", "--check"] },
  { name: "lint", command: [bin("deno"), "lint"] },
  { name: "types (tsc)", command: [bin("tsc"), "--noEmit"] },
  { name: "types (deno)", command: [bin("deno"), "check", "--quiet"] },
  { name: "doc lint", command: [bin("deno"), "doc", "--lint", "--quiet", ...entries] },
  { name: "publish", command: [bin("deno"), "publish", "--dry-run", "--allow-dirty", "--quiet"] },
];

/** Runs every example in the documentation as it stands. */
export const examples: readonly string[] = [
  ...[bin("deno"), "test", "--doc", "--allow-all", "--quiet", "--permit-no-files"],
  ...["mod.ts", "src", "drivers", "README.md"].filter((path) => existsSync(join(root, path))),
];
