import { createClient } from "@libsql/client";
import { sql } from "drizzle-orm";
import { drizzle as drizzleLibsql } from "drizzle-orm/libsql";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import postgresJs from "postgres";
import { libsql } from "../../../drivers/libsql/mod.ts";
import { memory } from "../../../drivers/memory/mod.ts";
import { postgres } from "../../../drivers/postgres/mod.ts";
import {
  Aggregate,
  defineEvent,
  type Driver,
  type EventOf,
  EventStore,
  isEventSourceryError,
  Projection,
  Repository,
  Subscription,
} from "../../../mod.ts";
import { type Library, type Order, order, type Place } from "../library.ts";

const Placed = defineEvent<Order>()("Placed");
type Placed = EventOf<typeof Placed>;

class Orders extends Aggregate<Placed> {
  static readonly category = "order";
  #count = 0;

  protected apply(): void {
    this.#count++;
  }

  place(): void {
    this.emit(Placed(order(this.#count)));
  }
}

/** This library. */
export async function open(place: Place): Promise<Library> {
  switch (place.kind) {
    case "memory":
      return libraryOn(memory(), undefined, () => Promise.resolve());
    case "file":
    case "sqld": {
      const client = createClient({ url: place.url });
      const driver = libsql(drizzleLibsql(client));
      await driver.migrate();
      return libraryOn(driver, undefined, () => Promise.resolve(client.close()));
    }
    default: {
      const client = postgresJs(place.url, { max: 10, onnotice: () => {} });
      const driver = postgres(drizzlePostgres(client));
      await driver.migrate();
      await client`create table if not exists totals (stream text primary key, total int)`;
      const store = new EventStore(driver, { events: [Placed] });
      const totals = new Projection(store, {
        name: "totals",
        handlers: {
          Placed: ({ streamId, data }, { db }) =>
            db.execute(
              sql`insert into totals values (${streamId}, ${data.count}) on conflict (stream)
              do update set total = totals.total + excluded.total`,
            ),
        },
        reset: ({ db }) => db.execute(sql`delete from totals`),
      });
      return libraryOn(driver, async () => {
        await totals.rebuild();
        const [row] = await client<{ sum: number }[]>`select sum(total)::int as sum from totals`;
        return row!.sum;
      }, () => client.end({ timeout: 1 }));
    }
  }
}

function libraryOn<Db>(
  driver: Driver<Db>,
  rebuild: (() => Promise<number>) | undefined,
  close: () => Promise<unknown>,
): Library {
  const store = new EventStore(driver, { events: [Placed] });
  const orders = new Repository(store, Orders);
  return {
    append: (stream, from, count) =>
      store.append(
        stream,
        Array.from({ length: count }, (_, index) => Placed(order(from + index))),
      ),
    load: async (stream) => (await store.load(stream)).map(({ data }) => data),
    async command(stream) {
      while (true) {
        try {
          return await orders.aggregate(stream.slice("order:".length), (found) => found.place());
        } catch (error) {
          if (!isEventSourceryError(error, "CONCURRENCY")) throw error;
        }
      }
    },
    async consume(handle, { name, workers }) {
      const lanes = workers === 1 ? 1 : 4 * workers;
      const handler = ({ streamId, data }: Placed & { readonly streamId: string }) =>
        handle(streamId, data);
      await new Subscription(store, { name, lanes, handler }).runOnce();
    },
    async follow(handle, signal) {
      const handler = ({ streamId, data }: Placed & { readonly streamId: string }) =>
        handle(streamId, data);
      await new Subscription(store, { name: "follower", handler }).run({ signal });
    },
    send: (stream, data) => store.append(stream, Placed(data)),
    ...(rebuild && { rebuild }),
    close,
  };
}
