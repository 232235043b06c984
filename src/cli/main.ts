import process from "node:process";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline/promises";
import type { Writer } from "./writer.ts";
import { exit } from "./exit.ts";
import { run } from "./run.ts";

/** Runs the command line of this process, and sets its exit code. */
export async function main(): Promise<void> {
  const { argv, env, stdin, stdout, stderr } = process;
  const interrupt = new AbortController();
  let restarted = false;
  const onSignal = () => {
    if (restarted) return; // the other process of the group got it, too, and ends
    if (interrupt.signal.aborted) process.exit(exit.interrupted); // the second time
    interrupt.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  // A reader that has seen enough, such as `head`, is no failure.
  stdout.on("error", (error: Error & { readonly code?: string }) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(exit.done);
  });
  const code = await run(argv.slice(2), {
    stdout: writerOf(stdout),
    stderr: writerOf(stderr),
    env,
    folder: process.cwd(),
    signal: interrupt.signal,
    ask: async (question) => {
      if (!stdin.isTTY) return undefined;
      const lines = createInterface({ input: stdin, output: stderr });
      lines.on("SIGINT", onSignal); // which it takes from the process
      try {
        return await lines.question(question, { signal: interrupt.signal });
      } finally {
        lines.close();
      }
    },
    input: () => createInterface({ input: stdin, signal: interrupt.signal }),
    restart: (loader) => {
      restarted = true;
      return restart(loader);
    },
  });
  if (code === exit.interrupted) process.exit(code); // what it waited for may never come
  process.exitCode = code;
}

/** Runs this process's command line again, with a loader for the configuration. */
async function restart(loader: string): Promise<number> {
  const { argv, execArgv, execPath } = process;
  const args = [...execArgv, "--import", loader, ...argv.slice(1)];
  const child = spawn(execPath, args, { stdio: "inherit" });
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? exit.interrupted));
  });
}

function writerOf(stream: NodeJS.WriteStream): Writer {
  return {
    write(text) {
      if (stream.write(text)) return;
      return new Promise((resolve) => stream.once("drain", resolve));
    },
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
  };
}
