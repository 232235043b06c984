// A worker of the fulfilment example as a process of its own, until it is killed or its input ends.
import process from "node:process";
import { EventStore, Scheduler } from "event-sourcery";
import { events, fulfilment } from "../../examples/fulfilment/fulfilment.ts";
import { open } from "./relay.ts";

/** How long the orders of the test wait: not much longer than a worker lives. */
const patience = { remind: 150, cancel: 400 };

if (process.argv[2] !== undefined) {
  const { driver, close } = open(process.argv[2] as "postgres" | "libsql", process.argv[3]!);
  const store = new EventStore(driver, { events });
  const stop = new AbortController();
  process.stdin.on("end", () => stop.abort()).resume();
  const options = { signal: stop.signal, pollInterval: 50, onError: () => {} };
  await Promise.all([
    fulfilment(store, patience, 300).run(options),
    new Scheduler(store, { retry: { minDelay: 10, maxDelay: 50 } }).run(options),
  ]);
  await close();
}
