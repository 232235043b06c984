import { PGlite } from "@electric-sql/pglite";
import { rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { scratch } from "./server.ts";

let own: Promise<Blob> | undefined;

/**
 * The files of an empty PGlite, for its option `loadDataDir`: initialising one takes seconds, loading a copy a fraction of
 * that. Read from where the runner has put them, made here where it has not.
 */
export function pgliteFiles(): Promise<Blob> {
  const file = process.env["PGLITE_FILES"];
  return own ??= file ? readFile(file).then((bytes) => new Blob([bytes])) : initialise();
}

/** Initialises one PGlite for all tests of a run; gives the file, which goes when this process ends. */
export async function preparePglite(): Promise<string> {
  const folder = scratch("pglite");
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "files.tar");
  writeFileSync(file, new Uint8Array(await (await initialise()).arrayBuffer()));
  return file;
}

async function initialise(): Promise<Blob> {
  const client = await PGlite.create();
  try {
    return await client.dumpDataDir("none");
  } finally {
    await client.close();
  }
}
