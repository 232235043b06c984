// @ts-types="../../node_modules/@modelcontextprotocol/sdk/dist/esm/client/index.d.ts"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="../../node_modules/@modelcontextprotocol/sdk/dist/esm/client/streamableHttp.d.ts"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
// @ts-types="../../node_modules/@modelcontextprotocol/sdk/dist/esm/shared/transport.d.ts"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import assert from "node:assert/strict";

/** What a tool has answered. */
export type Answer = Readonly<Record<string, unknown>>;

/** An agent that is connected by the official client, which checks each answer by the tool's own schema. */
export interface Agent {
  readonly client: Client;
  /** Calls a tool, which must succeed, and checks what holds for every answer. */
  readonly call: (name: string, given?: Record<string, unknown>) => Promise<Answer>;
  /** Calls a tool, which must fail. @returns What it says. */
  readonly refused: (name: string, given?: Record<string, unknown>) => Promise<string>;
  /** All answers, as text. */
  readonly heard: readonly string[];
}

const token = "a long random text";

/** Connects by a fetch handler. */
export async function agentOf(handler: (request: Request) => Promise<Response>): Promise<Agent> {
  const url = new URL("http://store.example/mcp");
  return await connect(
    new StreamableHTTPClientTransport(url, {
      fetch: (input, init) => handler(new Request(input, init)),
      requestInit: { headers: { authorization: `Bearer ${token}` } },
      // Its class and its interface differ in what may be undefined.
    }) as unknown as Transport,
  );
}

/** Connects by any transport. */
export async function connect(transport: Transport): Promise<Agent> {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(transport);
  await client.listTools(); // so that answers are checked
  const heard: string[] = [];
  const ask = async (name: string, given: Record<string, unknown>) => {
    const { content, structuredContent, isError } = await client.callTool({
      name,
      arguments: given,
    });
    assert(Array.isArray(content) && content.length === 1);
    const { type, text } = content[0];
    assert.equal(type, "text");
    assert(typeof text === "string");
    heard.push(text);
    return { text, structuredContent, isError };
  };
  return {
    client,
    heard,
    async call(name, given = {}) {
      const { text, structuredContent, isError } = await ask(name, given);
      assert.ok(!isError, `${name}: ${text}`);
      assert.deepEqual(structuredContent, JSON.parse(text));
      const bytes = new TextEncoder().encode(text).length;
      assert.ok(bytes <= 32_768, `${name} answered ${bytes} bytes`);
      return structuredContent as Answer;
    },
    async refused(name, given = {}) {
      const { text, isError } = await ask(name, given);
      assert.equal(isError, true, text);
      return text;
    },
  };
}

/** Reads all pages of a tool. */
export async function pages(
  { call }: Agent,
  name: string,
  list: string,
  given: Record<string, unknown> = {},
): Promise<readonly Answer[]> {
  const found: Answer[] = [];
  for (let more = given;;) {
    const answer = await call(name, more);
    const items = answer[list];
    assert(Array.isArray(items));
    found.push(...items);
    const next = Object.entries(answer).find(([key]) => key.startsWith("next_"));
    assert.equal(answer["complete"], next === undefined);
    if (next === undefined) return found;
    more = { ...given, [next[0].slice("next_".length)]: next[1] };
  }
}
