import { existsSync } from "node:fs";
import { join } from "node:path";
import { bin } from "./command.ts";
import { type Count, count, none } from "./count.ts";
import { root } from "./root.ts";

/** A command that must succeed, without running a test of ours. */
export interface Check {
  readonly name: string;
  readonly command: readonly string[];
  readonly judge: (output: string, ok: boolean) => Count;
}

const succeeds = (_: string, ok: boolean): Count => ({ ...none, [ok ? "passed" : "failed"]: 1 });

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

/** What must hold before any test runs, the longest first. */
export const checks: readonly Check[] = [
  {
    name: "documentation", // every example in it, as it stands
    command: [
      ...[bin("deno"), "test", "--doc", "--allow-all", "--quiet", "--permit-no-files"],
      ...["mod.ts", "src", "drivers", "README.md"].filter((path) => existsSync(join(root, path))),
    ],
    judge: count,
  },
  ...Object.entries({
    "types (deno)": [bin("deno"), "check", "--quiet"],
    publish: [bin("deno"), "publish", "--dry-run", "--allow-dirty", "--quiet"],
    "types (tsc)": [bin("tsc"), "--noEmit"],
    lint: [bin("deno"), "lint"],
    format: [bin("deno"), "fmt", "--check"],
    "doc lint": [bin("deno"), "doc", "--lint", "--quiet", ...entries],
  }).map(([name, command]) => ({ name, command, judge: succeeds })),
];
