import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { program, run } from "./support/command.ts";
import { brokerAnswers } from "./support/broker.ts";
import { createDatabase, postgresServers } from "./support/postgres.ts";
import { root } from "./support/root.ts";

/** What each example prints when all that it claims has held. */
const examples: Record<string, RegExp> = {
  "01-light": /The hall is dark, the cellar is lit/,
  "02-events": /PaymentFailed -> PaymentFailed -> OrderCancelled/,
  "03-order": /Order 42: 378, at half past nine 249/,
  "04-writers": /16 were told that the table is full/,
  "05-plain": /Ada has 55, Grace 15/,
  "06-reactions": /email gets sent! to grace@example\.com/,
  "07-postgres": /Events and orders agree, on a Postgres in this process/,
  "08-libsql": /3 events in .*, 0 of them from earlier runs/,
  "09-testing": /All tests hold/,
  "10-driver": /A file of lines keeps all \d+ promises/,
  "11-outbox": /4 messages, none lost/,
  "12-shop": /Five orders, four payments, four invoices without a hole, one cancelled/,
  "13-projection": /Three read models of one log/,
  "14-relay": /\d+ events, two relays, one killed, none lost/,
  "15-broker": await brokerAnswers() ? /by way of RabbitMQ/ : /Shipped in one process; /,
  "17-time": /Ada had 300 in March, 550 in June/,
  "18-import": /Nine events of three stores came in, and one mail went out/,
  "19-course": /Three of twenty got a seat/,
  "24-webhook": /4 webhooks, each signed, none missed/,
  "22-inspect": /mails needs you: order:2: .*no such address/,
  "20-snapshots": /the second a snapshot/,
  "21-privacy": /p-1 is forgotten, the transfer is not/,
  "25-inbox": /Eight deliveries, two payments: 150/,
  "26-schedule": /One reminder was sent, two were taken back in time, one waits/,
  "27-process": /One paid, one was reminded, one was cancelled/,
  "28-telemetry":
    /POST \/orders > command Order > append order > load order; later, linked to it: handle mails\nconsumer "mails" failed at Placed of order:2, attempt 1, parked/,
  "16-evolution": /Three libraries, and no release that cannot read its past/,
};

for (const [name, line] of Object.entries(examples)) {
  test(`example ${name} keeps its promises`, { timeout: 60_000 }, async () => {
    await inFolder(async (folder) => {
      assert.match(await example(name, [join(folder, "example.db")]), line);
    });
  });
}

const onServers: Record<string, RegExp> = {
  "07-postgres": /Events and orders agree, on the server/,
  "14-relay": examples["14-relay"]!,
};

for (const server of postgresServers) {
  for (const [name, line] of Object.entries(onServers)) {
    test(`example ${name} runs on the ${server} server`, { timeout: 60_000 }, async () => {
      const { url, drop } = await createDatabase(server);
      try {
        assert.match(await example(name, [], url), line);
      } finally {
        await drop();
      }
    });
  }
}

test("example 08-libsql finds what it wrote when it runs again", { timeout: 60_000 }, async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "again.db");
    for (const count of [0, 3, 6]) {
      const line = `${count + 3} events in ${file}, ${count} of them from earlier runs`;
      assert((await example("08-libsql", [file])).includes(line));
    }
  });
});

test("examples are all run by these tests", () => {
  const found = readdirSync(join(root, "examples")).filter((file) => /^\d.*\.ts$/.test(file));
  assert.deepEqual(found.sort(), Object.keys(examples).map((name) => `${name}.ts`).sort());
});

/** Runs an example as a stranger would, and gives what it printed. */
async function example(name: string, args: readonly string[], url: string = ""): Promise<string> {
  const env = { POSTGRES_URL: url, EMBEDDED_POSTGRES_URL: "" };
  const { ok, output } = await run(program(`examples/${name}`, ...args), { env, limit: 55_000 });
  assert(ok, output);
  return output;
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-example-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
