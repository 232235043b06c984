// Runs everything that must hold: `npm test`. In development `npm test -- node store` runs the test
// files whose path contains "store" on Node alone, and `npm test -- static` runs no tests at all.
import { randomUUID } from "node:crypto";
import process from "node:process";
import { checks } from "./checks.ts";
import { run, stopAll } from "./command.ts";
import { add, type Count, count, none } from "./count.ts";
import { preparePglite } from "./pglite.ts";
import { dropDatabases, startPostgres } from "./postgres.ts";
import type { Server } from "./server.ts";
import { startSqld } from "./sqld.ts";
import { atOnce, filesFor, type Runtime, suite, testFiles } from "./suites.ts";

const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
const words = process.argv.slice(2);
const chosen = runtimes.filter((runtime) => words.includes(runtime));
const filters = words.filter((word) => word !== "static" && !chosen.some((name) => name === word));
const everything = words.length === 0;
const servers: Server[] = [];
let total = none;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    stopAll();
    process.exit(130); // the servers' guards see our pipes close, and clean up
  });
}

try {
  if (everything || words.includes("static")) await runChecks();
  if (total.failed === 0 && !words.includes("static")) await runSuites();
} catch (error) {
  console.error(error);
  total = add(total, { ...none, failed: 1 });
} finally {
  await Promise.all(servers.map((server) => server.stop()));
}
console.log(`${total.skipped} skipped`);
// A skipped test proves nothing: where all must run, it is as bad as a failed one.
if (process.env["FAIL_ON_SKIP"]) total = { ...total, failed: total.failed + total.skipped };
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

// Each keeps one core busy for most of its time: two run at once.
async function runChecks(): Promise<void> {
  const waiting = checks.values();
  const lane = async () => {
    for (const { name, command, judge } of waiting) await step(name, command, {}, judge);
  };
  await Promise.all([lane(), lane()]);
}

async function runSuites(): Promise<void> {
  const files = testFiles(filters);
  // Without files each runtime would look for tests by itself, and run these programs too.
  if (files.length === 0) throw new Error(`No test file has ${filters.join(" or ")} in its path`);
  const [postgres, sqld] = await Promise.all([startPostgres(), startSqld()]);
  servers.push(postgres, sqld);
  const name = randomUUID().slice(0, 8);
  const env = {
    ...{ EMBEDDED_POSTGRES_URL: postgres.url, SQLD_URL: sqld.url, TEST_RUN: name },
    PGLITE_FILES: await preparePglite(),
    DENO_JOBS: String(atOnce),
  };
  try {
    for (const runtime of chosen.length === 0 ? runtimes : chosen) {
      const own = filesFor(runtime, files);
      if (own.length > 0) await step(runtime, await suite(runtime, own), env, count);
    }
  } finally {
    const given = process.env["POSTGRES_URL"];
    if (given) await dropDatabases(given, name);
  }
}

async function step(
  name: string,
  command: readonly string[],
  env: Record<string, string>,
  judge: (output: string, ok: boolean) => Count,
): Promise<void> {
  const loud = filters.length > 0;
  const start = performance.now();
  const { ok, output } = await run(command, { env, loud });
  const result = judge(output, ok);
  if (result.failed > 0 && !loud) console.log(failures(output));
  for (const line of result.skipped > 0 ? skips(output) : []) console.log(line);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { passed, failed, skipped } = result;
  console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped (${seconds} s)`);
  total = add(total, result);
}

// Thousands of lines of passed tests help no reader.
function failures(output: string): string {
  const passed = /^\s*(\(pass\)|✔|▶|running \d+ tests? from|\S.* \.\.\. ok)/;
  return output.split("\n").filter((line) => !passed.test(line)).join("\n");
}

function skips(output: string): string[] {
  return output.split("\n").filter((line) =>
    /^\s*(\((skip|todo)\)|﹣)|# TODO|ignored \(/.test(line)
  );
}
