import { migrate } from "./actions/migrate.ts";
import type { Command } from "./command.ts";
import { streams } from "./commands/streams.ts";

/** The commands by name, in the order of `--help`. */
export const commands: Readonly<Record<string, Command>> = {
  migrate,
  streams,
};
