// Three other event stores are brought in, on the tables of their own making; whoever mails is not fooled by history.
import { PGlite } from "@electric-sql/pglite";
import { schemaSQL } from "@event-driven-io/emmett-postgresql";
import { drizzle } from "drizzle-orm/pglite";
import {
  Aggregate,
  defineEvent,
  type EventOf,
  EventStore,
  importEvents,
  Repository,
  Subscription,
} from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { emmett, eventSourcery, messageDb, type Query } from "./import/readers.ts";

const client = new PGlite();
const query: Query = async (text, parameters) =>
  (await client.query<object>(text, parameters)).rows;

// Emmett: the tables and functions that its package makes.
for (const statement of schemaSQL) await client.exec(String(statement));
const append = (ids: string[], kinds: string[], data: object[], stream: string) =>
  client.query(
    `select emt_append_to_stream($1, $2::jsonb[], array_fill('{}'::jsonb, array[${ids.length}]),
  array_fill('1'::text, array[${ids.length}]), $3, array_fill('E'::text, array[${ids.length}]), $4, 'cart', null, 'emt:default')`,
    [ids, data.map((item) => JSON.stringify(item)), kinds, stream],
  );
await append(["e1", "e2"], ["ItemAdded", "ItemAdded"], [{ price: 5 }, { price: 7 }], "cart:1");
await append(["e3"], ["ItemAdded"], [{ price: 9 }], "cart:2");
await append(["e4"], ["ItemAdded"], [{ price: 1 }], "cart:1");

// message-db: the SQL that its package ships.
const package_ = createRequire(import.meta.url).resolve("@eventide/message-db/package.json");
const sql = (file: string) =>
  readFileSync(join(dirname(package_), "database", `${file}.sql`), "utf8");
await client.exec(sql("schema/message-store"));
await client.exec("set search_path to message_store, public");
for (
  const file of [
    ...["tables/messages", "types/message", "functions/hash-64", "functions/acquire-lock"],
    ...["functions/category", "functions/id", "functions/cardinal-id", "functions/is-category"],
    ...["functions/stream-version", "functions/write-message", "indexes/messages-stream"],
  ]
) await client.exec(sql(file));
const write = (id: string, stream: string, amount: number) =>
  client.query("select write_message($1, $2, 'Deposited', $3, $4)", [
    id,
    stream,
    JSON.stringify({ amount }),
    JSON.stringify({ correlation_id: "a-flow" }),
  ]);
await write("0195d3a0-0000-7000-8000-000000000001", "account-17", 30);
await write("0195d3a0-0000-7000-8000-000000000002", "account-18", 40);
await write("0195d3a0-0000-7000-8000-000000000003", "account-17", 50);
await client.exec("set search_path to public");

// Event Sourcery for Python: a table of the same columns.
await client.exec(`
create table event_sourcery_streams (id bigint primary key, uuid uuid not null, name varchar(255), category varchar(255) not null, version bigint);
create table event_sourcery_events (id bigserial primary key, version integer, uuid uuid unique, db_stream_id bigint not null
  references event_sourcery_streams, name varchar(200) not null, data jsonb not null, event_context jsonb not null, created_at timestamp not null);
insert into event_sourcery_streams values (1, '0195d3a0-0000-7000-8000-00000000000a', null, 'guest', 2);
insert into event_sourcery_events (version, uuid, db_stream_id, name, data, event_context, created_at) values
  (1, '0195d3a0-0000-7000-8000-00000000000b', 1, 'GuestInvited', '{"email": "ada@example.com"}', '{}', '2023-05-01 10:00:00'),
  (2, '0195d3a0-0000-7000-8000-00000000000c', 1, 'GuestInvited', '{"email": "al@example.com"}', '{}', '2023-05-02 10:00:00');
`);

// Today's events, and a consumer that mails: it is in use before anything is brought in.
const ItemAdded = defineEvent<{ cents: number }>()("ItemAdded");
const Deposited = defineEvent<{ amount: number }>()("Deposited");
const Invited = defineEvent<{ email: string }>()("Invited");
const driver = postgres(drizzle(client));
await driver.migrate();
const store = new EventStore(driver, { events: [ItemAdded, Deposited, Invited] });
const [guests, mails]: [string[], string[]] = [[], []];
const inviting = new Subscription(store, {
  name: "inviting",
  types: ["Invited"],
  transaction: false,
  handler: ({ data }, { replaying }) => {
    guests.push(data.email);
    if (!replaying) mails.push(data.email); // what is history was mailed by its own time
  },
});
await inviting.runOnce();

const sources = {
  emmett: emmett({
    query,
    makers: {
      ItemAdded: ({ price }: { price: number }, init) => ItemAdded({ cents: 100 * price }, init),
    },
  }),
  messageDb: messageDb({ query, makers: { Deposited } }),
  eventSourcery: eventSourcery({ query, makers: { GuestInvited: Invited } }),
};
const counts: number[] = [];
for (const source of Object.values(sources)) {
  counts.push((await importEvents(store, source)).imported);
}
assert.deepEqual(counts, [4, 3, 2]);

// They are streams like others: an aggregate goes on where the other store ended.
class Account extends Aggregate<EventOf<typeof Deposited>> {
  static readonly category = "account";
  balance = 0;
  protected apply({ data }: EventOf<typeof Deposited>): void {
    this.balance += data.amount;
  }
  deposit(amount: number): void {
    this.emit(Deposited({ amount }));
  }
}
const accounts = new Repository(store, Account);
await accounts.aggregate("17", (account) => account.deposit(20));
assert.equal((await accounts.load("17"))?.balance, 100);
const cart = await store.load("cart:1");
assert.deepEqual(cart.map(({ data, version }) => [version, data]), [
  [1, { cents: 500 }],
  [2, { cents: 700 }],
  [3, { cents: 100 }],
]);
const [invited] = await store.load("guest:0195d3a0-0000-7000-8000-00000000000a");
assert.equal(invited?.createdAt.toISOString(), "2023-05-01T10:00:00.000Z");
assert.equal((await store.trace("a-flow"))?.events, 3);

// Run again, it finds everything there. What happens now is no history.
const again = await importEvents(store, messageDb({ query, makers: { Deposited } }));
assert.deepEqual([again.imported, again.known], [0, 3]);
await store.append("guest:2", Invited({ email: "grace@example.com" }));
await inviting.drain();
assert.deepEqual(guests, ["ada@example.com", "al@example.com", "grace@example.com"]);
assert.deepEqual(mails, ["grace@example.com"]);
await client.close();

console.log("Nine events of three stores came in, and one mail went out");
