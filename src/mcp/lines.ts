import type { Event, EventStore } from "../../mod.ts";
import { type AgentOptions, contextOf } from "./options.ts";
import { codes, failed, Server } from "./server.ts";

/**
 * Answers the Model Context Protocol line by line, for a transport of your own; `event-sourcery mcp` is this on standard
 * input and output.
 *
 * @param store The store that agents look into. They only read.
 * @param options What they see of it.
 * @returns Answers a line that holds a message in JSON by the line to send back, without its end; undefined if there is
 * none to send. It never rejects.
 * @throws {TypeError | RangeError} If the store is not one, or an option is malformed.
 *
 * @category Agents
 *
 * @example Answer a line
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { mcpLines } from "event-sourcery/mcp";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const store = new EventStore(memory(), { events: [defineEvent("OrderPlaced")] });
 * const answer = mcpLines(store);
 * const line = await answer('{"jsonrpc":"2.0","id":1,"method":"ping"}');
 * assert.equal(line, '{"jsonrpc":"2.0","id":1,"result":{}}');
 * ```
 */
export function mcpLines<E extends Event, Db>(
  store: EventStore<E, Db>,
  options: AgentOptions = {},
): (line: string) => Promise<string | undefined> {
  const server = new Server(contextOf(store, options), options);
  return async (line) => {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      return JSON.stringify(failed(null, codes.parse, "This is no JSON"));
    }
    const reply = await server.answer(message);
    return reply && JSON.stringify(reply);
  };
}
