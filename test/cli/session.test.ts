import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pages } from "../support/guide.ts";
import { shopFile, shopPostgres } from "../support/operated.ts";
import { root, runtime } from "../support/root.ts";
import { answerOf, exchangesOf, masked, type, withAnswers } from "../support/terminal.ts";

const transcript = join(root, "test/cli/session.md");
const shown:
  readonly (readonly [string, string, () => Promise<{ url: string; drop(): unknown }>])[] = [
    ["the commands answer on libSQL as in session.md", transcript, shopFile],
    ["the commands answer on Postgres as in session.md", transcript, shopPostgres],
    ...["behind", "cli", "export", "parked", "restore", "verify", "why"].map((page) =>
      [
        `guide: ${page}.md shows what the commands answer`,
        join(pages, `${page}.md`),
        shopFile,
      ] as const
    ),
  ];

for (const [name, path, open] of shown) {
  if (open === shopPostgres && runtime !== "node") continue; // another client changes no word
  test(name, { timeout: 60_000 }, async () => {
    const { url, drop } = await open();
    try {
      const page = readFileSync(path, "utf8");
      const exchanges = exchangesOf(page);
      assert.ok(exchanges.length > 0);
      const answers: string[] = [];
      for (const { line } of exchanges) {
        answers.push(answerOf(await type(line, { env: { DATABASE_URL: url } })));
      }
      const pairs = exchanges.map(({ line, answer }, index) => [line, answers[index]!, answer]);
      const wrong = pairs.filter(([, now, then]) => masked(now!) !== masked(then!));
      if (wrong.length > 0 && process.env["UPDATE_GUIDE"] && open === shopFile) {
        return writeFileSync(path, withAnswers(page, answers));
      }
      for (const [line, now, then] of wrong) {
        assert.equal(masked(now!), masked(then!), `$ event-sourcery ${line}`);
      }
    } finally {
      await drop();
    }
  });
}
