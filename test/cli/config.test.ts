import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { type ReadModel, shopFile } from "../support/operated.ts";
import { type } from "../support/terminal.ts";

/** The module that the configurations import, as this runtime runs it. */
const operated = import.meta.url.replace(/cli\/config\.test\.(ts|js)$/, "support/operated.$1");

/** Runs a test in a folder with a configuration; `below` is a folder in it. */
async function withConfig(
  work: (parts: { url: string; folder: string; below: string }) => Promise<void>,
  code: (url: string) => string = configOf,
): Promise<void> {
  const { url, drop } = await shopFile();
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-config-"));
  const below = join(folder, "src", "deep");
  mkdirSync(below, { recursive: true });
  writeFileSync(join(folder, "event-sourcery.config.mjs"), code(url));
  try {
    await work({ url, folder, below });
  } finally {
    rmSync(folder, { recursive: true, force: true });
    drop();
  }
}

/** A configuration; its read model is what `globalThis` holds for its URL. */
function configOf(url: string): string {
  return `import { shopConfig } from ${JSON.stringify(operated)};
export default shopConfig(${JSON.stringify(url)}, globalThis[${JSON.stringify(url)}]);
`;
}

test("a configuration is found upwards, and decodes with sensitive fields masked", async () => {
  await withConfig(async ({ url, folder, below }) => {
    const shown = await type("show order:1 --json --limit 1", { folder: below });
    assert.equal(shown.code, 0, shown.stderr);
    const { data, type: name } = JSON.parse(shown.stdout);
    assert.deepEqual([name, data], ["OrderPlaced", { customer: "ada", email: "(forgotten)" }]);
    const state = await type("show order:1 --state --to 2 --json", { folder: below });
    assert.deepEqual(JSON.parse(state.stdout), {
      streamId: "order:1",
      version: 2,
      state: { cents: 450, customer: "ada", email: "(forgotten)" },
    });
    const earlier = await type("show order:1 --at 2026-11-25T09:00:02Z", { folder: below });
    assert.match(earlier.stdout, /^order:1 at version 1\n\{\n {2}"cents": 0,/);
    // A URL that is given goes before the configuration, which goes before the environment.
    const asked = await type(`show order:1 --state --url ${url}`, { folder: below });
    assert.equal(asked.code, 2);
    const env = { DATABASE_URL: "file:/nowhere.db" };
    assert.equal((await type("status", { folder: below, env })).code, 0);
    assert.equal((await type(`status --url ${url} --config x.mjs`, { folder })).code, 2);
    assert.equal((await type("status --config nope.mjs", { folder })).code, 2);
    assert.equal((await type("status --schema other", { folder })).code, 2);
  });
});

test("rebuild empties a read model and fills it again", { timeout: 30_000 }, async () => {
  await withConfig(async ({ url, folder }) => {
    const model: (string | number)[] = [];
    let interrupt = () => {};
    const readModel: ReadModel = {
      reset: () => void model.push("reset"),
      handle: ({ position }) => {
        model.push(position);
        if (position > 1) interrupt();
      },
    };
    Object.assign(globalThis, { [url]: readModel });
    const refused = await type("rebuild orders", { folder });
    assert.deepEqual([refused.code, model], [2, []]);
    const none = await type("rebuild mails --yes", { folder });
    assert.equal(none.code, 4);
    assert.match(none.stderr, /no projection mails .*: there are orders/);
    const done = await type("rebuild orders --json --yes", { folder });
    assert.equal(done.code, 0, done.stderr);
    const { handled, failed } = JSON.parse(done.stdout);
    assert.deepEqual([handled, failed], [10, 0]);
    assert.deepEqual(model, ["reset", 1, 2, 3, 5, 6, 7, 9, 10, 11, 14]);
    // Interrupted, it finishes the batch in flight and leaves the rest.
    const stop = new AbortController();
    interrupt = () => stop.abort();
    model.length = 0;
    const ended = await type("rebuild orders --yes", { folder, signal: stop.signal });
    assert.equal(ended.code, 130);
    assert.match(ended.stderr, /interrupted at position \d+: what runs it goes on from there/);
    assert.ok(model.length < 11, String(model));
  });
});

test("a configuration that is none is refused with what it must be", async () => {
  const refused = async (code: string, ...words: readonly RegExp[]) =>
    await withConfig(async ({ folder }) => {
      const { code, stderr } = await type("status", { folder });
      assert.equal(code, 2, stderr);
      for (const word of words) assert.match(stderr, word);
    }, () => code);
  await refused(
    "export default 1;",
    /must have the result of defineConfig\(\) as its default export/,
  );
  await refused("export const open = () => ({});", /as its default export/);
  await refused("export default () => ({});", /must return a store/);
  await refused("export default () => ({ store: {} });", /must return an EventStore/);
});

test("a configuration that was compiled to CommonJS is unwrapped", async () => {
  const compiled = (url: string) =>
    `${configOf(url).replace("export default", "const open =")}
export default { __esModule: true, default: open };
`;
  await withConfig(async ({ folder }) => {
    assert.equal((await type("status", { folder })).code, 0);
  }, compiled);
});

test("a configuration that throws is told of, without a trace unless asked for", async () => {
  await withConfig(async ({ folder }) => {
    const { code, stderr } = await type("status", { folder });
    assert.deepEqual([code, stderr], [1, "event-sourcery: no secret is set\n"]);
    const traced = await type("status", { folder, env: { DEBUG: "1" } });
    assert.match(traced.stderr, new RegExp(String.raw`at .*${pathToFileURL(folder).pathname}`));
  }, () => 'export default () => { throw new Error("no secret is set"); };');
});
