import { parseArgs } from "node:util";
import type { Arguments, Command, Option, Options } from "../command.ts";
import { exit, Stop } from "../exit.ts";

/** The options of every command. */
export const common = {
  url: { kind: "text", value: "url", summary: "the database: postgres://…, file:… or libsql://…" },
  schema: {
    kind: "text",
    value: "name",
    summary: 'the schema in Postgres (default "event_sourcery")',
  },
  prefix: {
    kind: "text",
    value: "text",
    summary: 'the prefix of the tables in libSQL (default "es_")',
  },
  config: {
    kind: "text",
    value: "file",
    summary: "the configuration file, else the one found upwards",
  },
  tenant: { kind: "text", value: "id", summary: "only this tenant" },
  json: { kind: "flag", summary: "write JSON, one object a line" },
  local: { kind: "flag", summary: "write local times instead of UTC" },
  quiet: { kind: "flag", short: "q", summary: "write no notes and no progress" },
  "no-color": { kind: "flag", summary: "write no colours" },
  help: { kind: "flag", short: "h", summary: "show this help" },
} as const satisfies Options;

/** A command that was found, and what follows it. */
interface Found {
  /** Its name, of one or two words. */
  readonly name: string;
  readonly command: Command;
  /** What was given besides its name. */
  readonly rest: readonly string[];
}

/**
 * Finds the command in a command line: its first words that begin with no dash and are no option's value.
 *
 * @returns The command; or the words, where there is none of that name.
 */
export function findCommand(
  argv: readonly string[],
  commands: Readonly<Record<string, Command>>,
): Found | { readonly words: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...argv],
    options: settingsOf(common),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words = tokens.filter((token) => token.kind === "positional");
  for (const count of [2, 1]) {
    const taken = words.slice(0, count);
    const name = taken.map(({ value }) => value).join(" ");
    const found = taken.length === count && Object.hasOwn(commands, name)
      ? commands[name]
      : undefined;
    if (found === undefined) continue;
    const rest = argv.filter((_, index) => !taken.some((token) => token.index === index));
    return { name, command: found, rest };
  }
  return { words: words.map(({ value }) => value) };
}

/** Reads what was given to a command. @throws {Stop} If it is not what the command takes. */
export function readCommand(
  rest: readonly string[],
  { args, options }: Pick<Command, "args" | "options">,
): {
  readonly args: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
} {
  const all: Options = { ...common, ...options };
  let parsed;
  try {
    parsed = parseArgs({ args: [...rest], options: settingsOf(all), allowPositionals: true });
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    // What follows says how to give it as an argument, which is seldom meant.
    throw new Stop(exit.usage, error.message.replace(/\. .*/s, ""));
  }
  const { values, positionals } = parsed;
  return {
    args: positionals.length === 0 && values["help"] ? {} : readArguments(positionals, args),
    options: Object.fromEntries(
      Object.entries(all).map(([name, option]) => [name, read(name, option, values[name])]),
    ),
  };
}

function readArguments(given: readonly string[], args: Arguments) {
  const left = [...given];
  const values = Object.entries(args).map(([name, { kind, choices }]) => {
    if (kind === "many") return [name, left.splice(0)];
    const value = left.shift();
    if (kind === "one" && value === undefined) throw new Stop(exit.usage, `<${name}> is missing`);
    if (value !== undefined && choices?.includes(value) === false) {
      throw new Stop(exit.usage, `<${name}> must be ${choices.join(" or ")}`);
    }
    return [name, value];
  });
  if (left.length > 0) throw new Stop(exit.usage, `Unexpected argument ${JSON.stringify(left[0])}`);
  return Object.fromEntries(values);
}

/** What `parseArgs` is told of options. */
function settingsOf(options: Options) {
  return Object.fromEntries(
    Object.entries(options).map(([name, { kind, short }]) => [name, {
      type: kind === "flag" ? "boolean" as const : "string" as const,
      multiple: kind === "list",
      ...(short === undefined ? {} : { short }),
    }]),
  );
}

function read(name: string, option: Option, value: unknown): unknown {
  const { kind, choices } = option;
  if (kind === "flag") return value === true;
  if (kind === "list") return value ?? [];
  if (value === undefined) return undefined;
  const text = String(value);
  const wrong = (wanted: string) =>
    new Stop(exit.usage, `--${name} must be ${wanted}, got ${JSON.stringify(text)}`);
  if (choices !== undefined && !choices.includes(text)) throw wrong(choices.join(" or "));
  switch (kind) {
    case "number": {
      if (!/^\d+$/.test(text)) throw wrong("a whole number");
      return Number(text);
    }
    case "date": {
      const date = readDate(text);
      if (date === undefined) throw wrong("a date such as 2026-11-25 or 2026-11-25T00:46:09Z");
      return date;
    }
    case "duration": {
      const [, amount, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
      if (amount === undefined) throw wrong("a time such as 30s, 5m, 2h or 1d");
      return Number(amount) * units[unit as keyof typeof units];
    }
    default:
      return text;
  }
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a date, which is one in UTC where no zone is given. */
function readDate(text: string): Date | undefined {
  const [, day, time = "00:00", zone = "Z"] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ??
      [];
  if (day === undefined) return undefined;
  const date = new Date(`${day}T${time}${zone}`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
