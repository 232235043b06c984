import type { Argument, Command, Options } from "../command.ts";
import type { Opened } from "../open.ts";
import { common, findCommand, readCommand } from "./parse.ts";
import { consumers } from "../../../mod.ts";

/** How many streams are offered. */
const most = 50;

/**
 * Returns what may stand at the end of a command line.
 *
 * @param words What follows the program's name; the last is what is being typed, and may be empty.
 * @param openFor Opens the store that the common options name.
 */
export async function complete(
  words: readonly string[],
  commands: Readonly<Record<string, Command>>,
  openFor: (options: Readonly<Record<string, unknown>>) => Promise<Opened>,
): Promise<readonly string[]> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const found = findCommand(before, commands);
  const fitting = (values: readonly string[]) => values.filter((value) => value.startsWith(typed));
  if (!("command" in found)) {
    const options = typed.startsWith("-") ? ["--help", "--version"] : [];
    return fitting([...namesAfter(found.words, commands), ...options]);
  }
  const { name, command, rest } = found;
  const options: Options = { ...common, ...command.options };
  const previous = Object.entries(options).find(([option, { kind, short }]) =>
    kind !== "flag" && (rest.at(-1) === `--${option}` || rest.at(-1) === `-${short}`)
  );
  if (previous !== undefined) return fitting(previous[1].choices ?? []);
  if (typed.startsWith("-")) return fitting(Object.keys(options).map((option) => `--${option}`));
  const more = namesAfter(name.split(" "), commands);
  const { count, values } = given(rest, command);
  const argument = argumentAt(command, count);
  if (argument === undefined) return fitting(more);
  const { completes, choices = [] } = argument;
  if (completes === undefined) return fitting([...more, ...choices]);
  const { store } = await openFor(values);
  const offered = completes === "streams"
    ? (await store.streams({ prefix: typed, limit: most })).map(({ streamId }) => streamId)
    : (await consumers(store)).map(({ name }) => name);
  return fitting([...more, ...new Set(offered)]);
}

/** Returns the words that go on to a command's name. */
function namesAfter(
  words: readonly string[],
  commands: Readonly<Record<string, Command>>,
): readonly string[] {
  const names = Object.keys(commands).map((name) => name.split(" ")).filter((parts) =>
    parts.length > words.length && words.every((word, index) => word === parts[index])
  );
  return [...new Set(names.map((parts) => parts[words.length]!))];
}

/** Reads what is there already: how many arguments, and the options. */
function given(rest: readonly string[], { options }: Command) {
  // Whatever arguments there are are counted, not read.
  const words: Argument = { kind: "many", summary: "" };
  const read = readCommand(rest, { args: { words }, options });
  const { words: found } = read.args;
  return { count: Array.isArray(found) ? found.length : 0, values: read.options };
}

function argumentAt({ args }: Command, index: number): Argument | undefined {
  const list = Object.values(args);
  const last = list.at(-1);
  return list[index] ?? (last?.kind === "many" ? last : undefined);
}
