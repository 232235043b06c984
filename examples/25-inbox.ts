// Messages from elsewhere, which come twice, at once or after a crash: each is handled once, with all that it changes.
import { defineEvent, type EventOf, EventStore, Inbox } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";

const Paid = defineEvent<{ cents: number }>()("Paid");
const store = new EventStore(memory(), { events: [Paid] });
const inbox = new Inbox(store, { name: "payments" });

interface Message {
  readonly id: string;
  readonly account: string;
  readonly cents: number;
}

const balance = async (account: string) =>
  await store.fold(
    `account:${account}`,
    0,
    (sum, { data }: EventOf<typeof Paid>) => sum + data.cents,
  );

/** What a broker calls, at least once: it acknowledges where this resolves, and delivers again where it rejects. */
async function receive({ id, account, cents }: Message, crashes = false): Promise<boolean> {
  const { handled } = await inbox.once(id, async ({ store }) => {
    await store.append(`account:${account}`, Paid({ cents }));
    if (crashes) throw new Error("The process is killed here");
  });
  return handled;
}

const first = { id: "m-1", account: "ada", cents: 100 };
await assert.rejects(receive(first, true), /killed/);
assert.equal(await balance("ada"), 0); // nothing of it is left, so it is handled when it comes again
assert.equal(await receive(first), true);
assert.equal(await receive(first), false);

const second = { id: "m-2", account: "ada", cents: 50 };
const deliveries = await Promise.all(Array.from({ length: 5 }, () => receive(second)));
assert.equal(deliveries.filter((handled) => handled).length, 1);

console.log(`Eight deliveries, two payments: ${await balance("ada")}.`);
