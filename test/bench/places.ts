import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Client } from "pg";
import { createDatabase, dropDatabases, postgresUrl } from "../support/postgres.ts";
import { startSqld } from "../support/sqld.ts";
import type { Kind, Place } from "./library.ts";

/** The names of the databases of all runs begin so; the id of the process follows. */
const prefix = "bench";

process.env["TEST_RUN"] = `${prefix}${process.pid}`;

/** An empty database, and how to remove it. */
export interface Made {
  readonly place: Place;
  readonly drop: () => Promise<void>;
}

/** Makes an empty database. */
export async function make(kind: Kind): Promise<Made> {
  switch (kind) {
    case "given":
    case "embedded": {
      const { url, drop } = await createDatabase(kind);
      return { place: { kind, url }, drop };
    }
    case "sqld": {
      const { url, stop } = await startSqld();
      return { place: { kind, url }, drop: stop };
    }
    case "file": {
      const folder = mkdtempSync(join(tmpdir(), "event-sourcery-bench-"));
      const url = `file:${join(folder, "events.db")}`;
      return {
        place: { kind, url },
        drop: async () => rmSync(folder, { recursive: true, force: true }),
      };
    }
    default:
      return { place: { kind, url: "" }, drop: async () => {} };
  }
}

/** The databases that this machine can measure on: a Postgres of the caller's only where `POSTGRES_URL` names one. */
export const kinds: readonly Kind[] = process.env["POSTGRES_URL"]
  ? ["given", "embedded", "file", "sqld", "memory"]
  : ["embedded", "file", "sqld", "memory"];

/** Says what a database is, such as `Postgres 15.20, fsync on`. */
export async function describe(kind: Kind): Promise<string> {
  if (kind !== "given" && kind !== "embedded") {
    return { file: "libSQL, a file", sqld: "libSQL server", memory: "memory" }[kind];
  }
  return await onServer(kind, async (client) => {
    const { rows } = await client.query<{ version: string; fsync: string }>(
      "select split_part(current_setting('server_version'), ' ', 1) as version, current_setting('fsync') as fsync",
    );
    return `Postgres ${rows[0]!.version}, fsync ${rows[0]!.fsync}`;
  });
}

/** Drops what this run made on a server that outlives it, and what earlier ones left that were killed. */
export async function dropAll(): Promise<void> {
  const url = process.env["POSTGRES_URL"];
  if (!url) return;
  const found = await onServer("given", async (client) =>
    (await client.query<{ datname: string }>(
      "select datname from pg_database where starts_with(datname, $1)",
      [`event_sourcery_${prefix}`],
    )).rows.map(({ datname }) => Number(/^event_sourcery_bench(\d+)_/.exec(datname)?.[1])));
  for (const id of new Set(found)) {
    if (id === process.pid || !alive(id)) await dropDatabases(url, `${prefix}${id}`);
  }
}

function alive(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}

async function onServer<R>(
  kind: "given" | "embedded",
  work: (client: Client) => Promise<R>,
): Promise<R> {
  const client = new Client({ connectionString: await postgresUrl(kind) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
