// One part announces what happened; any number of others react. The publisher knows none of them.
import {
  defineEvent,
  type EventOf,
  EventStore,
  type EventWriter,
  type RecordedEvent,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";

const UserRegistered = defineEvent<{ email: string }>()("UserRegistered");
const BonusGranted = defineEvent<{ cents: number }>()("BonusGranted");
const events = [UserRegistered, BonusGranted] as const;
type UserRegistered = EventOf<typeof UserRegistered>;

// The publisher: it only needs a writer, and does not change below.
async function register(users: EventWriter<UserRegistered>, email: string): Promise<void> {
  await users.append(`user:${email}`, UserRegistered({ email }));
}

// It works without any subscriber.
const alone = new EventStore(memory(), { events });
await register(alone, "ada@example.com");

// Three parts, each a function that could be in its own module.
const sent: string[] = [];
const seen: string[] = [];

function greet(event: RecordedEvent<UserRegistered>): void {
  sent.push(event.data.email);
  console.log(`email gets sent! to ${event.data.email}`);
}

async function reward(
  event: RecordedEvent<UserRegistered>,
  { store }: { store: EventWriter<EventOf<typeof BonusGranted>> },
): Promise<void> {
  await store.append(event.streamId, BonusGranted({ cents: 5_00 }));
}

const store = new EventStore(memory(), {
  events,
  subscriptions: {
    UserRegistered: [greet, reward],
    "*": [(event) => seen.push(event.type)],
  },
});

// When `append` returns, they have run, in the order they were registered.
await register(store, "grace@example.com");
assert.deepEqual(sent, ["grace@example.com"]);
assert.deepEqual(seen.toSorted(), ["BonusGranted", "UserRegistered"]);

// A reaction knows its cause.
const [registered, granted] = await store.load("user:grace@example.com");
assert.equal(granted?.type, "BonusGranted");
assert.equal(granted.metadata.causationId, registered?.id);

// They run inside the append: if one fails, everything is rolled back.
const strict = new EventStore(memory(), {
  events,
  subscriptions: {
    UserRegistered: [reward, ({ data }) => {
      if (!data.email.includes("@")) throw new Error("There is no mailbox of that name");
    }],
  },
});
await assert.rejects(register(strict, "nobody"), /no mailbox/);
assert.equal(await strict.version("user:nobody"), 0);

// An effect that cannot be undone, such as an email, should wait for the commit.
const mailed: string[] = [];
const patient = new EventStore(memory(), {
  events,
  subscriptions: [
    {
      types: ["UserRegistered"],
      afterCommit: true,
      handler: ({ data }) => mailed.push(data.email),
    },
  ],
});
const twoAtOnce = patient.transaction(async ({ store }) => {
  await register(store, "alan@example.com");
  assert.deepEqual(mailed, []);
  throw new Error("changed my mind");
});
await assert.rejects(twoAtOnce, /changed my mind/);
assert.deepEqual(mailed, []); // never after a rollback
await register(patient, "edsger@example.com");
assert.deepEqual(mailed, ["edsger@example.com"]);
console.log("Publisher unchanged; reactions: none, three, two, one");
