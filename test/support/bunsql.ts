import { drizzle } from "drizzle-orm/bun-sql";
import type { Client, PostgresDb } from "./handles.ts";

/** Connects by Bun's own client; `bun.test.ts` checks this file with Bun's types. */
export function connectBunSql(url: string): Client<PostgresDb> {
  const db = drizzle({ connection: { url, max: 10 } });
  return { db, close: () => db.$client.close() };
}
