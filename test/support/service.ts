import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";

/** A program that runs until it is told to end. */
export interface Service {
  /** Waits until it has printed a line. */
  prints(line: string): Promise<void>;
  /** Sends it SIGTERM, and returns its exit code. */
  end(): Promise<number | null>;
  /** Ends it by force if it still runs. */
  remove(): Promise<void>;
}

/** Starts a program. */
export function startService(
  [program, ...args]: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Record<string, string> },
): Service {
  const child = spawn(program!, args, {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  let output = "";
  let look = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      look();
    });
  }
  return {
    async prints(line) {
      const printed = new Promise<void>((resolve) => {
        look = () => output.split("\n").includes(line) && resolve();
        look();
      });
      const early = ended.then(() => Promise.reject(new Error(`It has ended: ${output}`)));
      await Promise.race([printed, early]);
    },
    async end() {
      process.kill(child.pid!, "SIGTERM"); // after child.kill() Deno knows no exit code
      const [code] = await ended;
      if (code !== 0) console.error(output);
      return code;
    },
    async remove() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
