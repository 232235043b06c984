import process from "node:process";
import { type Client, createClient } from "@libsql/client";
import { drizzle as drizzleLibsql } from "drizzle-orm/libsql";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import postgresJs from "postgres";
import { libsql } from "../../drivers/libsql/mod.ts";
import { postgres, type PostgresOptions } from "../../drivers/postgres/mod.ts";
import { defineEvent, type EventOf, EventStore } from "../../mod.ts";
import { make } from "./places.ts";
import { type Order, order } from "./library.ts";

/** The event that is stored everywhere. */
export const Placed = defineEvent<Order>()("Placed");
export type Placed = EventOf<typeof Placed>;

/** One that is only asked for. */
export const Returned = defineEvent<Order>()("Returned");

/** A store of both. */
export type Store = EventStore<Placed | EventOf<typeof Returned>>;

/** Makes one. */
export function placed(index: number, tags: readonly string[] = []): Placed {
  return Placed(order(index % 10), { tags });
}

/** Opens another client on a database of ours; `queries` counts what it has asked, notifications apart. */
export async function connectPostgres(url: string, options: PostgresOptions = {}) {
  let asked = 0;
  const client = postgresJs(url, {
    max: 10,
    onnotice: () => {},
    debug: (_, query) => void (query.startsWith("notify") || asked++),
  });
  const driver = postgres(drizzlePostgres(client), options);
  await driver.migrate();
  const store = new EventStore(driver, { events: [Placed, Returned] });
  return { client, store, queries: () => asked, close: () => client.end({ timeout: 1 }) };
}

/** Opens an empty database: on the server at `POSTGRES_URL`, or on one that ends with this process. */
export async function openPostgres() {
  const { place: { url }, drop } = await make(process.env["POSTGRES_URL"] ? "given" : "embedded");
  const { client, store, queries, close } = await connectPostgres(url);
  return {
    url,
    client,
    store,
    queries,
    async close() {
      await close();
      await drop();
    },
  };
}

/** Opens an empty database in a file. */
export async function openLibsql() {
  const { place: { url }, drop } = await make("file");
  const client: Client = createClient({ url });
  const driver = libsql(drizzleLibsql(client));
  await driver.migrate();
  const store = new EventStore(driver, { events: [Placed, Returned] });
  return {
    client,
    store,
    async close() {
      client.close();
      await drop();
    },
  };
}
