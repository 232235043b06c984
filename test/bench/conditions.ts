import { memory } from "../../drivers/memory/mod.ts";
import { EventStore, type EventWriter } from "../../mod.ts";
import {
  connectPostgres,
  openLibsql,
  openPostgres,
  Placed,
  placed,
  Returned,
} from "./databases.ts";
import type { Figure } from "./figures.ts";
import { fillLibsql, fillPostgres } from "./fill.ts";
import { takeTurns } from "./turns.ts";

type Store = EventWriter<Placed>;

/** Two stores, and what closes them. */
interface Opened {
  readonly small: Store;
  readonly large: Store;
  readonly close: () => Promise<unknown>;
}

const few = 10_000;

/**
 * Appends under a condition, in a log of 10,000 events and in a long one, beside the same appends without one. A
 * condition asks for two tags and two types, after the position of the caller's last append, as if it had just queried.
 */
export async function conditions(events: number, where: string, rounds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (
    const [place, open] of [
      [where, onPostgres],
      ["libSQL, a file", onLibsql],
      ["memory", inMemory],
    ] as const
  ) {
    const { small, large, close } = await open(events);
    for (const callers of [1, 8]) {
      figures.push(await measure(events, callers, place, rounds, small, large));
    }
    await close();
  }
  return figures;
}

async function onPostgres(events: number): Promise<Opened> {
  const { url, client, store, close } = await openPostgres();
  const large = await connectPostgres(url, { schema: "large" });
  await fillPostgres(client, "event_sourcery", few);
  await fillPostgres(large.client, "large", events);
  return {
    small: store,
    large: large.store,
    async close() {
      await large.close();
      await close();
    },
  };
}

async function onLibsql(events: number): Promise<Opened> {
  const [small, large] = [await openLibsql(), await openLibsql()];
  await fillLibsql(small.client, few);
  await fillLibsql(large.client, events);
  return {
    small: small.store,
    large: large.store,
    async close() {
      await small.close();
      await large.close();
    },
  };
}

async function inMemory(events: number): Promise<Opened> {
  const [small, large] = [await filledMemory(few), await filledMemory(events)];
  return { small, large, close: async () => {} };
}

async function filledMemory(events: number): Promise<Store> {
  const store = new EventStore(memory(), { events: [Placed, Returned] });
  for (let stream = 0; stream < events / 10; stream++) {
    const tags = [`order:${Math.floor(stream / 10)}`, `region:${stream % 2}`];
    const filling = Array.from({ length: 10 }, (_, index) => placed(index, tags));
    await store.append(`order:s${stream}`, filling);
  }
  return store;
}

async function measure(
  events: number,
  callers: number,
  where: string,
  rounds: number,
  small: Store,
  large: Store,
): Promise<Figure> {
  const name = (count: number) => `${count.toLocaleString("en")} events`;
  /** Returns what appends, in streams and with tags of its own. */
  const appending = async (store: Store, checked: boolean) => {
    const own = Array.from({ length: callers }, (_, caller) => {
      const customer = `${callers}-${caller}-${checked}`;
      return { stream: `order:${customer}`, tags: [`customer:${customer}`, "region:0"], last: 0 };
    });
    for (const one of own) {
      const before = Array.from({ length: 100 }, (_, index) => placed(index, one.tags));
      one.last = (await store.append(one.stream, before)).position;
    }
    return async (caller: number) => {
      const { stream, tags, last } = own[caller]!;
      const query = { types: ["Placed", "Returned"], tags };
      const condition = checked ? { query, after: last } : undefined;
      own[caller]!.last = (await store.append(stream, placed(1, tags), { condition })).position;
    };
  };
  const times = where === "memory" ? 400 : callers === 1 ? 40 : 160;
  return await takeTurns(
    {
      subject: `conditions-${callers}`,
      title: `append under a condition among ${name(events)}, ${
        callers === 1 ? "one caller" : `${callers} callers`
      }`,
      ...{ where, rounds },
    },
    [
      { name: name(events), times, callers, work: await appending(large, true) },
      { name: "without a condition", times, callers, work: await appending(large, false) },
      { name: name(few), times, callers, work: await appending(small, true) },
      // Says how much of the difference is not the condition's.
      {
        name: `${name(few)}, without a condition`,
        ...{ times, callers, work: await appending(small, false) },
      },
    ],
  );
}
