import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Driver } from "../../../mod.ts";
import { exit, Stop } from "../exit.ts";

/** A database that was opened by its URL. */
interface Connected {
  readonly driver: Driver;
  /** What it is, for people; without password. */
  readonly name: string;
  readonly close: () => Promise<void>;
}

/** Where the tables are. */
interface Place {
  readonly schema: string | undefined;
  readonly prefix: string | undefined;
  /** The token of a libSQL server. */
  readonly token: string | undefined;
  /** Whether a file that is not there is made. */
  readonly creates: boolean;
  /** The folder that relative paths begin at. */
  readonly folder: string;
}

/**
 * Opens a database by its URL. It connects with the first query.
 *
 * @throws {Stop} If the URL is of no database that is known, or the packages for it are not installed.
 */
export async function connect(url: string, place: Place): Promise<Connected> {
  const scheme = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case "postgres":
    case "postgresql":
      return await openPostgres(url, place);
    case "file":
      return await openLibsql(await fileUrl(url, place), place);
    case "libsql":
    case "http":
    case "https":
    case "ws":
    case "wss":
      return await openLibsql(url, place);
    default:
      throw new Stop(
        exit.usage,
        "The URL of the database must begin with postgres://, file:, libsql:// or http://",
      );
  }
}

async function openPostgres(url: string, { schema = "event_sourcery" }: Place): Promise<Connected> {
  const { postgres } = await load(
    "drizzle-orm",
    () => import("../../../drivers/postgres/mod.ts"),
  );
  const name = `postgres, schema ${schema}`;
  const viaPostgres = await found(() => import("drizzle-orm/postgres-js"));
  if (viaPostgres !== undefined) {
    const db = viaPostgres.drizzle({
      connection: { url, max: 4, fetch_types: false, onnotice() {}, connect_timeout: 10 },
    });
    return { driver: postgres(db, { schema }), name, close: () => db.$client.end({ timeout: 5 }) };
  }
  const { drizzle } = await load(
    "drizzle-orm, and postgres or pg",
    () => import("drizzle-orm/node-postgres"),
  );
  const db = drizzle({
    connection: { connectionString: url, max: 4, connectionTimeoutMillis: 10_000 },
  });
  db.$client.on("error", () => {}); // one that is lost while idle; the next query says so
  return { driver: postgres(db, { schema }), name, close: () => db.$client.end() };
}

async function openLibsql(url: string, { prefix = "es_", token }: Place): Promise<Connected> {
  const { libsql } = await load("drizzle-orm", () => import("../../../drivers/libsql/mod.ts"));
  const { drizzle } = await load(
    "drizzle-orm and @libsql/client",
    () => import("drizzle-orm/libsql"),
  );
  const db = drizzle({ connection: token === undefined ? { url } : { url, authToken: token } });
  return {
    driver: libsql(db, { prefix }),
    name: `libsql, tables ${prefix}*`,
    close: async () => db.$client.close(),
  };
}

/** Returns the absolute URL of a file. @throws {Stop} If it is not there, and the client would make an empty one. */
async function fileUrl(url: string, { folder, creates }: Place): Promise<string> {
  const [address, query] = url.split("?", 2);
  const path = address!.startsWith("file://")
    ? fileURLToPath(address!)
    : resolve(folder, decodeURIComponent(address!.slice("file:".length)));
  const there = await access(path).then(() => true, () => false);
  if (!there && !creates) {
    throw new Stop(exit.unreachable, `There is no file ${JSON.stringify(path)}`);
  }
  return `file:${path}${query === undefined ? "" : `?${query}`}`;
}

/** Loads what packages are needed for. @throws {Stop} If one is not installed. */
async function load<T>(packages: string, importing: () => Promise<T>): Promise<T> {
  const module = await found(importing);
  if (module !== undefined) return module;
  throw new Stop(
    exit.usage,
    `To open this database, ${packages} must be installed beside event-sourcery`,
  );
}

/** Imports a module; undefined if it, or one that it needs, is not installed. */
async function found<T>(importing: () => Promise<T>): Promise<T | undefined> {
  try {
    return await importing();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // Deno says it in words only.
    const missing = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND" ||
      (error instanceof TypeError &&
        /not a dependency|Could not find|Cannot find/.test(error.message));
    if (missing) return undefined;
    throw error;
  }
}
