import type { Event, EventStore } from "../../mod.ts";
import { type AgentOptions, contextOf } from "./options.ts";
import { codes, failed, protocols, type Reply, Server } from "./server.ts";

/**
 * Options of the handler for agents.
 *
 * @category Agents
 */
export interface McpOptions extends AgentOptions {
  /**
   * Says whether a request may look into the store, or answers it, as by a redirect; `bearerAuth` is one. There is no
   * default: `() => true` lets everybody in.
   */
  readonly authorize: (request: Request) => boolean | Response | Promise<boolean | Response>;
  /**
   * The origins of web pages that may send requests, such as `https://chat.example`. Agents are no pages and send none.
   * @default no page may
   */
  readonly origins?: readonly string[] | undefined;
}

/** The most bytes of a request. */
const maxBytes = 65_536;

/**
 * Makes a fetch handler by which agents look into a store: a server of the Model Context Protocol, by its streamable HTTP
 * transport, without sessions and with answers in JSON only. It has ten tools, and none of them changes anything. Sensitive
 * fields are always masked; an answer has at most 100 events and 32 KiB, and a search goes through at most the budget.
 *
 * @param store The store that agents look into; scoped to a tenant, they see that tenant.
 * @param options Who may ask, and what they see.
 * @returns The handler, for the path at which it is mounted.
 * @throws {TypeError | RangeError} If the store is not one, or an option is malformed.
 *
 * @category Agents
 *
 * @example Let agents with a token look into a store
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { bearerAuth, mcp } from "event-sourcery/mcp";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const store = new EventStore(memory(), { events: [defineEvent("OrderPlaced")] });
 * const handler = mcp(store, { authorize: bearerAuth({ token: "a long random text" }) });
 * // Deno.serve(handler), Bun.serve({ fetch: handler }), app.all("/mcp", ({ req }) => handler(req.raw))
 *
 * const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
 * const headers = { "content-type": "application/json", authorization: "Bearer a long random text" };
 * const ask = (init: RequestInit) => handler(new Request("https://shop.example/mcp", { method: "POST", ...init }));
 * assert.equal((await ask({ body, headers })).status, 200);
 * assert.equal((await ask({ body })).status, 401);
 * ```
 */
export function mcp<E extends Event, Db>(
  store: EventStore<E, Db>,
  options: McpOptions,
): (request: Request) => Promise<Response> {
  const { authorize, origins = [] } = options;
  if (typeof authorize !== "function") {
    throw new TypeError("authorize must be a function: it says who may look into the store");
  }
  if (!Array.isArray(origins)) throw new TypeError("origins must be a list");
  const server = new Server(contextOf(store, options), options);
  return async (request) => {
    // Browsers always name the page that sends, so that no page can reach a server in its user's network.
    const origin = request.headers.get("origin");
    if (origin !== null && !origins.includes(origin)) return plain(403, "This origin may not ask");
    const allowed = await authorize(request);
    if (allowed instanceof Response) return allowed;
    if (!allowed) return plain(401, "Not authorized", { "www-authenticate": "Bearer" });
    if (request.method !== "POST") return plain(405, "Only POST is answered", { allow: "POST" });
    const spoken = request.headers.get("mcp-protocol-version");
    if (spoken !== null && !protocols.includes(spoken)) {
      return plain(400, `This version of the protocol is not spoken; ${protocols.join(", ")} are`);
    }
    if (!/^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? "")) {
      return plain(415, "The body must be application/json");
    }
    const body = await read(request);
    if (body === undefined) return plain(413, `A request has at most ${maxBytes} bytes`);
    let message: unknown;
    try {
      message = JSON.parse(body);
    } catch {
      return json(400, failed(null, codes.parse, "This is no JSON"));
    }
    const reply = await server.answer(message);
    if (reply === undefined) return new Response(null, { status: 202 });
    return json(reply.id === null ? 400 : 200, reply);
  };
}

/** Reads the body; undefined if it is too long. */
async function read(request: Request): Promise<string | undefined> {
  if (Number(request.headers.get("content-length")) > maxBytes) return undefined;
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  const reader = request.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (part?.value === undefined) return text + decoder.decode();
    bytes += part.value.length;
    if (bytes > maxBytes) {
      await reader?.cancel();
      return undefined;
    }
    text += decoder.decode(part.value, { stream: true });
  }
}

const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

function json(status: number, reply: Reply): Response {
  return Response.json(reply, { status, headers });
}

function plain(
  status: number,
  text: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${text}\n`, { status, headers: { ...headers, ...more } });
}
