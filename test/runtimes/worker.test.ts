// Workers run in workerd, whichever runtime asks for it: Node asks for all three.
import type { Miniflare } from "miniflare";
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { project } from "../support/project.ts";
import { root, runtime } from "../support/root.ts";
import { ownPrefix, sqldUrl } from "../support/sqld.ts";
import { startWorker } from "../support/workerd.ts";
import type { Environment } from "./worker.ts";

if (runtime === "node") {
  test(
    "a Worker without Node's modules appends, loads and reacts",
    { timeout: 120_000 },
    async () => {
      const bindings = { url: await sqldUrl(), prefix: ownPrefix() };
      const worker = await start(bindings);
      try {
        const response = await worker.dispatchFetch("http://worker/");
        const answer = await response.text();
        assert.equal(response.status, 200, answer);
        assert.deepEqual(JSON.parse(answer), {
          posted: "https://partner.example v1,",
          page: "200 <title>order:1 · Worker",
          version: 2,
          conflict: "CONCURRENCY",
          first: ["18446744073709551616 at 1970-01-01T00:00:00.000Z", "sent"],
          second: ["1 at 1970-01-01T00:00:00.001Z", "sent"],
          tagged: ["order:1"],
        });
      } finally {
        await worker.dispose();
      }
    },
  );
}

/** Starts the Worker around the packed package. */
async function start(bindings: Environment): Promise<Miniflare> {
  const { folder, link, remove } = await project();
  try {
    link("drizzle-orm", "@libsql/client");
    cpSync(join(root, "test/runtimes/worker.ts"), join(folder, "worker.ts")); // sees what is installed there
    return await startWorker(join(folder, "worker.ts"), { ...bindings });
  } finally {
    remove();
  }
}
