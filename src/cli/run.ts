import { sleep } from "../async/sleep.ts";
import type { Command, Tools } from "./command.ts";
import { complete } from "./line/complete.ts";
import { isEventSourceryError } from "../../mod.ts";
import { NeedsLoader } from "./source/config.ts";
import { exit, type ExitCode, Stop } from "./exit.ts";
import { commandHelp, help } from "./line/help.ts";
import { open, type Opened } from "./open.ts";
import { type Output, outputOn } from "./output.ts";
import type { Writer } from "./writer.ts";
import { type common, findCommand, readCommand } from "./line/parse.ts";
import { commands } from "./table.ts";
import { version } from "./version.ts";

/** How long a command has to end by itself once it is interrupted, in milliseconds. */
const grace = 1000;

/**
 * What a command line runs in.
 *
 * @category Command line
 */
export interface Io {
  /** Where data goes. */
  readonly stdout: Writer;
  /** Where notes, progress and errors go. */
  readonly stderr: Writer;
  /** The variables of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder it runs in. */
  readonly folder: string;
  /** Aborts when the user interrupts it. @default it is not interrupted */
  readonly signal?: AbortSignal | undefined;
  /** Asks the user a question; undefined where nobody can answer. @default nobody can */
  readonly ask?: ((question: string) => Promise<string | undefined>) | undefined;
  /** Reads standard input, line by line. @default there is none */
  readonly input?: (() => AsyncIterable<string>) | undefined;
  /** Runs the same command line in a process with a loader; resolves with its exit code. @default there is none */
  readonly restart?: ((loader: string) => Promise<number>) | undefined;
}

/**
 * Runs a command line.
 *
 * @param argv What follows the program's name.
 * @returns The exit code: 0 done, 1 failed or a check found something, 2 usage or configuration, 3 no database, 4 not
 * found, 5 tables are missing or a migration is pending, 130 interrupted. Errors are written, never thrown.
 *
 * @category Command line
 *
 * @example Run a command in a test
 * ```ts
 * import { run } from "event-sourcery/cli";
 * import assert from "node:assert/strict";
 *
 * let text = "";
 * const stdout = { write: (part: string) => void (text += part) };
 * const code = await run(["--version"], { stdout, stderr: stdout, env: {}, folder: "." });
 * assert.equal(code, 0);
 * assert.match(text, /^\d+\.\d+\.\d+/);
 * ```
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const { stdout, stderr } = io;
  const plain = outputOn(stdout, stderr, { json: false, quiet: false, color: false, local: false });
  if (argv[0] === "__complete") return await offer(argv.slice(1), plain, io);
  const found = findCommand(argv, commands);
  if (!("command" in found)) return misses(argv, found.words, plain);
  const { name, command, rest } = found;
  try {
    const { args, options } = readCommand(rest, command);
    if (options["help"]) {
      await plain.line(commandHelp(name, command));
      return exit.done;
    }
    const out = outputOn(stdout, stderr, {
      json: options["json"] === true,
      quiet: options["quiet"] === true,
      local: options["local"] === true,
      color: options["no-color"] !== true && hasColor(stdout, io.env),
    });
    return await runWith(command, args, options, out, io);
  } catch (error) {
    if (error instanceof NeedsLoader && io.restart) return await io.restart(error.loader);
    return fails(error, name, plain, io);
  }
}

async function runWith(
  command: Command,
  args: Readonly<Record<string, unknown>>,
  options: Readonly<Record<string, unknown>>,
  out: Output,
  io: Io,
): Promise<ExitCode> {
  let opened: Promise<Opened> | undefined;
  const { signal = new AbortController().signal, ask = async () => undefined } = io;
  const creates = command.creates ?? false;
  const done = new AbortController();
  const input = io.input ?? noInput;
  const opens = () => opened ??= openFor(options, creates, io);
  const tools: Tools = { out, signal, ask, input, open: opens };
  try {
    return await Promise.race([
      command.run(tools, args, options).then((code) => code ?? exit.done),
      interrupted(signal, done.signal),
    ]);
  } finally {
    done.abort();
    const closing = opened?.then(({ close }) => close(), () => {});
    await (signal.aborted ? Promise.race([closing, sleep(grace)]) : closing);
  }
}

async function* noInput(): AsyncIterable<string> {}

/** Opens the store that the options of every command name. */
function openFor(
  options: Readonly<Record<string, unknown>>,
  creates: boolean,
  { folder, env }: Io,
): Promise<Opened> {
  const text = (name: keyof typeof common) => options[name] as string | undefined; // by its kind
  return open({
    url: text("url"),
    config: text("config"),
    schema: text("schema"),
    prefix: text("prefix"),
    tenant: text("tenant"),
    creates,
    folder,
    env,
  });
}

/** Resolves once a command that was interrupted had time to end by itself, unless it is done. */
async function interrupted(signal: AbortSignal, done: AbortSignal): Promise<ExitCode> {
  if (!signal.aborted) {
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve, { once: true, signal: done });
    });
  }
  await sleep(grace, undefined, done);
  return exit.interrupted;
}

/** Writes what may stand at the end of a command line; nothing where that cannot be found out. */
async function offer(words: readonly string[], out: Output, io: Io): Promise<ExitCode> {
  let opened: Opened | undefined;
  try {
    const found = await complete(words, commands, async (options) => {
      return opened = await openFor(options, false, io);
    });
    for (const word of found) await out.line(word);
    return exit.done;
  } catch {
    return exit.failed; // a shell shows no errors of completions
  } finally {
    await opened?.close();
  }
}

/** Answers a command line without a command. */
function misses(argv: readonly string[], words: readonly string[], out: Output): ExitCode {
  const [word] = words;
  if (word !== undefined && word !== "help") {
    out.error(`There is no command ${JSON.stringify(word)}; event-sourcery --help lists them`);
    return exit.usage;
  }
  if (word === "help" || argv.includes("--help") || argv.includes("-h")) {
    void out.line(help(commands));
    return exit.done;
  }
  if (argv.includes("--version")) {
    void out.line(version);
    return exit.done;
  }
  out.note(help(commands));
  return exit.usage;
}

/** Writes an error, and returns its exit code. */
function fails(error: unknown, name: string, out: Output, { signal, env }: Io): ExitCode {
  if (signal?.aborted) return exit.interrupted;
  if (error instanceof Stop) {
    const hint = error.code === exit.usage ? `\nevent-sourcery ${name} --help tells more` : "";
    out.error(error.message + hint);
    return error.code;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (isEventSourceryError(error, "MISSING_SCHEMA")) {
    out.error(`${message}\nHere: event-sourcery migrate`);
    return exit.pending;
  }
  const trace = error instanceof Error && env["DEBUG"] ? `\n${error.stack}` : "";
  out.error(message + trace);
  if (isEventSourceryError(error, "CONNECTION")) return exit.unreachable;
  // A name, a number or a date that the library does not accept.
  return error instanceof RangeError || error instanceof TypeError ? exit.usage : exit.failed;
}

function hasColor({ isTTY = false }: Writer, env: Io["env"]): boolean {
  if (env["NO_COLOR"]) return false;
  return env["FORCE_COLOR"] ? env["FORCE_COLOR"] !== "0" : isTTY;
}
