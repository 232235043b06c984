// The web process publishes; two relays, each in its own process, share the work. One is killed; nothing is lost.
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/postgres-js";
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import connect from "postgres";
import { start } from "./relay/start.ts";
import { open, OrderPlaced, OrderShipped } from "./relay/store.ts";

// A configured Postgres server, or a file that the processes share.
const server = process.env["POSTGRES_URL"] || process.env["EMBEDDED_POSTGRES_URL"];
const folder = mkdtempSync(join(tmpdir(), "event-sourcery-relay-"));
const url = server || pathToFileURL(join(folder, "orders.db")).href;
const schema = `example_${crypto.randomUUID().slice(0, 8)}`;

// The broker: down at first. It records each message and its sender, and can kill a relay during a delivery.
const messages: { readonly id: string; readonly streamId: string; readonly version: number }[] = [];
const from = new Map<string, number>();
const news = new EventEmitter();
let [up, victim] = [false, ""];
const broker = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => body += text).on("end", () => {
    const relay = String(request.headers["x-relay"]);
    if (up) messages.push(JSON.parse(body));
    if (up) from.set(relay, (from.get(relay) ?? 0) + 1);
    if (relay === victim) relays[victim]!.kill("SIGKILL"); // it never learns that its message arrived
    else response.writeHead(up ? 204 : 503).end();
    news.emit("news");
  });
}).listen(0, "127.0.0.1");
await once(broker, "listening");

const relays: Record<string, ChildProcess> = {};
const reports: string[] = [];
function report(line: string): void {
  reports.push(line);
  news.emit("news");
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    assert(!reports.some((line) => line.startsWith("A relay ended")), reports.join("\n"));
    await once(news, "news");
  }
}

await using opened = await open(url, schema);
const { store } = opened;
const ids: string[] = [];
async function publish(streams: number): Promise<void> {
  for (let number = 0; number < streams; number++) {
    const events = [OrderPlaced({ number }), OrderShipped({ number })];
    ids.push(...events.map(({ id }) => id));
    await store.publish(`order:${number}`, events);
  }
}

try {
  // The broker is down: the relays report it and keep retrying.
  await publish(30);
  const { port } = broker.address() as AddressInfo;
  const env = {
    DATABASE_URL: url,
    DATABASE_SCHEMA: schema,
    BROKER_URL: `http://127.0.0.1:${port}`,
  };
  for (const name of ["one", "two"]) relays[name] = start({ ...env, RELAY_NAME: name }, report);
  for (const name of ["one", "two"]) {
    await until(() => reports.some((line) => line.startsWith(name)));
  }
  console.log("Reported:", reports[0]);
  up = true;
  await until(() => new Set(messages.map(({ id }) => id)).size === ids.length);

  // One is killed during a delivery. The other takes over.
  victim = "one";
  let killed = false;
  relays[victim]!.once("exit", () => killed = true);
  while (!killed) await publish(5);
  await publish(30);
  await until(() => new Set(messages.map(({ id }) => id)).size === ids.length);

  // Nothing is lost, few messages arrive twice, and each stream is in order.
  const seen = new Map<string, number>();
  const repeated = messages.filter(({ streamId, version }) => {
    const last = seen.get(streamId) ?? 0;
    assert(version <= last + 1, `${streamId} was overtaken`);
    seen.set(streamId, Math.max(last, version));
    return version <= last;
  });
  assert.equal(messages.length, ids.length + repeated.length);
  assert((from.get("one") ?? 0) > 0 && (from.get("two") ?? 0) > 0);
  console.log(Object.fromEntries(from), "and", repeated.length, "came again");

  // On SIGTERM, a relay finishes its work and exits with code 0.
  relays["two"]!.kill("SIGTERM");
  await until(() => reports.includes("two: stopped"));
  console.log(`${ids.length} events, two relays, one killed, none lost`);
} finally {
  for (const relay of Object.values(relays)) relay.kill("SIGKILL");
  broker.close();
  if (server) {
    const client = connect(server, { onnotice: () => {} });
    await drizzle(client).execute(sql`drop schema if exists ${sql.identifier(schema)} cascade`);
    await client.end();
  }
  rmSync(folder, { recursive: true, force: true });
}
