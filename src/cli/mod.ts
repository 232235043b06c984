/**
 * The command line: looks into an event store and operates it, by a URL alone or with an application's configuration.
 * Run it by `npx event-sourcery`, `bunx event-sourcery`, or in Deno by running this module.
 *
 * @module
 */
import { main } from "./main.ts";

export { type Config, defineConfig } from "./source/config.ts";
export type { Writer } from "./writer.ts";
export { type Io, run } from "./run.ts";

// Not awaited: a configuration imports this module, which would wait for itself.
if (import.meta.main) void main();
