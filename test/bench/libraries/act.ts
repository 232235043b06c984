import { PostgresStore } from "@rotorsoft/act-pg";
import { type Library, type Order, order, type Place } from "../library.ts";

type Events = { Placed: Order };
const meta = { correlation: "bench", causation: {} };

/** The Postgres store of Act. */
export function open({ url }: Place): Promise<Library> {
  const { hostname: host, port, username: user, password, pathname } = new URL(url);
  const database = pathname.slice(1);
  const store = new PostgresStore({ host, port: Number(port || 5432), user, password, database });
  const placed = (count: number) => ({ name: "Placed" as const, data: order(count) });
  const load = async (stream: string) => {
    const found: Order[] = [];
    await store.query<Events>(({ data }) => void found.push(data as Order), { stream });
    return found;
  };
  return Promise.resolve({
    migrate: () => store.seed(),
    append: (stream, from, count) =>
      store.commit<Events>(stream, Array.from({ length: count }, (_, n) => placed(from + n)), meta),
    load,
    async command(stream) {
      while (true) {
        const { length } = await load(stream);
        try {
          return await store.commit<Events>(stream, [placed(length)], meta, length - 1);
        } catch (error) {
          // A conflict that the database finds comes through as its own error.
          if (!/concurrency|duplicate/i.test(`${(error as Error).name} ${error}`)) throw error;
        }
      }
    },
    close: () => store.dispose(),
  });
}
