// The relay: a separate process, as in a container, that sends published events to the broker. Run several of them.
import { Outbox } from "event-sourcery";
import process from "node:process";
import { open } from "./store.ts";

const { DATABASE_URL, DATABASE_SCHEMA, BROKER_URL, RELAY_NAME = "relay" } = process.env;
await using opened = await open(DATABASE_URL!, DATABASE_SCHEMA);
const { store } = opened;

const relay = new Outbox(store, {
  lanes: 8, // up to eight relays share the work
  lease: 1000, // milliseconds until others take over the lanes of a crashed relay
  async publisher(event, { signal }) {
    const headers = { "content-type": "application/json", "x-relay": RELAY_NAME };
    const body = JSON.stringify(event);
    const { status } = await fetch(BROKER_URL!, { method: "POST", headers, body, signal });
    if (status !== 204) throw new Error(`The broker answered ${status}`);
  },
});

// On SIGTERM it finishes its current work. Until then it keeps running: errors are reported, and the work is retried.
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
await relay.run({
  signal: stop.signal,
  pollInterval: 200,
  onError: (error) => console.error(`${RELAY_NAME}: ${error}`),
});
console.error(`${RELAY_NAME}: stopped`);
