// The other process of `latency.ts`: publishes an event now and then, each with the time it was published at.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { connectPostgres, Sent } from "./databases.ts";

const [url, count, notify] = process.argv.slice(2);
const { store, close } = await connectPostgres(url!, { notify: notify === "true" });
for (let index = 0; index < Number(count); index++) {
  await sleep(15 + Math.random() * 30);
  await store.publish(
    `sent:${index % 10}`,
    Sent({ at: performance.timeOrigin + performance.now() }),
  );
}
await sleep(100); // the last ring is on its way
await close();
