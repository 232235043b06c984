/**
 * Lets agents look into an event store: a server of the Model Context Protocol that only reads, masks what is sensitive and
 * has limits, as a fetch handler or line by line.
 *
 * @module
 */
export { bearerAuth } from "./bearer.ts";
export { mcpLines } from "./lines.ts";
export { mcp, type McpOptions } from "./mcp.ts";
export type { AgentOptions } from "./options.ts";
