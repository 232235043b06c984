// The store of the shop and its read model, in a libSQL file or on Postgres.
import { createClient } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import { drizzle as embedded } from "drizzle-orm/libsql";
import { drizzle as server } from "drizzle-orm/postgres-js";
import { EventStore, Projection } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import connect from "postgres";
import { type OrderEvent, orderEvents } from "./order.ts";

/** A list of orders that follows the events. */
export interface Overview {
  /** Returns its rows. */
  readonly rows: () => Promise<readonly object[]>;
  /** Waits until it includes the event at a position; false after so many milliseconds. */
  readonly shows: (position: number, wait: number) => Promise<boolean>;
  /** Keeps it up to date until the signal aborts. */
  readonly run: (options: { readonly signal: AbortSignal }) => Promise<void>;
}

/** An open database. */
export interface Database {
  readonly store: EventStore<OrderEvent>;
  readonly overview: Overview;
  readonly close: () => Promise<void>;
}

/** Opens `file:…` or `postgres://…`, and makes the tables if they are not there. */
export async function open(url: string): Promise<Database> {
  if (url.startsWith("file:")) {
    const client = createClient({ url });
    const db = embedded(client);
    const driver = libsql(db);
    await driver.migrate();
    await db.run(createTable);
    const store = new EventStore(driver, { events: orderEvents });
    const overview = overviewOf(store, (tx, change) => tx.run(change), () => db.all(selectRows));
    return { store, overview, close: async () => client.close() };
  }
  const client = connect(url, { onnotice: () => {} });
  const db = server(client);
  const driver = postgres(db);
  await driver.migrate();
  await db.execute(createTable);
  const store = new EventStore(driver, { events: orderEvents });
  const overview = overviewOf(store, (tx, change) => tx.execute(change), async () => [
    ...await db.execute(selectRows),
  ]);
  return { store, overview, close: () => client.end() };
}

const createTable = sql`create table if not exists orders
  (id text primary key, cents integer not null, submitted integer not null default 0)`;
const selectRows = sql`select id, cents, submitted from orders order by id`;

function overviewOf<Db>(
  store: EventStore<OrderEvent, Db>,
  change: (tx: Db, statement: SQL) => Promise<unknown>,
  rows: () => Promise<readonly object[]>,
): Overview {
  const projection = new Projection(store, {
    name: "overview",
    handlers: {
      async LineAdded({ streamId, data: { quantity, cents } }, { db }) {
        await change(
          db,
          sql`insert into orders (id, cents) values (${streamId}, ${quantity * cents})
            on conflict (id) do update set cents = orders.cents + excluded.cents`,
        );
      },
      async OrderSubmitted({ streamId }, { db }) {
        await change(db, sql`update orders set submitted = 1 where id = ${streamId}`);
      },
    },
    reset: ({ db }) => change(db, sql`delete from orders`),
  });
  return {
    rows,
    run: (options) => projection.run(options),
    async shows(position, wait) {
      const signal = AbortSignal.timeout(wait);
      return await projection.waitFor(position, { signal }).then(() => true, () => false);
    },
  };
}
