import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { defineEvent, EventStore, forgetConsumer, Projection, Subscription } from "../../mod.ts";

const Noted = defineEvent<number>()("Noted");

type Seen = [data: number, replaying: boolean][];

test("an inline projection is replayed to when it is rebuilt, and not when events are appended", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  await store.append("a", Noted(1));
  let seen: Seen = [];
  const view = new Projection(store, {
    name: "view",
    inline: true,
    reset() {},
    handlers: { Noted: ({ data }, { replaying }) => void seen.push([data, replaying]) },
  });
  await store.append("a", Noted(2));
  assert.deepEqual(seen, [[2, false]]);
  seen = [];
  await view.rebuild();
  assert.deepEqual(seen, [[1, true], [2, true]]);
});

test("events are history, whichever lanes they are handed over by", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  const seen: Seen = [];
  const make = (lanes: number) =>
    new Subscription(store, {
      name: "lanes",
      lanes,
      transaction: false,
      handler: ({ data }, { replaying }) => void seen.push([data, replaying]),
    });
  const append = async (from: number) => {
    for (let number = from; number < from + 8; number++) {
      await store.append(`s:${number}`, Noted(number));
    }
  };
  await append(1);
  const stop = AbortSignal.abort();
  await make(2).runOnce({ signal: stop }); // registers, and handles nothing
  await append(9);
  await make(2).relane(3); // hands over what one lane has and another lacks
  await make(3).drain();
  seen.sort(([a], [b]) => a - b);
  assert.deepEqual(seen, Array.from({ length: 16 }, (_, index) => [index + 1, index < 8]));
});

test("a consumer that is forgotten while it runs takes the log for history when it begins anew", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  let seen: Seen = [];
  const consumer = new Subscription(store, {
    name: "forgotten",
    transaction: false,
    handler: ({ data }, { replaying }) => void seen.push([data, replaying]),
  });
  await consumer.runOnce();
  await store.append("a", Noted(1));
  await consumer.runOnce();
  assert.deepEqual(seen, [[1, false]]);
  await forgetConsumer(store, { name: "forgotten" });
  seen = [];
  await consumer.runOnce().catch(() => {});
  await new Subscription(store, {
    name: "forgotten",
    transaction: false,
    handler: ({ data }, { replaying }) => void seen.push([data, replaying]),
  }).drain();
  assert.deepEqual(seen, [[1, true]]);
});
