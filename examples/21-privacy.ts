// People who may be forgotten: a transfer between two, a read model that forgets with them, and a certificate.
import { defineEvent, EventStore, Outbox, Projection } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { aesKeyWrapper, SubjectForgotten, subjectKeys } from "event-sourcery/privacy";
import assert from "node:assert/strict";

interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly cents: number;
  readonly sender: string;
  readonly recipient: string;
  readonly purpose: string | null;
}

const Transferred = defineEvent<Transfer>()("Transferred", {
  sensitive: [
    { subject: ({ from }) => from, fields: { sender: "somebody", purpose: null } },
    { subject: ({ to }) => to, fields: { recipient: "somebody" } },
  ],
  tags: ({ from, to }) => [`person:${from}`, `person:${to}`],
});

// In production: 32 bytes of your vault. What is stored is useless without them.
const secret = crypto.getRandomValues(new Uint8Array(32));
const key = await crypto.subtle.importKey("raw", secret, "AES-KW", false, ["wrapKey", "unwrapKey"]);

const names = new Map<string, string>(); // stands for a table
const store = new EventStore(memory({ db: names }), {
  events: [Transferred, SubjectForgotten],
  publishes: ({ type }) => type === "Transferred",
  keys: subjectKeys({ wrappers: [aesKeyWrapper("2026", key)] }),
});
const directory = new Projection(store, {
  name: "directory",
  handlers: {
    Transferred: ({ data }, { db }) => {
      db.set(data.from, data.sender).set(data.to, data.recipient);
    },
    SubjectForgotten: ({ data }, { db }) => db.delete(data.subject),
  },
  reset: ({ db }) => db.clear(),
});
const published: string[] = [];
const outbox = new Outbox(store, {
  sensitive: "mask", // a broker forgets nobody
  publisher: ({ data }) => "sender" in data && published.push(data.sender),
});

await store.append(
  "transfer:1",
  Transferred({
    ...{ from: "p-1", to: "p-2", cents: 5000 },
    ...{ sender: "Ada", recipient: "Charles", purpose: "Lessons" },
  }),
);
await directory.drain();
await outbox.drain();
assert.deepEqual(Object.fromEntries(names), { "p-1": "Ada", "p-2": "Charles" });
assert.deepEqual(published, ["somebody"]);

const certificate = await store.forget("p-1");
assert.equal(certificate.keys, 1);
assert.equal((await store.forget("p-1")).at.getTime(), certificate.at.getTime());
assert.ok(await store.forgotten("p-1"));

// The books stay balanced: amounts and parties are there, names and purposes of one are not.
const [transfer] = await store.load("transfer:1");
assert.deepEqual(transfer?.data, {
  ...{ from: "p-1", to: "p-2", cents: 5000 },
  ...{ sender: "somebody", recipient: "Charles", purpose: null },
});
await directory.drain();
assert.deepEqual(Object.fromEntries(names), { "p-2": "Charles" });
console.log(`${certificate.subject} is forgotten, the transfer is not`);
