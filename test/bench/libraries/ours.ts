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
export async function open({ kind, url }: Place): Promise<Library> {
  switch (kind) {
    case "memory": {
      const { memory } = await import("../../../drivers/memory/mod.ts");
      return libraryOn(memory(), () => Promise.resolve(), memory);
    }
    case "file":
    case "sqld":
      return await onLibsql(url);
    default:
      return await onPostgres(url);
  }
}

async function onLibsql(url: string): Promise<Library> {
  const [{ createClient }, { drizzle }, { libsql }] = await Promise.all([
    import("@libsql/client"),
    import("drizzle-orm/libsql"),
    import("../../../drivers/libsql/mod.ts"),
  ]);
  const client = createClient({ url });
  return libraryOn(libsql(drizzle(client)), () => Promise.resolve(client.close()));
}

async function onPostgres(url: string): Promise<Library> {
  const [{ default: connect }, { sql }, { drizzle }, { postgres }] = await Promise.all([
    import("postgres"),
    import("drizzle-orm"),
    import("drizzle-orm/postgres-js"),
    import("../../../drivers/postgres/mod.ts"),
  ]);
  const client = connect(url, { max: 10, onnotice: () => {} });
  const driver = postgres(drizzle(client));
  return {
    ...libraryOn(driver, () => client.end({ timeout: 1 })),
    async rebuild() {
      await client`create table if not exists totals (stream text primary key, total int)`;
      const totals = new Projection(new EventStore(driver, { events: [Placed] }), {
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
      await totals.rebuild();
      const [row] = await client<{ sum: number }[]>`select sum(total)::int as sum from totals`;
      return row!.sum;
    },
  };
}

function libraryOn<Db>(
  driver: Driver<Db>,
  close: () => Promise<unknown>,
  /** Where events that were made before go; in memory, an empty one each time. */
  target: () => Driver<Db> = () => driver,
): Library {
  let store = new EventStore(driver, { events: [Placed] });
  const orders = new Repository(store, Orders);
  return {
    migrate: () => driver.migrate(),
    append: (stream, from, count) =>
      store.append(
        stream,
        Array.from({ length: count }, (_, index) => Placed(order(from + index))),
      ),
    made(counts) {
      store = new EventStore(target(), { events: [Placed] });
      const events = counts.map((count) => Placed(order(count)));
      return (stream, index) => store.append(stream, events[index]!);
    },
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
      const handler = ({ streamId, data }: Placed & { readonly streamId: string }) =>
        handle(streamId, data);
      await new Subscription(store, { name, lanes: workers, handler }).runOnce();
    },
    async follow(handle, signal) {
      const handler = ({ streamId, data }: Placed & { readonly streamId: string }) =>
        handle(streamId, data);
      await new Subscription(store, { name: "follower", handler }).run({ signal });
    },
    send: (stream, data) => store.append(stream, Placed(data)),
    close,
  };
}
