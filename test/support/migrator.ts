// Calls migrate() through five clients at the same time. Arguments: the engine and the URL of the database.
import { createClient } from "@libsql/client";
import { drizzle as drizzleLibsql } from "drizzle-orm/libsql";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import process from "node:process";
import client from "postgres";

const [engine, url] = process.argv.slice(2);

await Promise.all(Array.from({ length: 5 }, async () => {
  if (engine === "postgres") {
    const pool = client(url!, { max: 1, onnotice: () => {} });
    await postgres(drizzlePostgres(pool)).migrate();
    await pool.end();
  } else {
    const file = createClient({ url: url! });
    await libsql(drizzleLibsql(file)).migrate();
    file.close();
  }
}));
