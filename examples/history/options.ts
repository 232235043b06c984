import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Source } from "./commit.ts";

/** The options of the command line. */
export interface Options {
  /** The folder of a repository; undefined if not given. */
  readonly folder: string | undefined;
  /** The file to store in; undefined if not given. */
  readonly file: string | undefined;
  /** The instant whose state is shown; undefined if not given. */
  readonly at: Date | undefined;
  /** Whether to rebuild the read model. */
  readonly rebuild: boolean;
  /** The port of the studio; undefined if it is not wanted. */
  readonly studio: number | undefined;
  /** Whether to print only the usage. */
  readonly help: boolean;
}

/** The command line is invalid; the message says why. */
export class Misuse extends Error {}

/** Where the studio is served unless another port is asked for. */
const usualPort = 4321;

export const usage =
  `npm start [path to a git repository] [-- --at <date> --db <file> --rebuild --studio]

Turns a repository's history into events, stores them in an embedded libSQL file, and shows them.

  --at <date>   also show how it stood then, such as 2024-06-30 (default: half-way)
  --db <file>   store there (default: .event-sourcery/<name>.db)
  --rebuild     throw the read model away, and build it anew from the events
  --studio      then browse the events on http://127.0.0.1:4321
  --port <n>    at another port; 0 is a free one
`;

/**
 * Parses the command line.
 *
 * @throws {Misuse} If it is invalid.
 */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) throw new Misuse("Name one repository only");
  // npm runs its scripts in the package's folder; INIT_CWD is the folder of the user.
  const here = process.env["INIT_CWD"] ?? process.cwd();
  const path = (name: string | undefined) => name === undefined ? undefined : resolve(here, name);
  const at = values.at === undefined ? undefined : new Date(values.at);
  if (at && Number.isNaN(at.getTime())) throw new Misuse(`"${values.at}" is not a date`);
  const { rebuild, help } = values;
  const port = values.port === undefined ? usualPort : Number(values.port);
  if (!(Number.isInteger(port) && port >= 0 && port < 65_536)) {
    throw new Misuse(`"${values.port}" is not a port`);
  }
  const studio = values.studio ? port : undefined;
  return { folder: path(positionals[0]), file: path(values.db), at, rebuild, help, studio };
}

/** Returns the default file for a repository: two repositories of the same name get different files. */
export function fileOf({ name, place }: Source): string {
  const mark = createHash("sha256").update(place).digest("hex").slice(0, 6);
  return join(".event-sourcery", `${name}-${mark}.db`);
}

const options = {
  at: { type: "string" },
  db: { type: "string" },
  rebuild: { type: "boolean", default: false },
  studio: { type: "boolean", default: false },
  port: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error)); // an unknown option
  }
}
