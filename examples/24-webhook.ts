// A partner gets signed webhooks, in order; it asks for a pause, breaks, and still misses nothing.
import { defineEvent, EventStore, Outbox } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { decodeEvent, webhook } from "event-sourcery/publishers";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

const OrderPlaced = defineEvent<{ cents: bigint; due: Date }>()("OrderPlaced");
const OrderShipped = defineEvent("OrderShipped");
const events = [OrderPlaced, OrderShipped] as const;
const secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"; // both know it: from your configuration

// The partner: its server, in its own process in real life, maybe in another language.
const orders = new Map<string, bigint>();
const seen = new Map<string, string>();
let state: "busy" | "broken" | "fine" = "busy";

async function verify(request: IncomingMessage, body: string): Promise<void> {
  const { "webhook-id": id, "webhook-timestamp": timestamp } = request.headers;
  assert(Math.abs(Number(timestamp) - Date.now() / 1000) < 300, "recorded and sent again");
  const raw = Uint8Array.from(atob(secret.slice("whsec_".length)), (char) => char.charCodeAt(0));
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", raw, algorithm, false, ["verify"]);
  const [, base64] = String(request.headers["webhook-signature"]).split(",");
  const signature = Uint8Array.from(atob(base64!), (char) => char.charCodeAt(0));
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  assert(await crypto.subtle.verify("HMAC", key, signature, signed), "not from the shop");
}

const partner = createServer(async (request, response) => {
  const body = await text(request);
  await verify(request, body);
  if (state === "broken") return void response.writeHead(500).end();
  if (state === "busy") return void response.writeHead(429, { "retry-after": "1" }).end();
  const event = decodeEvent(events, { headers: request.headers, body });
  if (!seen.has(event.id)) { // any message may arrive twice
    if (OrderPlaced.is(event)) orders.set(event.streamId, event.data.cents);
    seen.set(event.id, event.type);
  }
  return void response.writeHead(204).end();
}).listen(0, "127.0.0.1");
await once(partner, "listening");
const { port } = partner.address() as AddressInfo;

// The shop.
const store = new EventStore(memory(), { events, publishes: true });
const publisher = webhook({
  ...{ events, source: "https://shop.example", secret },
  url: `http://127.0.0.1:${port}/hooks`, // this machine; anything else must be https
});
const outbox = new Outbox(store, { publisher, concurrency: 4, retry: { minDelay: 50 } });
const stop = new AbortController();
const reports: string[] = [];
const run = outbox.run({
  signal: stop.signal,
  onError: (error) => reports.push((error as Error).message.replace(/\S+ has/, "the partner has")),
});

const due = new Date("2026-12-24");
for (const number of [1, 2]) {
  await store.append(`order:${number}`, [OrderPlaced({ cents: 2n ** 64n, due }), OrderShipped()]);
}
const start = performance.now();
while (reports.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
assert.equal(reports[0], "Cannot handle the event yet: the partner has answered 429");
state = "broken";
while (seen.size === 0) {
  if (reports.some((report) => report.endsWith("answered 500"))) state = "fine";
  await new Promise((resolve) => setTimeout(resolve, 5));
}
assert(performance.now() - start > 950, "the partner has asked for a second");
while ((await outbox.parked()).length > 0 || seen.size < 4) {
  await new Promise((resolve) => setTimeout(resolve, 5));
}
stop.abort();
await run;
partner.close();
partner.closeAllConnections();

assert.deepEqual([...orders.keys()].sort(), ["order:1", "order:2"]);
assert([...orders.values()].every((cents) => cents === 2n ** 64n)); // more than a number holds
console.log(`${seen.size} webhooks, each signed, none missed`);
