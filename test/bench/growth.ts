import { connectPostgres, openLibsql, openPostgres, placed, type Store } from "./databases.ts";
import type { Figure } from "./figures.ts";
import { fillLibsql, fillPostgres } from "./fill.ts";
import { takeTurns } from "./turns.ts";

/** Appends, loads and asks for tags in a store of many events, beside one that holds only what is asked for. */
export async function growth(events: number, where: string, rounds: number): Promise<Figure[]> {
  return [...await onPostgres(events, where, rounds), ...await onLibsql(events, rounds)];
}

async function onPostgres(events: number, where: string, rounds: number): Promise<Figure[]> {
  const { url, store, close } = await openPostgres();
  const large = await connectPostgres(url, { schema: "large" });
  await fillPostgres(large.client, "large", events);
  const figures = await measure(events, where, rounds, store, large.store);
  await large.close();
  await close();
  return figures;
}

async function onLibsql(events: number, rounds: number): Promise<Figure[]> {
  const empty = await openLibsql();
  const large = await openLibsql();
  await fillLibsql(large.client, events);
  const figures = await measure(events, "libSQL, a file", rounds, empty.store, large.store);
  await large.close();
  await empty.close();
  return figures;
}

async function measure(
  events: number,
  where: string,
  rounds: number,
  empty: Store,
  large: Store,
): Promise<Figure[]> {
  let stream = 0;
  for (const store of [empty, large]) {
    await store.append("order:long", Array.from({ length: 100 }, (_, index) => placed(index)));
    await store.append(
      "order:tagged",
      Array.from({ length: 100 }, (_, index) => placed(index, ["customer:1", "region:1"])),
    );
  }
  const subjects = [
    {
      subject: "growth-append",
      title: "append",
      times: 100,
      work: (store: Store) =>
        store.append(`order:${++stream}`, placed(1, ["customer:2", "region:0"])),
    },
    {
      subject: "growth-load",
      title: "load of 100 events",
      times: 50,
      work: (store: Store) => store.load("order:long"),
    },
    {
      subject: "growth-tags",
      title: "query by two tags, 100 events of each half of the log",
      times: 20,
      async work(store: Store) {
        let found = 0;
        for await (const _ of store.readAll({ tags: ["customer:1", "region:1"] })) found++;
        if (found !== 100) throw new Error(`A query by tags found ${found} events, not 100`);
      },
    },
  ];
  const name = `${events.toLocaleString("en")} events`;
  const figures: Figure[] = [];
  for (const { subject, title, times, work } of subjects) {
    const what = { subject, title: `${title} among ${name}`, where, rounds };
    figures.push(
      await takeTurns(what, [
        { name, times, work: () => work(large) },
        { name: "empty", times, work: () => work(empty) },
      ]),
    );
  }
  return figures;
}
