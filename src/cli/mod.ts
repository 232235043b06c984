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

if (import.meta.main) await main();
