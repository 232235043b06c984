// Publishing: events are stored in one transaction with your own tables, then published, even if the broker is down.
import { createClient } from "@libsql/client";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import {
  defineEvent,
  type EventOf,
  EventStore,
  Outbox,
  PermanentError,
  type RecordedEvent,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const InvoiceIssued = defineEvent<{ cents: number }>()("InvoiceIssued");
const InvoicePaid = defineEvent("InvoicePaid");
const events = [InvoiceIssued, InvoicePaid] as const;
type InvoiceEvent = EventOf<typeof events[number]>;

const invoices = sqliteTable("invoices", { id: text().primaryKey(), cents: integer().notNull() });

const folder = mkdtempSync(join(tmpdir(), "event-sourcery-outbox-"));
const client = createClient({ url: pathToFileURL(join(folder, "invoices.db")).href });
const db = drizzle(client);
const driver = libsql(db);
await driver.migrate();
await db.run(sql`create table invoices (id text primary key, cents integer not null)`);
const store = new EventStore(driver, { events });

// No aggregate, no repository: your transaction, your row, and the event about it.
async function issue(id: string, cents: number): Promise<void> {
  await db.transaction(async (tx) => {
    await store.using(tx).publish(`invoice:${id}`, InvoiceIssued({ cents }));
    await tx.insert(invoices).values({ id, cents });
  });
}
await issue("1", 10_00);
await assert.rejects(issue("1", 99_00)); // the row exists already, so the event is not stored either
await issue("2", 20_00);
await store.append("invoice:2", InvoicePaid()); // `append` does not publish

// For any broker, the outbox needs a function that resolves when the broker has accepted the event.
const broker = { up: false, messages: [] as string[] };
function publisher({ streamId, type, data }: RecordedEvent<InvoiceEvent>): void {
  if (!broker.up) throw new Error("The broker is down");
  if (data && data.cents < 0) throw new PermanentError("A broker of ours takes no such amount");
  broker.messages.push(`${type} ${streamId}`);
}
const retry = { minDelay: 0, maxDelay: 0 }; // so that the example does not have to wait
const outbox = new Outbox(store, { publisher, retry });

// The broker is down: events wait until it is back, however long that takes.
await outbox.runOnce();
await outbox.runOnce();
assert.deepEqual(broker.messages, []);
assert.equal((await outbox.status()).retrying, 2); // two streams wait, each at its first event

broker.up = true;
await outbox.drain();
assert.deepEqual(broker.messages, ["InvoiceIssued invoice:1", "InvoiceIssued invoice:2"]);

// An event that will never be accepted blocks only its own stream.
await issue("3", -1);
await store.publish("invoice:3", InvoicePaid());
await store.publish("invoice:1", InvoicePaid());
await outbox.drain();
assert.equal(broker.messages.at(-1), "InvoicePaid invoice:1");
const [waiting] = await outbox.parked();
assert.deepEqual([waiting?.streamId, waiting?.attempts], ["invoice:3", 1]);
console.log(`${waiting?.streamId} waits: ${waiting?.error}`);

// An operator retries it, or gives up that one event. The stream continues with the next.
assert.equal(await outbox.redrive("invoice:3"), 1);
await outbox.drain();
assert.equal((await outbox.status()).parked, 1);
assert.equal(await outbox.discard("invoice:3"), true);
await outbox.drain();
assert.equal(broker.messages.at(-1), "InvoicePaid invoice:3");
const { lag, retrying, parked } = await outbox.status();
assert.deepEqual({ lag, retrying, parked }, { lag: 0, retrying: 0, parked: 0 });

// A second outbox is independent: another broker, here in batches, with all events from the start.
const batches: number[] = [];
const archive = new Outbox(store, {
  name: "archive",
  batchSize: 3,
  publishBatch: (events) => batches.push(events.length),
});
await archive.drain();
assert.deepEqual(batches, [3, 2]);

console.log(`${broker.messages.length} messages, none lost: ${broker.messages.join(", ")}`);
client.close();
rmSync(folder, { recursive: true });
