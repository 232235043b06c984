// The protocol, over HTTP and line by line: who may ask, and what is refused before a tool is called.
import { serve } from "@hono/node-server";
// @ts-types="../../node_modules/@modelcontextprotocol/sdk/dist/esm/client/streamableHttp.d.ts"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
// @ts-types="../../node_modules/@modelcontextprotocol/sdk/dist/esm/types.d.ts"
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
// @ts-types="../../node_modules/@modelcontextprotocol/sdk/dist/esm/shared/transport.d.ts"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { defineEvent, type Driver, EventStore, Subscription } from "event-sourcery";
import { bearerAuth, mcp, mcpLines, type McpOptions } from "event-sourcery/mcp";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { agentOf, connect } from "../support/agent.ts";
import { runtime } from "../support/root.ts";

const Noted = defineEvent<unknown>()("Noted");
const token = "a long random text";
const authorize = bearerAuth({ token });
const storeOf = (driver: Driver = memory()) => new EventStore(driver, { events: [Noted] });
const authorization = `Bearer ${token}`;

/** Sends a message by hand. */
async function send(
  handler: (request: Request) => Promise<Response>,
  message: unknown,
  { headers = {}, ...init }: RequestInit & { headers?: Record<string, string> } = {},
) {
  const body = typeof message === "string" ? message : JSON.stringify(message);
  const response = await handler(
    new Request("http://store.example/mcp", {
      ...{ method: "POST", body },
      headers: { "content-type": "application/json", authorization, ...headers },
      ...init,
    }),
  );
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

const ping = { jsonrpc: "2.0", id: 1, method: "ping" };

if (runtime === "node") {
  test("a real server answers the official client", async () => {
    const store = storeOf();
    await store.append("s:1", Noted("hello"));
    const server = serve({ fetch: mcp(store, { authorize }), port: 0, hostname: "127.0.0.1" });
    try {
      await once(server, "listening");
      const address = server.address();
      assert(typeof address === "object" && address !== null);
      const url = new URL(`http://127.0.0.1:${address.port}/mcp`);
      const init = { requestInit: { headers: { authorization } } };
      const transport = new StreamableHTTPClientTransport(url, init) as unknown as Transport;
      const { call, client } = await connect(transport);
      assert.match(JSON.stringify(await call("read_log")), /hello/);
      await client.close();
    } finally {
      server.close();
    }
  });
}

test("HTTP: who may not ask is refused before anything is read", async () => {
  const handler = mcp(storeOf(), { authorize, origins: ["https://chat.example"] });
  const status = async (message: unknown, init?: Parameters<typeof send>[2]) =>
    (await send(handler, message, init)).status;
  assert.equal(await status(ping), 200);
  assert.equal(await status(ping, { headers: { authorization: "" } }), 401);
  assert.equal(await status(ping, { headers: { authorization: `Bearer ${token}x` } }), 401);
  assert.equal(await status(ping, { headers: { authorization: `Basic ${token}` } }), 401);
  assert.equal(await status(ping, { headers: { origin: "https://evil.example" } }), 403);
  assert.equal(await status(ping, { headers: { origin: "http://store.example" } }), 403);
  assert.equal(await status(ping, { headers: { origin: "https://chat.example" } }), 200);
  const { headers } = await send(handler, ping, { headers: { authorization: "" } });
  assert.equal(headers.get("www-authenticate"), "Bearer");
  assert.equal((await send(handler, ping)).headers.get("cache-control"), "no-store");
  for (const method of ["GET", "DELETE", "PUT"]) {
    const init = method === "GET" ? { method, body: null } : { method };
    assert.equal(await status(ping, init), 405);
  }
  const redirect = mcp(storeOf(), {
    authorize: () => Response.redirect("https://login.example"),
  });
  assert.equal((await send(redirect, ping)).status, 302);
});

test("HTTP: what is no message of the protocol is refused", async () => {
  const handler = mcp(storeOf(), { authorize: () => true });
  const answer = async (message: unknown, init?: Parameters<typeof send>[2]) => {
    const { status, text } = await send(handler, message, init);
    return [status, text.startsWith("{") ? JSON.parse(text).error?.code : undefined];
  };
  assert.deepEqual(await answer("{"), [400, -32700]);
  for (const wrong of [[ping], [], null, 1, {}, { ...ping, jsonrpc: "1.0" }, { ...ping, id: {} }]) {
    assert.deepEqual(await answer(wrong), [400, -32600], JSON.stringify(wrong));
  }
  assert.deepEqual(await answer({ jsonrpc: "2.0", id: 1 }), [400, -32600]);
  assert.deepEqual(await answer({ ...ping, method: "tools/write" }), [200, -32601]);
  assert.deepEqual(await answer({ ...ping, params: [] }), [200, -32602]);
  assert.deepEqual(await answer({ ...ping, method: "tools/call", params: {} }), [200, -32602]);
  assert.deepEqual(await answer({ jsonrpc: "2.0", method: "notifications/initialized" }), [
    202,
    undefined,
  ]);
  assert.deepEqual(await answer({ jsonrpc: "2.0", id: 1, result: {} }), [202, undefined]);
  assert.deepEqual(await answer(ping, { headers: { "content-type": "text/plain" } }), [
    415,
    undefined,
  ]);
  assert.deepEqual(await answer(ping, { headers: { "mcp-protocol-version": "1" } }), [
    400,
    undefined,
  ]);
  const long = JSON.stringify({ ...ping, params: { text: "x".repeat(70_000) } });
  assert.deepEqual(await answer(long), [413, undefined]);
  const stream = new Blob([long]).stream();
  const streamed = { body: stream, duplex: "half" } as Parameters<typeof send>[2];
  assert.deepEqual(await answer(ping, streamed), [413, undefined], "of unknown length");
});

test("the newest version of the protocol is spoken that the client knows", async () => {
  const line = mcpLines(storeOf());
  for (
    const [asked, spoken] of [
      ["2025-11-25", "2025-11-25"],
      ["2025-06-18", "2025-06-18"],
      ["2025-03-26", "2024-11-05"],
      ["2024-11-05", "2024-11-05"],
      ["2099-01-01", "2025-11-25"],
      ["1.0", "2025-11-25"],
      [undefined, "2025-11-25"],
    ] as const
  ) {
    const params = { protocolVersion: asked, capabilities: {} };
    const reply = await line(JSON.stringify({ ...ping, method: "initialize", params }));
    assert.equal(JSON.parse(reply!).result.protocolVersion, spoken);
  }
});

test("lines: the official client is answered over a transport of one's own", async () => {
  const store = storeOf();
  await store.append("s:1", Noted("hello"));
  const line = mcpLines(store);
  const transport: Transport = {
    start: async () => {},
    close: async () => {},
    async send(message) {
      const reply = await line(JSON.stringify(message));
      if (reply !== undefined) this.onmessage!(JSON.parse(reply) as JSONRPCMessage);
    },
  };
  const { call } = await connect(transport);
  assert.match(JSON.stringify(await call("read_stream", { stream: "s:1" })), /hello/);
  assert.equal(JSON.parse((await line("{"))!).error.code, -32700);
  assert.equal(await line('{"jsonrpc":"2.0","method":"x"}'), undefined);
});

test("calls run one at a time, end by the timeout, and say nothing of the database", async () => {
  const driver = memory();
  let [running, most] = [0, 0];
  let work: () => Promise<void> = async () => {};
  const settled = driver.settled.bind(driver);
  const slow: Driver = Object.assign(driver, {
    async settled() {
      most = Math.max(most, ++running);
      await work();
      running--;
      return await settled();
    },
  });
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const agent = await agentOf(mcp(storeOf(slow), { authorize, onError, timeout: 50 }));
  await Promise.all(Array.from({ length: 5 }, () => agent.call("read_log")));
  assert.equal(most, 1);

  let release = () => {};
  const held = new Promise<void>((resolve) => release = resolve);
  work = () => held;
  assert.match(await agent.refused("read_log"), /not answered within 50 ms/);
  const crowd = await Promise.all(
    Array.from({ length: 25 }, () => agent.client.callTool({ name: "read_log" })),
  );
  const texts = crowd.map(({ content }) => JSON.stringify(content));
  assert.equal(texts.filter((text) => /too many calls wait/.test(text)).length, 5);
  release();
  work = () => Promise.reject(new Error("select secret from passwords"));
  assert.match(await agent.refused("read_log"), /^The call failed; the server's log says why$/);
  assert.match(String(errors), /select secret/);
});

test("100,000 events: no tool looks further than its budget", async () => {
  const driver = memory();
  let read = 0;
  const scan = driver.scan.bind(driver);
  const counting: Driver = Object.assign(driver, {
    async scan(query: Parameters<Driver["scan"]>[0]) {
      const page = await scan(query);
      read += page.events.length;
      return page;
    },
  });
  const store = storeOf(counting);
  await new Subscription(store, { name: "late", handler() {} }).runOnce();
  for (let part = 0; part < 100; part++) {
    await store.append(`s:${part}`, Array.from({ length: 1000 }, (_, index) => Noted(index)));
  }
  const { call } = await agentOf(mcp(store, { authorize, budget: 20_000 }));
  const calls = [
    ...[["overview", {}], ["event_types", {}], ["streams", {}], ["read_log", {}]],
    ...[["read_log", { types: ["None"] }], ["read_stream", { stream: "s:1" }]],
    ...[["state", { stream: "s:1" }], ["consumers", {}], ["parked", {}]],
  ] as const;
  for (const [name, given] of calls) {
    read = 0;
    const begun = performance.now();
    const answer = await call(name as string, given as Record<string, unknown>);
    assert.ok(read <= 20_100, `${name} read ${read} events`);
    assert.ok(performance.now() - begun < 2000, `${name} took ${performance.now() - begun} ms`);
    if ("types" in (given as object)) {
      assert.deepEqual([answer["complete"], answer["searched_to"]], [false, 80_001]);
    }
  }
});

test("mcp() refuses what is malformed", () => {
  const store = storeOf();
  const wrong: readonly (readonly [Partial<McpOptions>, RegExp])[] = [
    [{ authorize: undefined as never }, /TypeError: authorize must be a function/],
    [{ origins: "a" as never }, /TypeError: origins/],
    [{ data: "all" as never }, /TypeError: data/],
    [{ timeout: 0 }, /RangeError: timeout/],
    [{ budget: 0 }, /RangeError: budget/],
    [{ onError: 1 as never }, /TypeError: onError/],
    [{ tenant: 1 as never }, /tenantId/],
    [{ consumers: [1] as never }, /TypeError: consumers/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => mcp(store, { authorize, ...options }), message);
  }
  assert.throws(() => mcp({} as never, { authorize }), /TypeError: store must be an event store/);
  assert.throws(() => bearerAuth({ token: "short" }), /TypeError: token/);
});
