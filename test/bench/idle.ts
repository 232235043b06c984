import { setTimeout as sleep } from "node:timers/promises";
import { Outbox } from "../../mod.ts";
import { openPostgres, placed } from "./databases.ts";
import { print } from "./measure.ts";

const consumers = 100;
const seconds = 10;

/** What 100 consumers of one process ask the database while nothing happens. */
export async function idle(): Promise<void> {
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
  print("idle (Postgres)", [{
    what: `queries of ${consumers} consumers in one process`,
    figure: `${figure.toFixed(1)}/s`,
    budget: "≤ 10/s",
  }]);
  await close();
}
