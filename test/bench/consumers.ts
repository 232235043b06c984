import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Outbox } from "../../mod.ts";
import { openPostgres, placed } from "./databases.ts";
import type { Order } from "./drainer.ts";
import { compare, linesOf, perSecond, print, times } from "./measure.ts";
import { emmett, graphile, type Peer, pgBoss } from "./peers.ts";

/** Enough for what a pass costs besides: eight lanes are claimed and released one after the other. */
const size = 100_000;
const rounds = 9;

/** Lanes, beside one worker; then one worker with an empty handler, beside what others do with as many events. */
export async function consumers(): Promise<void> {
  const { url, store, close } = await openPostgres();
  for (let stream = 0; stream < size / 100; stream++) {
    await store.publish(`order:${stream}`, Array.from({ length: 100 }, (_, n) => placed(n)));
  }
  const child = fork(fileURLToPath(new URL("./drainer.js", import.meta.url)), [url]);
  const answer = async () => Number((await once(child, "message"))[0]);
  await answer();
  let name = 0;
  /** Catches up with so many events, the last of the log: alone, or together with a worker in another process. */
  const drain = async (count: number, lanes: number, together: boolean) => {
    const order: Order = { name: `outbox-${++name}`, lanes };
    const from = { after: size - count }; // positions have no holes here
    const outbox = new Outbox(store, { ...order, from, publisher: () => {} });
    const start = performance.now();
    let handled = 0;
    while (handled < count) {
      const other = together ? answer() : 0;
      if (together) child.send(order);
      const { handled: own } = await outbox.runOnce();
      handled += own + await other;
    }
    return count / (performance.now() - start) * 1000;
  };
  // Before the others fill the server with what it then has to clean up.
  const [one, two] = await compare([
    { name: "one worker", round: () => drain(size, 1, false) },
    { name: "two workers, 8 lanes", round: () => drain(size, 8, true) },
  ], rounds);
  print("consumers, in order per stream (Postgres)", [
    { what: one!.name, figure: perSecond(one!.rate), budget: "≥ 50,000/s" },
    {
      what: two!.name,
      figure: perSecond(two!.rate),
      ratio: times(1 / two!.ratio),
      budget: "≥ 1.00 ×",
    },
  ]);
  const peers: [string, number, string, Peer][] = [
    ["Emmett's consumer", 1000, "≥ 25 ×", await emmett(url)],
    ["graphile-worker, 24 concurrent jobs", 3000, "≥ 10 ×", await graphile(url, false)],
    ["graphile-worker, batched", 10_000, "", await graphile(url, true)],
    ["pg-boss, batched", 10_000, "≥ 1.5 ×", await pgBoss(url)],
  ];
  child.kill();
  for (const [name, count, budget, peer] of peers) {
    const sides = [
      { name: `one worker, ${count} events`, round: () => drain(count, 1, false) },
      { name, round: () => peer.drain(count) },
    ];
    const measured = await compare(sides, rounds);
    print("consumers, caught up with as many (Postgres)", linesOf(measured, { [name]: budget }));
    await peer.close();
  }
  await close();
}
