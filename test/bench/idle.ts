import { setTimeout as sleep } from "node:timers/promises";
import { Outbox } from "../../mod.ts";
import { openPostgres, placed } from "./databases.ts";
import type { Figure } from "./figures.ts";

const consumers = 100;

/** What 100 consumers of one process ask the database while nothing happens. */
export async function idle(where: string, seconds: number): Promise<Figure> {
  const { store, queries, close } = await openPostgres();
  await store.publish("order:1", placed(1));
  const ended = new AbortController();
  let handled = 0;
  const running = Array.from({ length: consumers }, (_, index) => {
    const outbox = new Outbox(store, { name: `outbox-${index}`, publisher: () => void handled++ });
    return outbox.run({ signal: ended.signal });
  });
  while (handled < consumers) await sleep(100);
  await sleep(2000);
  const before = queries();
  await sleep(seconds * 1000);
  const figure = (queries() - before) / seconds;
  ended.abort();
  await Promise.all(running);
  await close();
  return {
    subject: "idle",
    title: `queries of ${consumers} consumers in one process while nothing happens`,
    where,
    unit: "queries/s",
    lower: true,
    rounds: 1,
    at: new Date().toISOString(),
    sides: [{ name: "event-sourcery", median: figure, low: figure, high: figure, ratio: 1 }],
  };
}
