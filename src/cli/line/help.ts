import type { Argument, Command, Option, Options } from "../command.ts";
import { common } from "./parse.ts";

/** Returns the text of `event-sourcery --help`. */
export function help(commands: Readonly<Record<string, Command>>): string {
  const rows = Object.entries(commands).map(([name, { summary }]): Row => [name, summary]);
  return [
    "event-sourcery <command>: looks into an event store, and operates it",
    "",
    "Commands:",
    ...lines(rows),
    "",
    "Options of every command:",
    ...lines(optionRows(common)),
    "",
    "event-sourcery <command> --help tells more of one.",
  ].join("\n");
}

/** Returns the text of `event-sourcery <command> --help`. */
export function commandHelp(name: string, command: Command): string {
  const { summary, details, args, options } = command;
  const own = Object.keys(options).length === 0
    ? []
    : ["", "Options:", ...lines(optionRows(options))];
  const given = Object.entries(args).map(([arg, { summary }]): Row => [arg, summary]);
  return [
    `event-sourcery ${usage(name, command)}`,
    "",
    sentence(summary),
    ...(details === undefined ? [] : ["", details]),
    ...(given.length === 0 ? [] : ["", "Arguments:", ...lines(given)]),
    ...own,
    "",
    "Options of every command:",
    ...lines(optionRows(common)),
  ].join("\n");
}

/** Returns a command with its arguments, as it is typed. */
function usage(name: string, { args, options }: Command): string {
  const given = Object.entries(args).map(([arg, { kind }]) => argumentText(arg, kind));
  const more = Object.keys(options).length === 0 ? [] : ["[options]"];
  return [name, ...given, ...more].join(" ");
}

/** A name, and what is said of it. */
type Row = readonly [string, string];

/** Returns options as they are typed, and what they do. */
function optionRows(options: Options): readonly Row[] {
  return Object.entries(options).map(([name, option]): Row => [
    `${option.short === undefined ? "" : `-${option.short}, `}--${name}${valueText(option)}`,
    option.summary,
  ]);
}

function valueText({ kind, value, choices }: Option): string {
  if (kind === "flag") return "";
  if (choices !== undefined) return ` <${choices.join("|")}>`;
  return ` <${
    value ?? { text: "text", list: "text", number: "n", date: "date", duration: "time" }[kind]
  }>`;
}

function argumentText(name: string, kind: Argument["kind"]): string {
  return { one: `<${name}>`, optional: `[${name}]`, many: `[${name}…]` }[kind];
}

function lines(rows: readonly Row[]): readonly string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
}

/** Returns a summary as a sentence. */
function sentence(summary: string): string {
  return `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;
}
