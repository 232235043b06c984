// A shop whose log, consumers and parked streams the command line is tested and shown at.
import {
  type Consumer,
  defineEvent,
  type Driver,
  type EventOf,
  EventStore,
  type Metadata,
  PermanentError,
  Projection,
  Subscription,
} from "event-sourcery";
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { type Config, defineConfig } from "event-sourcery/cli";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { createDatabase } from "./postgres.ts";
import { aesKeyWrapper, subjectKeys } from "event-sourcery/privacy";

const OrderPlaced = defineEvent<{ customer: string; email: string }>()("OrderPlaced", {
  sensitive: { subject: ({ customer }) => customer, fields: { email: "(forgotten)" } },
});
const LineAdded = defineEvent<{ sku: string; cents: number }>()("LineAdded");
const OrderSubmitted = defineEvent("OrderSubmitted");
const PaymentRequested = defineEvent<{ cents: number; due: Date }>()("PaymentRequested", {
  tags: ({ cents }) => [cents > 1000 ? "large" : "small"],
});
const types = [OrderPlaced, LineAdded, OrderSubmitted, PaymentRequested] as const;
type ShopEvent = EventOf<(typeof types)[number]>;

/** How the state of an order is made. */
const aggregates: Readonly<Record<string, (events: readonly ShopEvent[]) => unknown>> = {
  order: (events) =>
    events.reduce((state, { type, data }) => {
      if (type === "OrderPlaced") return { ...state, ...data };
      return type === "LineAdded" ? { ...state, cents: state.cents + data.cents } : state;
    }, { cents: 0 }),
};

/** The store of the shop; its ids and times are the same in every run. */
export async function shopStore<Db>(driver: Driver<Db>): Promise<EventStore<ShopEvent, Db>> {
  const bytes = new Uint8Array(32);
  const key = await crypto.subtle.importKey("raw", bytes, "AES-KW", false, [
    "wrapKey",
    "unwrapKey",
  ]);
  let [ids, time] = [0, Date.UTC(2026, 10, 25, 9)];
  return new EventStore(driver, {
    events: types,
    keys: subjectKeys({ wrappers: [aesKeyWrapper("test", key)] }),
    clock: () => new Date(time += 1500),
    generateId: () => `event-${++ids}`,
  });
}

/** What the projection `orders` does. */
export interface ReadModel {
  readonly reset: () => unknown;
  readonly handle: (event: { readonly position: number }) => unknown;
}

/** The consumers of the shop: `mails` fails for some orders. */
function shopConsumers<Db>(
  store: EventStore<ShopEvent, Db>,
  { reset, handle }: ReadModel = { reset() {}, handle() {} },
): readonly Consumer[] {
  return [
    new Projection(store, {
      name: "orders",
      batchSize: 2,
      handlers: { OrderPlaced: handle, LineAdded: handle },
      reset,
    }),
    new Subscription(store, {
      name: "mails",
      types: ["OrderSubmitted"],
      handler: ({ streamId }) => {
        if (streamId !== "order:3") throw new PermanentError("The mail server refuses the address");
      },
    }),
  ];
}

/** Fills an empty database with a short history: three orders, a payment that follows from one, and two parked streams. */
export async function seedShop<Db>(driver: Driver<Db>): Promise<void> {
  await driver.migrate();
  const store = await shopStore(driver);
  const customers = ["ada", "grace", "alan"];
  for (const [index, customer] of customers.entries()) {
    const id = `order:${index + 1}`;
    const email = `${customer}@example.com`;
    await store.append(id, OrderPlaced({ customer, email }));
    await store.append(id, [
      LineAdded({ sku: "tea", cents: 450 }),
      LineAdded({ sku: "pot", cents: 2100 }),
    ]);
    await store.append(id, OrderSubmitted());
  }
  const [, , , submitted] = await store.load("order:1");
  const { id, metadata } = submitted!;
  const cause: Metadata = { correlationId: metadata.correlationId, causationId: id };
  const due = new Date("2026-12-09T00:00:00Z");
  await store.scope({ metadata: cause }).append(
    "payment:1",
    PaymentRequested({ cents: 2550, due }),
  );
  for (const consumer of shopConsumers(store)) await consumer.runOnce();
  await store.append("order:4", OrderPlaced({ customer: "kurt", email: "kurt@example.com" }));
}

/** Seeds a new file. */
export async function shopFile(): Promise<{ readonly url: string; drop(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-shop-"));
  const url = `file:${join(folder, "shop.db")}`;
  const client = createClient({ url });
  await seedShop(libsql(drizzle(client)));
  client.close();
  return { url, drop: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Seeds a new database of Postgres. */
export async function shopPostgres(): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const database = await createDatabase();
  const pool = new Pool({ connectionString: database.url });
  await seedShop(postgres(drizzlePg(pool)));
  await pool.end();
  return database;
}

/** The configuration of the shop, for the command line. */
export function shopConfig(url: string, model?: ReadModel): () => Promise<Config<ShopEvent>> {
  return defineConfig(async () => {
    const client = createClient({ url });
    const store: EventStore<ShopEvent> = await shopStore<unknown>(libsql(drizzle(client)));
    const consumers = shopConsumers(store, model);
    return { store, consumers, aggregates, close: () => client.close() };
  });
}
