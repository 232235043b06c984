// `event-sourcery mcp`, as an agent's program runs it: by the official client, over standard input and output and HTTP.
import { createClient } from "@libsql/client";
// @ts-types="../../node_modules/@modelcontextprotocol/sdk/dist/esm/client/stdio.d.ts"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
// @ts-types="../../node_modules/@modelcontextprotocol/sdk/dist/esm/client/streamableHttp.d.ts"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
// @ts-types="../../node_modules/@modelcontextprotocol/sdk/dist/esm/shared/transport.d.ts"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Client } from "pg";
import { type Agent, connect } from "../support/agent.ts";
import { shopFile, shopPostgres } from "../support/operated.ts";
import { root, runtime } from "../support/root.ts";
import { type } from "../support/terminal.ts";

/** Every row of every table, as text. */
async function contentOf(url: string): Promise<string> {
  const client = createClient({ url });
  try {
    const { rows: tables } = await client.execute(
      "select name, sql from sqlite_master order by name",
    );
    const rows = await Promise.all(
      tables.filter(({ sql }) => /^create table/i.test(String(sql)))
        .map(({ name }) => client.execute(`select * from "${name}"`)),
    );
    assert.ok(rows.length > 3);
    return JSON.stringify([tables, rows]);
  } finally {
    client.close();
  }
}

/** Calls tools on the shop, which leave it as it was. */
async function looksAround(agent: Agent, url: string): Promise<void> {
  const before = await contentOf(url);
  await callsTools(agent);
  assert.equal(await contentOf(url), before);
}

async function callsTools({ call, heard, client }: Agent): Promise<void> {
  const { streams } = await call("streams") as { streams: { stream: string }[] };
  assert.deepEqual(streams[0]!.stream, "order:1");
  for (const name of ["overview", "event_types", "read_log", "consumers", "parked"]) {
    await call(name);
  }
  await call("read_stream", { stream: "order:1" });
  await call("trace", { correlation_id: "event-1" });
  assert.match(heard.join(), /needs you/);
  assert.equal(/@\w+\.example/.test(heard.join()), false, "an address");
  await client.close();
}

if (runtime === "node") {
  test("mcp answers the official client on standard input and output", async () => {
    const { url, drop } = await shopFile();
    try {
      const program = join(root, "dist/src/cli/bin.js");
      const args = [program, "mcp", "--url", url];
      const transport = new StdioClientTransport({ command: process.execPath, args });
      await looksAround(await connect(transport), url);
    } finally {
      drop();
    }
  });
}

if (runtime === "node") {
  test("mcp needs no more than the role of the guide, which the database keeps from writing", async () => {
    const page = readFileSync(join(root, "examples/guide/mcp.md"), "utf8");
    const name = `reader_${crypto.randomUUID().slice(0, 8)}`;
    const statements = /```sql\n([^]*?)```/.exec(page)![1]!.replaceAll("reader", name);
    const { url, drop } = await shopPostgres();
    const admin = new Client({ connectionString: url });
    await admin.connect();
    const login = new URL(url);
    login.username = name;
    const reader = new Client({ connectionString: login.href });
    try {
      await admin.query(statements);
      const args = [join(root, "dist/src/cli/bin.js"), "mcp", "--url", login.href];
      await callsTools(
        await connect(new StdioClientTransport({ command: process.execPath, args })),
      );
      await reader.connect();
      await assert.rejects(reader.query("create temp table kept ()"), /read-only transaction/);
      const { rows } = await reader.query("show statement_timeout");
      assert.deepEqual(rows, [{ statement_timeout: "5s" }]);
    } finally {
      await reader.end();
      await admin.query(`drop owned by ${name}; drop role ${name}`);
      await admin.end();
      await drop();
    }
  });
}

test(
  "mcp --http answers on this machine, to whoever has the token",
  { timeout: 20_000 },
  async () => {
    const { url, drop } = await shopFile();
    const stop = new AbortController();
    let tell: (text: string) => void;
    const told = new Promise<string>((resolve) => tell = resolve);
    const stderr = { write: (text: string) => tell(text) };
    const running = type(["mcp", "--http", "--port", "0", "--url", url], {
      stderr,
      signal: stop.signal,
    });
    try {
      const text = await told;
      const [, address, token] = /(http:\S+)\n.*Bearer (\S+)/.exec(text)!;
      const refused = await fetch(address!, { method: "POST", body: "{}" });
      assert.equal(refused.status, 401);
      await refused.body?.cancel();
      const headers = { authorization: `Bearer ${token}` };
      const transport = new StreamableHTTPClientTransport(new URL(address!), {
        requestInit: { headers },
      });
      await looksAround(await connect(transport as unknown as Transport), url);
    } finally {
      stop.abort();
      await running;
      drop();
    }
  },
);

test("mcp answers each line, and ends with its input", async () => {
  const { url, drop } = await shopFile();
  try {
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    const call =
      '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"read_log","arguments":{"limit":1}}}';
    const input = async function* () {
      yield* [ping, "", "{", call];
    };
    const { code, stdout } = await type(["mcp", "--shape", "--url", url], { input });
    const replies = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(code, 0);
    assert.deepEqual(replies.map(({ id }) => id).sort(), [1, 2, null]);
    const { structuredContent } = replies.find(({ id }) => id === 2).result;
    assert.equal(structuredContent.events.length, 1);
    assert.match(JSON.stringify(structuredContent.events[0].data), /string\(\d+\)|number/);
  } finally {
    drop();
  }
});
