import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { defineEvent, EventStore } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { outputOn } from "../../src/cli/output.ts";
import { seedShop, shopFile } from "../support/operated.ts";
import { createDatabase } from "../support/postgres.ts";
import { program } from "../support/command.ts";
import { root, runtime } from "../support/root.ts";
import { startService } from "../support/service.ts";
import { free } from "../support/server.ts";
import { type } from "../support/terminal.ts";

const timeout = 30_000;

/** Runs a test with a seeded file, and an empty folder. */
async function withShop(work: (url: string, folder: string) => Promise<void>): Promise<void> {
  const { url, drop } = await shopFile();
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-cli-"));
  try {
    await work(url, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    drop();
  }
}

const Noted = defineEvent("Noted");

test("a question is answered by the word that it asks for, or nothing is changed", async () => {
  await withShop(async (url) => {
    const io = { env: { DATABASE_URL: url } };
    const asked: string[] = [];
    const answering = (answer: string) => ({
      ...io,
      ask: async (question: string) => {
        asked.push(question);
        return answer;
      },
    });
    const declined = await type("discard mails order:1", answering("yes"));
    assert.deepEqual([declined.code, declined.stderr.split("\n").at(-2)], [
      1,
      "event-sourcery: Nothing was changed",
    ]);
    const parked = async () => (await type("parked --json", io)).stdout.split("\n").length - 1;
    assert.equal(await parked(), 2);
    const done = await type("discard mails order:1", answering("order:1\n"));
    assert.equal(done.code, 0);
    assert.deepEqual(asked, [
      "mails never handles this event. Type order:1 to go on: ",
      "mails never handles this event. Type order:1 to go on: ",
    ]);
    const stop = new AbortController();
    const interrupted = await type("consumers forget orders", {
      ...io,
      signal: stop.signal,
      ask: async () => {
        stop.abort();
        throw new Error("The question was interrupted");
      },
    });
    assert.equal(interrupted.code, 130);
    assert.equal((await type("consumers orders", io)).code, 0);
  });
});

test(
  "tail shows events as they come, and ends well when it is interrupted",
  { timeout },
  async () => {
    await withShop(async (url) => {
      const stop = new AbortController();
      const client = createClient({ url });
      const store = new EventStore(libsql(drizzle(client)), { events: [Noted] });
      let seen = "";
      const ran = await type("tail -n 1 --json", {
        env: { DATABASE_URL: url },
        signal: stop.signal,
        stdout: {
          async write(text) {
            if (seen === "") {
              await store.append("note:1", [Noted(undefined, { id: "first" }), Noted()]);
            }
            seen += text;
            if (seen.split("\n").length > 3) stop.abort();
          },
        },
      });
      client.close();
      assert.equal(ran.code, 0);
      const events = seen.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(events.map(({ streamId, version }) => [streamId, version]), [
        ["order:4", 1],
        ["note:1", 1],
        ["note:1", 2],
      ]);
      assert.equal(events[1].id, "first");
    });
  },
);

test("a command that hangs ends soon when it is interrupted", { timeout }, async () => {
  const stop = new AbortController();
  const hanging = await type("consumers forget mails", {
    ...{ env: {}, signal: stop.signal },
    folder: "/",
    ask: () => new Promise(() => {}),
  });
  assert.equal(hanging.code, 2);
  await withShop(async (url) => {
    const ran = await type("consumers forget mails", {
      ...{ env: { DATABASE_URL: url }, signal: stop.signal },
      ask() {
        stop.abort();
        return new Promise(() => {});
      },
    });
    assert.equal(ran.code, 130);
  });
});

test("the program ends well when it is told to while it shows the log", { timeout }, async () => {
  await withShop(async (url) => {
    const command = program("src/cli/bin", "tail", "-n", "1", "--category", "payment", "--local");
    const service = startService([...command, "--json"], { cwd: root, env: { DATABASE_URL: url } });
    try {
      const { stdout } = await type(["event", "event-13", "--json", "--url", url]);
      await service.prints(`${stdout.slice(0, stdout.indexOf(',"consumers"'))}}`);
      assert.equal(await service.end(), 0);
    } finally {
      await service.remove();
    }
  });
});

test("progress is a line that is written again in a terminal, and seldom elsewhere", () => {
  const shown = (isTTY: boolean, quiet: boolean) => {
    const written: string[] = [];
    const writer = { isTTY, columns: 100, write: (text: string) => void written.push(text) };
    const options = { json: false, quiet, color: false, local: false };
    const progress = outputOn(writer, writer, options).progress("orders", 2000);
    const start = performance.now();
    while (written.length === 0 && performance.now() - start < 200) progress.set(500);
    progress.end();
    return written;
  };
  const [first, last, end] = shown(true, false);
  const line = /^orders {2}\[#{6}\.{18}\] {2}25 % {2}500 of 2,000 {2}[\d,]+\/s {2}\d s left$/;
  const again = "\r\x1b[2K"; // to the start of the line, which is cleared
  assert.ok(first!.startsWith(again) && last!.startsWith(again));
  assert.match(first!.slice(again.length), line);
  assert.match(last!.slice(again.length), line);
  assert.equal(end, "\n");
  assert.deepEqual(shown(false, false), []);
  assert.deepEqual(shown(true, true), []);
});

test("colours are for terminals, unless the environment or an option says otherwise", async () => {
  await withShop(async (url) => {
    const painted = async (line: string, env: Record<string, string>, isTTY: boolean) => {
      const stdout = { isTTY, write() {} };
      const { stdout: text } = await type(line, { env: { DATABASE_URL: url, ...env }, stdout });
      return text.includes("\x1b[");
    };
    assert.equal(await painted("status", {}, true), true);
    assert.equal(await painted("status", {}, false), false);
    assert.equal(await painted("status", { NO_COLOR: "1" }, true), false);
    assert.equal(await painted("status --no-color", {}, true), false);
    assert.equal(await painted("status", { FORCE_COLOR: "1" }, false), true);
    assert.equal(await painted("status", { FORCE_COLOR: "0" }, true), false);
    assert.equal(await painted("status --json", {}, true), false);
  });
});

test("--local writes times of the clock on the wall", async () => {
  await withShop(async (url) => {
    const { stdout } = await type("show order:1 --limit 1 --local", { env: { DATABASE_URL: url } });
    const [, shown] = /^1 {2}(\S+ \S+) /.exec(stdout)!;
    assert.equal(new Date(shown!.replace(" ", "T")).getTime(), Date.UTC(2026, 10, 25, 9, 0, 1));
  });
});

test("a database that is not there is told from one without tables", { timeout }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-cli-"));
  try {
    const file = join(folder, "new.db");
    const away = await type(`status --url file:${file}`);
    assert.deepEqual([away.code, existsSync(file)], [3, false]);
    const closed = await type(`status --url postgres://postgres@127.0.0.1:${await free()}/nope`);
    assert.equal(closed.code, 3);
    assert.match(closed.stderr, /^event-sourcery: Cannot reach the database/);
    const unknown = await type("status --url mysql://localhost/shop");
    assert.deepEqual([unknown.code, unknown.stderr.split("\n")[0]], [
      2,
      "event-sourcery: The URL of the database must begin with postgres://, file:, libsql:// or http://",
    ]);
    const nothing = await type("status", { folder });
    assert.equal(nothing.code, 2);
    assert.match(
      nothing.stderr,
      /use --url or DATABASE_URL, or write an event-sourcery\.config\.ts/,
    );

    const io = { folder, env: { DATABASE_URL: "file:new.db" } };
    const check = await type("migrate --check", io);
    assert.equal(check.code, 5);
    assert.match(
      check.stdout,
      /^libsql, tables es_\*: tables from none to version 2, \d+ statements$/m,
    );
    const empty = await type("status", io);
    assert.equal(empty.code, 5);
    assert.match(empty.stderr, /event-sourcery migrate/);
    assert.equal((await type("migrate", io)).code, 0);
    assert.equal((await type("migrate --check", io)).code, 0);
    assert.equal((await type("status --check", io)).code, 0);
    assert.equal((await type("consumers", io)).code, 4);
    assert.equal((await type("parked", io)).code, 4);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("one tenant is shown alone, and its streams are found there", async () => {
  await withShop(async (url) => {
    const client = createClient({ url });
    const store = new EventStore(libsql(drizzle(client)), { events: [Noted] });
    await store.scope({ tenantId: "acme" }).append("note:1", Noted());
    client.close();
    const io = { env: { DATABASE_URL: url } };
    assert.match((await type("streams --tenant acme", io)).stdout, /^note:1 +1 /m);
    assert.equal((await type("show note:1", io)).code, 4);
    assert.equal((await type("show note:1 --tenant acme", io)).code, 0);
    const { stdout } = await type("tail --no-follow --tenant acme --json", io);
    assert.equal(JSON.parse(stdout).tenantId, "acme");
  });
});

if (runtime === "node") { // no other client is asked
  test("the SQL of migrate --print makes a store that works", { timeout }, async () => {
    const { Client } = await import("pg");
    const { url, drop } = await createDatabase();
    const folder = mkdtempSync(join(tmpdir(), "event-sourcery-cli-"));
    try {
      const printed = await type(["migrate", "--print", "--url", url, "--schema", "my shop"]);
      assert.match(printed.stdout, /^create schema "my shop";$/m);
      const pg = new Client({ connectionString: url });
      await pg.connect();
      await pg.query(printed.stdout);
      await pg.end();
      const again = await type(["migrate", "--check", "--url", url, "--schema", "my shop"]);
      assert.deepEqual([again.code, again.stderr], [
        0,
        "postgres, schema my shop: nothing to do\n",
      ]);

      mkdirSync(join(folder, "data"));
      const file = `file:${join(folder, "data", "shop.db")}`;
      const { stdout } = await type(`migrate --print --url ${file}`);
      const client = createClient({ url: file });
      await client.executeMultiple(stdout);
      const driver = libsql(drizzle(client));
      await seedShop(driver);
      client.close();
      assert.equal((await type(`show order:1 --url ${file}`)).code, 0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await drop();
    }
  });
}
