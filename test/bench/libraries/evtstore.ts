import type postgresJs from "postgres";
import { createRequire } from "node:module";
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
export function open({ kind, url }: Place): Promise<Library> {
  const { provider, migrate, close } = kind === "memory" ? inMemory() : onPostgres(url);
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
  return Promise.resolve({
    migrate,
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
  });
}

function inMemory() {
  const nothing = () => Promise.resolve();
  return { provider: load("memory").createProvider(), migrate: nothing, close: nothing };
}

function onPostgres(url: string) {
  const { createProvider, migrate } = load("postgres");
  const connect: typeof postgresJs = createRequire(import.meta.url)("postgres");
  const sql = connect(url, { max: 10, onnotice: () => {} });
  const tables = { events: "events", bookmarks: "bookmarks", sql };
  return {
    provider: createProvider(tables),
    migrate: () => migrate(tables),
    close: () => sql.end({ timeout: 1 }),
  };
}
