import { setTimeout as sleep } from "node:timers/promises";
import { Outbox, Subscription } from "../../mod.ts";
import { openPostgres, placed } from "./databases.ts";

const writers = 4;
const samples = 10;

/** How the tables grow in some minutes of load, with an outbox that fails now and then and a transactional consumer. */
export async function soak(minutes: number = 10): Promise<void> {
  const { client, store, close } = await openPostgres();
  const ended = new AbortController();
  const { signal } = ended;
  const outbox = new Outbox(store, {
    retry: { attempts: 5, minDelay: 10, maxDelay: 100 },
    publisher() {
      if (Math.random() < 0.001) throw new Error("The broker is busy");
    },
  });
  const subscription = new Subscription(store, {
    name: "transactional",
    transaction: true,
    handler: () => {},
  });
  const running = [outbox, subscription].map((one) => one.run({ signal, onError: () => {} }));
  const writing = Array.from({ length: writers }, async (_, writer) => {
    for (let index = 0; !signal.aborted; index++) {
      await store.publish(`order:${writer}-${index % 500}`, placed(index));
      await sleep(2);
    }
  });
  for (let sample = 1; sample <= samples; sample++) {
    await sleep(minutes * 60_000 / samples);
    const rows = await client<{ name: string; bytes: string }[]>`
      select relname as name, pg_total_relation_size(oid) as bytes from pg_class
      where relnamespace = 'event_sourcery'::regnamespace and relkind = 'r' order by relname`;
    const bytes = new Map(rows.map((row) => [row.name, Number(row.bytes)]));
    const events = await store.position();
    const [{ lag, retrying, parked }, { lag: behind }] = [
      await outbox.status(),
      await subscription.status(),
    ];
    const others = rows.filter(({ name }) => name !== "events")
      .map(({ name }) => `${name} ${Math.round(bytes.get(name)! / 1024)}`);
    console.log(
      `${(minutes / samples * sample).toFixed(1)} min: ${events} events of ` +
        `${Math.round(bytes.get("events")! / events)} bytes, others in kB: ${others.join(", ")}; ` +
        `lag ${lag} and ${behind}, waiting ${retrying + parked}`,
    );
  }
  ended.abort();
  await Promise.all([...running, ...writing]);
  await close();
}
