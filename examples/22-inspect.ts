// Why did Grace get no mail? A look into a running shop, without a line of it being changed.
import {
  defineEvent,
  type EventOf,
  EventStore,
  PermanentError,
  Subscription,
} from "event-sourcery";
import { inspect, type InspectedNode } from "event-sourcery/inspect";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";

const Placed = defineEvent<{ email: string; cents: number }>()("Placed");
const Discounted = defineEvent<{ percent: number }>()("Discounted");
const Mailed = defineEvent("Mailed");
const events = [Placed, Discounted, Mailed] as const;
const store = new EventStore(memory(), { events });

const mails = new Subscription(store, {
  name: "mails",
  types: ["Placed"],
  transaction: true,
  async handler({ streamId, data: { email } }, { store }) {
    if (!email.includes("@")) throw new PermanentError("no such address");
    await store.append(streamId, Mailed());
  },
});
await store.append("order:1", Placed({ email: "ada@example.org", cents: 1000 }));
await store.append("order:2", Placed({ email: "grace", cents: 500 }));
await store.append("order:1", Discounted({ percent: 10 }));
await mails.drain();

const order = (history: readonly EventOf<typeof events[number]>[]) =>
  history.reduce((state, event) => {
    if (event.type === "Placed") return { ...state, cents: event.data.cents };
    if (event.type === "Mailed") return { ...state, mailed: true };
    return { ...state, cents: state.cents * (1 - event.data.percent / 100) };
  }, { cents: 0, mailed: false });
const inspector = inspect(store, { aggregates: { order } });

// The consumers, in a word; and what one of them waits for.
const [consumer] = await inspector.consumers();
assert.equal(consumer?.health, "needs you");
const { streams: [parked] } = await inspector.parked({ consumer: { name: "mails" } });
const because = `${parked?.streamId}: ${parked?.error}`;

// Ada's order was mailed: what followed from it, and how it looked before.
const { events: [placed] } = await inspector.log({ streamId: "order:1", types: ["Placed"] });
const flow = await inspector.trace(placed!.stored.id);
const types = (nodes: readonly InspectedNode[]): readonly string[] =>
  nodes.flatMap(({ stored, effects }) => [stored.type, ...types(effects)]);
assert.deepEqual(types(flow!.roots), ["Placed", "Mailed"]);
assert.deepEqual((await inspector.state("order:1", { version: 1 }))?.state, {
  cents: 1000,
  mailed: false,
});
const { lines } = (await inspector.diff("order:1", 1, 3))!;
const added = lines.filter(({ kind }) => kind === "added").map(({ text }) => text.trim());
assert.deepEqual(added, ['"cents": 900,', '"mailed": true']);

// The newest events, across all streams, each with how far back it was searched.
const { events: newest, complete } = await inspector.log({ limit: 2 });
assert.deepEqual(newest.map(({ stored }) => stored.type), ["Mailed", "Discounted"]);
assert.equal(complete, false);
console.log(`${consumer?.name} ${consumer?.health}: ${because}`);
