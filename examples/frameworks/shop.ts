// The parts of the process that a framework does not know: the database, the consumers, the health, and their end.
import { runAll } from "event-sourcery";
import { type Health, health, inspect } from "event-sourcery/inspect";
import process from "node:process";
import { open } from "./database.ts";
import { OrderService } from "./service.ts";

/** A shop that is open. */
export interface Shop {
  readonly orders: OrderService;
  readonly health: Health;
  readonly port: number;
  /** Stops the consumers, then closes the database. Only after the last request: requests use both. */
  readonly close: () => Promise<void>;
}

/** Opens the database, and starts the consumers. */
export async function openShop(): Promise<Shop> {
  const database = await open(process.env["DATABASE_URL"] ?? "file:orders.db");
  const stop = new AbortController();
  const consumers = runAll([database.overview], { signal: stop.signal });
  consumers.catch((error) => { // a consumer that can never run
    console.error(error);
    process.exit(1);
  });
  return {
    orders: new OrderService(database.store, database.overview),
    health: health(inspect(database.store)),
    port: Number(process.env["PORT"] ?? 3000),
    async close() {
      stop.abort();
      await consumers; // running handlers finish, and the checkpoints are written
      await database.close();
    },
  };
}

/** Resolves when the process is asked to end; a second signal ends it immediately. */
export function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => resolve());
  });
}
