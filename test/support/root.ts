import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's top folder, also when this file runs compiled from `dist/`. */
export const root: string = find(dirname(fileURLToPath(import.meta.url)));

/** The runtime that runs this process. */
export const runtime: "node" | "deno" | "bun" = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

function find(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : find(dirname(folder));
}
