import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { root, runtime } from "./root.ts";

/** What became of a command. */
export interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

const running = new Set<ChildProcess>();

/** How to run a command. */
export interface RunOptions {
  /** Goes with the environment of this process. */
  readonly env?: Record<string, string>;
  /** Shows the output while the command runs. */
  readonly loud?: boolean;
  /** Where it runs. @default the repository's top folder */
  readonly cwd?: string;
  /** When it is stopped, in milliseconds. @default 900_000 */
  readonly limit?: number;
}

/** Runs a command. */
export function run(
  command: readonly string[],
  { env = {}, loud = false, cwd = root, limit = 900_000 }: RunOptions = {},
): Promise<Outcome> {
  const [program, ...args] = command;
  const child = spawn(program!, args, {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own, so that stop() reaches the children of launchers too
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (loud) process.stdout.write(text);
    });
  }
  const timer = setTimeout(() => {
    output += `\nStopped after ${limit / 1000} s\n`;
    stop(child);
  }, limit);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ ok: false, output: `${output}${error.message}\n` }));
    child.on("close", (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ ok: code === 0, output });
    });
  });
}

/**
 * Runs a command that must succeed, and gives its output.
 *
 * @throws {Error} If it fails.
 */
export async function must(command: readonly string[], options?: RunOptions): Promise<string> {
  const { ok, output } = await run(command, options);
  if (!ok) throw new Error(`Cannot run ${command.join(" ")}: ${output}`);
  return output;
}

/** Ends every command that still runs. */
export function stopAll(): void {
  running.forEach(stop);
}

/** The path of a program that a dependency brought. */
export function bin(name: string): string {
  return join(root, "node_modules", ".bin", name);
}

/** The command that runs a program of this repository, named without its ending, on this runtime. */
export function program(path: string, ...args: readonly string[]): readonly string[] {
  const file = runtime === "node" ? `dist/${path}.js` : `${path}.ts`;
  const flags = runtime === "deno" ? ["run", "--allow-all", "--no-check"] : [];
  return [process.execPath, ...flags, file, ...args];
}

function stop(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}
