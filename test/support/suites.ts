import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { bin, run } from "./command.ts";
import { root } from "./root.ts";

/** A runtime that can run the suite. */
export type Runtime = "node" | "deno" | "bun";

/**
 * Tests of what no runtime changes: SQL with its plans, locks and migrations, the model, random histories of many workers,
 * what the command line, the studio and agents show, and what the repository and its guide hold. They run on Node alone.
 * The contract, lost connections, killed processes, timers and signals are tested on all three.
 */
const once: readonly RegExp[] = [
  /^test\/(api|architecture|bench|documentation|frameworks|input|links|packaging|release|types)\.test\.ts$/,
  /^test\/(evolution|model|types)\//,
  /^test\/cli\/(commands|config|log|mcp|run|studio|transfer|verify)\.test\.ts$/,
  /^test\/(inspect\/mask|mcp\/tools|studio\/pages)\.test\.ts$/,
  /^test\/consumers\/(crowd|flaky|late|oracle|quiet)\.test\.ts$/,
  /^test\/drivers\/(boundary|bytes|differential|encodings|engines|fence|groups|isolation)\.test\.ts$/,
  /^test\/drivers\/(keys|late|many|mixed)\.test\.ts$/,
  /^test\/drivers\/(messages|migrate|neon|pgbouncer|plans|positions|proxy|refused|replica)\.test\.ts$/,
  /^test\/drivers\/(requests|sabotages|serial|statements|tables|values|wrong)\.test\.ts$/,
  /^test\/privacy\/races\.test\.ts$/,
  /^test\/inspect\/drivers\.test\.ts$/,
  /^test\/studio\/browser\.test\.ts$/,
  /^test\/(runtimes\/)?guide\.test\.ts$/,
  /^test\/store\/remade\.test\.ts$/,
  /^test\/publishers\/(kafka|nats|rabbitmq)\.test\.ts$/,
  /^test\/testing\/contract\.test\.ts$/,
  /^test\/process\/(inbox|kill|process|schedule|waiting)\.test\.ts$/,
];

/** How many test files run at the same time: many of them mostly wait. */
export const atOnce = 4;

/** The command that runs these test files on a runtime. */
export async function suite(runtime: Runtime, files: readonly string[]): Promise<string[]> {
  switch (runtime) {
    case "node": // compiled, since Node 20 runs no TypeScript; and it expands no globs
      return [
        ...[process.execPath, "--enable-source-maps", "--test", "--test-reporter=spec"],
        ...[`--test-concurrency=${atOnce}`, "--test-timeout=300000"],
        ...files.map((file) => join("dist", file.replace(/\.ts$/, ".js"))),
      ];
    case "deno":
      return [
        ...[bin("deno"), "test", "--allow-all", "--no-check", "--parallel"],
        ...["--v8-flags=--expose-gc", ...files], // for collect.ts
      ];
    case "bun":
      await installBun();
      return [
        ...[bin("bun"), "test", "--timeout", "60000", `--parallel=${atOnce}`],
        ...files.map((file) => `./${file}`),
      ];
  }
}

/** Returns those of the test files that run on a runtime. */
export function filesFor(runtime: Runtime, files: readonly string[]): readonly string[] {
  return runtime === "node" ? files : files.filter((file) => !once.some((it) => it.test(file)));
}

/** Lists the test files whose path contains one of the words; all where there are no words. */
export function testFiles(words: readonly string[]): string[] {
  return readdirSync(join(root, "test"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();
}

/** Makes Bun run: its package holds a stub until an install script has put the real program in its place. */
export async function installBun(): Promise<void> {
  if (statSync(join(root, "node_modules/bun/bin/bun.exe")).size > 100_000) return;
  await run([process.execPath, "install.js"], { cwd: join(root, "node_modules/bun") });
}
