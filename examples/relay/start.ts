import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/**
 * Starts a relay, on the runtime that runs this process.
 *
 * @param env Its environment variables.
 * @param report Receives each line that it prints, and a last one if it exits with an error.
 */
export function start(
  env: Readonly<Record<string, string>>,
  report: (line: string) => void,
): ChildProcess {
  const program = fileURLToPath(import.meta.url).replace(/start(\.[jt]s)$/, "relay$1");
  const flags = "Deno" in globalThis ? ["run", "--allow-all", "--no-check"] : [];
  const child = spawn(process.execPath, [...flags, program], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  createInterface(child.stderr!).on("line", report);
  return child.once("exit", (code) => code && report(`A relay ended with ${code}`));
}
