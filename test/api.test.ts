// The API as it is committed: a change of it shows in the diff, and is meant. UPDATE_GUIDE=1 writes all of these files.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { before, test } from "node:test";
import { type Entry, llmsPage, readEntries, report } from "./support/api.ts";
import { root } from "./support/root.ts";

let entries: readonly Entry[];
before(async () => void (entries = await readEntries()));

const advice = "is out of date; refresh it: UPDATE_GUIDE=1 npm test -- node api";

function same(path: string, text: string): void {
  const file = join(root, path);
  if (process.env["UPDATE_GUIDE"]) writeFileSync(file, text);
  assert(readFileSync(file, "utf8") === text, `${path} ${advice}`);
}

/** Writes a text as source, in the quotes that the formatter keeps. */
function quoted(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1);
  return `'${escaped.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

const fileOf = ({ name }: Entry) => `${name.replaceAll("/", "-")}.txt`;

test("every exported name has the type that is committed", () => {
  for (const entry of entries) same(`test/api/${fileOf(entry)}`, report(entry));
  assert.deepEqual(readdirSync(join(root, "test/api")).sort(), entries.map(fileOf).sort());
});

test("the report sees every export, its members and its comment", () => {
  for (const { name, exported } of entries) {
    assert.ok(exported.length > 0, name);
    for (const { signature, summary, category } of exported) {
      assert.match(signature, /\b(class|function|interface|type|const|namespace) \w+/);
      assert.ok(summary !== "" && category !== "", `${name}: ${signature}`);
    }
  }
  const find = (text: string) => entries[0]!.exported.find(({ signature }) => signature === text)!;
  assert.deepEqual(find("interface ConsumerName"), {
    signature: "interface ConsumerName",
    category: "Consumers",
    summary: "Identifies a consumer of a store.",
    members: ["readonly name: string", "readonly version?: number | undefined"],
  });
});

test("llms.txt says what the package exports, and agents are given the same", () => {
  const page = llmsPage(entries);
  same("examples/guide/llms.txt", page);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  same(
    "src/mcp/llms.ts",
    `/** The version of this package. */
export const version: string = ${JSON.stringify(version)};

/** The page for language models, written from the package's own comments; see \`test/api.test.ts\`. */
export const llms: string =
  ${quoted(page)};
`,
  );
  assert.ok(page.length < 100_000, `${page.length} characters`);
  for (const { name } of entries) assert.ok(page.includes(`\n### ${name}\n`), name);
});
