import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Outbox } from "../../mod.ts";
import { connectPostgres, openPostgres } from "./databases.ts";
import { print, quantile } from "./measure.ts";

const count = 200;

/** From the publishing process's clock to the handler in this one, with notifications and without. */
export async function latency(): Promise<void> {
  const lines = [];
  for (const notify of [true, false]) {
    const delays = await measure(notify);
    const [p50, p99] = [quantile(delays, 0.5), quantile(delays, 0.99)];
    lines.push({
      what: notify ? "with notifications" : "without, looking every second",
      figure: `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
      budget: notify ? "p50 < 10 ms" : "",
    });
  }
  print("publish to handler, across two processes (Postgres)", lines);
}

async function measure(notify: boolean): Promise<number[]> {
  const { url, close } = await openPostgres();
  const { store, close: disconnect } = await connectPostgres(url, { notify });
  const delays: number[] = [];
  const ended = new AbortController();
  const outbox = new Outbox(store, {
    publisher(event) {
      if (event.type === "Sent") {
        delays.push(performance.timeOrigin + performance.now() - event.data.at);
      }
      if (delays.length === count) ended.abort();
    },
  });
  const running = outbox.run({ signal: ended.signal });
  const child = fork(fileURLToPath(new URL("./publisher.js", import.meta.url)), [
    url,
    String(count),
    String(notify),
  ]);
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`The publishing process ended with ${code}`);
  await running;
  await disconnect();
  await close();
  return delays;
}
