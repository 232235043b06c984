import { createClient } from "@libsql/client";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { shopFile } from "../support/operated.ts";
import { type } from "../support/terminal.ts";

const operated = import.meta.url.replace(/cli\/log\.test\.(ts|js)$/, "support/operated.$1");

/** Runs a test with the shop, its configuration, and a folder. */
async function withShop(
  work: (shop: {
    readonly folder: string;
    readonly url: string;
    /** Runs a command with the shop's URL. */
    readonly at: (line: string) => ReturnType<typeof type>;
    /** Runs a command with the shop's configuration. */
    readonly configured: (line: string) => ReturnType<typeof type>;
    readonly change: (text: string) => Promise<unknown>;
  }) => Promise<void>,
): Promise<void> {
  const { url, drop } = await shopFile();
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-log-"));
  writeFileSync(
    join(folder, "event-sourcery.config.mjs"),
    `import { shopConfig } from ${JSON.stringify(operated)};
export default shopConfig(${JSON.stringify(url)});
`,
  );
  const client = createClient({ url });
  try {
    await work({
      ...{ folder, url },
      at: (line) => type(line, { env: { DATABASE_URL: url } }),
      configured: (line) => type(line, { folder }),
      change: (text) => client.execute(text),
    });
  } finally {
    client.close();
    rmSync(folder, { recursive: true, force: true });
    drop();
  }
}

test("verify ends with 1 for errors, and with 0 for warnings", async () => {
  await withShop(async ({ at, configured, change }) => {
    const sound = await configured("verify --deep");
    assert.deepEqual([sound.code, sound.stdout], [0, ""]);
    assert.equal(sound.stderr, "errors 0, warnings 0, not checked 0, events up to position 14\n");
    await change(
      `update es_events set metadata = json_set(metadata, '$.causationId', 'nobody') where id = 'event-13'`,
    );
    assert.equal((await at("verify --deep")).code, 0);
    await change("update es_events set slot = 2000");
    assert.equal((await at("verify")).code, 0);
    const found = await at("verify --deep --json --quiet");
    assert.deepEqual([found.code, found.stderr], [1, ""]);
    const checks = found.stdout.trimEnd().split("\n").map((line) => JSON.parse(line).check);
    assert.equal(checks.filter((check) => check === "slot").length, 14);
    assert.equal(checks.filter((check) => check === "cause").length, 1);
    const rest = await at("verify --deep --since 13");
    assert.match(rest.stdout, /slot: event 1 of stream "order:4", position 14/);
    assert.match(rest.stderr, /errors 1, warnings 0/);
    await change("update es_events set type = 'Nobody' where id = 'event-1'");
    assert.match((await configured("verify --deep")).stdout, /type: .*\n.*"Nobody"/);
  });
});

test("export and import move a log to another database", async () => {
  await withShop(async ({ at, folder }) => {
    const out = await at("export");
    assert.equal(out.code, 0);
    assert.match(out.stderr, /^14 events, up to position 14\n4 of them have sealed fields: .*keys/);
    const file = join(folder, "log.ndjson");
    writeFileSync(file, out.stdout);
    const to = `--url file:${join(folder, "other.db")}`;
    assert.equal((await type(`migrate ${to}`)).code, 0);
    const dry = await type(`import ${file} --dry-run ${to}`);
    assert.deepEqual([dry.code, dry.stderr], [0, "14 events can be imported\n"]);
    const done = await type(`import ${file} ${to} --json`);
    assert.deepEqual([done.code, done.stdout], [0, '{"imported":14,"known":0}\n']);
    const again = await type(`import ${file} ${to} --json`);
    assert.equal(again.stdout, '{"imported":0,"known":14}\n');
    const mark = (text: string) => text.replaceAll('"imported":false', '"imported":true');
    assert.equal((await type(`export ${to}`)).stdout, mark(out.stdout));
    const rest = await type(`export --after 12 --stream order:4 ${to}`);
    assert.equal(JSON.parse(rest.stdout).position, 14);

    writeFileSync(file, out.stdout.replace(/^.*event-3.*\n/m, ""));
    const wrong = await type(`import ${file} --url file:${join(folder, "other.db")}`);
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.stderr,
      /Line 3: stream "order:1" has a hole before version 4; nothing was stored/,
    );
    assert.equal((await type(`import ${folder}/no.ndjson ${to}`)).code, 4);
  });
});

test("catalog check fails where stored events can no longer be read", async () => {
  await withShop(async ({ configured, at, folder, change }) => {
    const file = join(folder, "events.json");
    assert.equal((await configured(`catalog check ${file}`)).code, 4);
    assert.equal((await at(`catalog write ${file}`)).code, 2);
    const written = await configured(`catalog write ${file}`);
    assert.equal(written.code, 0);
    assert.match(written.stderr, /^4 event types written/);
    const check = await configured(`catalog check ${file}`);
    assert.deepEqual([check.code, check.stdout], [0, ""]);

    const catalog = JSON.parse(readFileSync(file, "utf8"));
    const [first] = catalog.events;
    writeFileSync(
      file,
      JSON.stringify({ ...catalog, events: [...catalog.events, { ...first, type: "Zzz" }] }),
    );
    const removed = await configured(`catalog check ${file}`);
    assert.equal(removed.code, 1);
    assert.match(removed.stdout, /^Zzz: .*\(breaks reading\)/m);
    writeFileSync(file, JSON.stringify(catalog));

    await change("update es_events set type = 'Nobody' where id = 'event-1'");
    await change("update es_events set schema_version = 3 where id = 'event-2'");
    const stored = await configured(`catalog check ${file} --json`);
    assert.equal(stored.code, 1);
    const problems = JSON.parse(stored.stdout).stored;
    assert.equal(problems.length, 2);
    assert.match(problems[0], /^LineAdded: version 3 is stored/);
    assert.match(problems[1], /^Nobody: it is stored, and not defined/);
    assert.equal((await configured(`catalog check ${file} --offline`)).code, 0);
    writeFileSync(file, "[]");
    assert.equal((await configured(`catalog check ${file}`)).code, 2);
  });
});
