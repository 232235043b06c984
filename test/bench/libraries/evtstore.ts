import { createRequire } from "node:module";
import postgresJs from "postgres";
import { type Library, type Order, order, type Place } from "../library.ts";

type Placed = Order & { readonly type: "Placed" };

/** What is used of it, in our words: it ships sources that our compiler settings refuse. */
interface Provider {
  createEvents(kind: string, id: string, version: number, events: readonly Placed[]): unknown[];
  append(kind: string, id: string, version: number, events: unknown[]): Promise<unknown>;
  getEventsFor(kind: string, id: string): Promise<{ readonly event: Placed }[]>;
}

interface Module {
  createProvider(options?: object): Provider;
  migrate(options: object): Promise<void>;
}

const load = (name: "memory" | "postgres"): Module =>
  createRequire(import.meta.url)(`evtstore/provider/${name}.js`);

/** evtstore, on postgres.js or in memory. */
export async function open({ kind, url }: Place): Promise<Library> {
  const { provider, close } = kind === "memory"
    ? { provider: load("memory").createProvider(), close: () => Promise.resolve() }
    : await onPostgres(url);
  const append = (stream: string, from: number, count: number) => {
    const events = Array.from(
      { length: count },
      (_, n): Placed => ({ type: "Placed", ...order(from + n) }),
    );
    return provider.append(
      "order",
      stream,
      from + 1,
      provider.createEvents("order", stream, from + 1, events),
    );
  };
  const read = async (stream: string) =>
    (await provider.getEventsFor("order", stream)).map(({ event }) => event);
  return {
    append,
    load: read,
    async command(stream) {
      while (true) {
        const { length } = await read(stream);
        try {
          return await append(stream, length, 1);
        } catch (error) {
          if (!/Version|duplicate/i.test(`${(error as Error).name} ${error}`)) throw error;
        }
      }
    },
    close,
  };
}

async function onPostgres(url: string) {
  const { createProvider, migrate } = load("postgres");
  const sql = postgresJs(url, { max: 10, onnotice: () => {} });
  const tables = { events: "events", bookmarks: "bookmarks", sql };
  const [made] = await sql`select to_regclass('bookmarks') as found`;
  if (made!["found"] === null) await migrate(tables);
  return { provider: createProvider(tables), close: () => sql.end({ timeout: 1 }) };
}
