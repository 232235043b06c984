import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { commandsPage } from "../support/commands.ts";
import { pages } from "../support/guide.ts";
import { shopFile } from "../support/operated.ts";
import { root, runtime } from "../support/root.ts";
import { type } from "../support/terminal.ts";

test("guide: commands.md says what the commands' help says", async () => {
  const path = join(pages, "commands.md");
  const page = await commandsPage();
  if (process.env["UPDATE_GUIDE"]) writeFileSync(path, page);
  const same = readFileSync(path, "utf8") === page;
  assert.ok(
    same,
    "commands.md is out of date; refresh it: UPDATE_GUIDE=1 npm test -- node commands",
  );
});

test("--help lists the commands, and --version says the version of the package", async () => {
  const help = await type("--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^ {2}status +show the store's head/m);
  assert.deepEqual(await type("help"), help);
  const bare = await type("");
  assert.deepEqual([bare.code, bare.stdout, bare.stderr], [2, "", help.stdout]);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  assert.equal((await type("--version")).stdout, `${version}\n`);
});

test("__complete offers what may stand at the end of a line", async () => {
  const { url, drop } = await shopFile();
  const io = { env: { DATABASE_URL: url } };
  const offered = async (...words: readonly string[]) =>
    (await type(["__complete", ...words], io)).stdout.trimEnd().split("\n");
  try {
    assert.deepEqual(await offered("st"), ["status", "streams", "studio"]);
    assert.deepEqual(await offered("--json", "st"), ["status", "streams", "studio"]);
    assert.deepEqual(await offered("show", "order:"), ["order:1", "order:2", "order:3", "order:4"]);
    assert.deepEqual(await offered("redrive", "mails", "order:1", "order:2"), ["order:2"]);
    assert.deepEqual(await offered("parked", ""), ["mails", "orders"]);
    assert.deepEqual(await offered("consumers", ""), ["forget", "mails", "orders"]);
    assert.deepEqual(await offered("consumers", "forget", "o"), ["orders"]);
    assert.deepEqual(await offered("show", "--st"), ["--state"]);
    assert.deepEqual(await offered("completion", "z"), ["zsh"]);
    assert.deepEqual(await offered("show", "--limit", ""), [""]);
    assert.deepEqual(await offered("show", "order:1", ""), [""]);
    assert.equal((await type(["__complete", "parked", ""])).code, 1);
  } finally {
    drop();
  }
});

if (runtime === "node" && process.platform !== "win32") {
  test("the script for bash completes words with colons", async () => {
    const { stdout } = await type("completion bash");
    // Stands for the program: it answers with what it was asked.
    const script = `${stdout}
event-sourcery() { printf '%s\\n' order:1 order:2 "asked=$#"; }
COMP_LINE="event-sourcery show order:"; COMP_POINT=\${#COMP_LINE}
_event_sourcery; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const found = execFileSync("bash", ["-c", script], { encoding: "utf8" });
    assert.deepEqual(found.trimEnd().split("\n"), ["1", "2", "asked=3"]);
  });
}
