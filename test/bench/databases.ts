import process from "node:process";
import { type Client, createClient } from "@libsql/client";
import { drizzle as drizzleLibsql } from "drizzle-orm/libsql";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgresJs from "postgres";
import { libsql } from "../../drivers/libsql/mod.ts";
import { postgres, type PostgresOptions } from "../../drivers/postgres/mod.ts";
import { defineEvent, type EventOf, EventStore } from "../../mod.ts";
import { createDatabase } from "../support/postgres.ts";

/** The event that is stored everywhere. */
export const Placed = defineEvent<
  { readonly sku: string; readonly count: number; readonly price: number; readonly note: string }
>()("Placed");
export type Placed = EventOf<typeof Placed>;

/** Makes one. */
export function placed(index: number): Placed {
  return Placed({
    sku: `sku-${index}`,
    count: index % 10,
    price: 19.99,
    note: "by the front door",
  });
}

/** An event that says when it was sent, in milliseconds since 1970. */
export const Sent = defineEvent<{ readonly at: number }>()("Sent");

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
  const store = new EventStore(driver, { events: [Placed, Sent] });
  return { client, store, queries: () => asked, close: () => client.end({ timeout: 1 }) };
}

/** Opens an empty database: on the server at `POSTGRES_URL`, or on one that ends with this process. */
export async function openPostgres() {
  const { url, drop } = await createDatabase(process.env["POSTGRES_URL"] ? "given" : "embedded");
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
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-bench-"));
  const client: Client = createClient({ url: `file:${join(folder, "events.db")}` });
  const driver = libsql(drizzleLibsql(client));
  await driver.migrate();
  const store = new EventStore(driver, { events: [Placed, Sent] });
  return {
    client,
    store,
    async close() {
      client.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
