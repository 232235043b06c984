import assert from "node:assert/strict";
import type { RecordedEvent } from "../../event/event.ts";
import { Outbox } from "../../consumer/outbox.ts";
import { Subscription } from "../../consumer/subscription.ts";
import { PermanentError } from "../../errors/consumer.ts";
import { collect } from "../../store/read.ts";
import { type Cases, Closed, dataOf, Noted, notes, range } from "../rig.ts";
import { consuming, soon } from "./consumers.ts";

/** Delivery, and the handling of failures. A driver that does not support consumers refuses them. */
export const outbox: Cases = consuming({
  async "Outbox publishes what was published, each once and in order"({ store }) {
    await store.append("a", Noted(0));
    await store.publish("a", notes(2));
    await store.publish("b", notes(2, 3));
    await store.append("b", Closed());
    const sent: RecordedEvent[] = [];
    const outbox = new Outbox(store, { publisher: (event) => sent.push(event) });
    const position = await store.position();
    assert.deepEqual(await outbox.runOnce(), { handled: 4, failed: 0, parked: 0, position });
    assert.deepEqual(dataOf(sent), range(1, 4));
    assert.deepEqual(sent, (await collect(store.readAll({ types: ["Noted"] }))).slice(1));
    assert.deepEqual(await outbox.runOnce(), { handled: 0, failed: 0, parked: 0, position });
    const status = await outbox.status();
    assert.deepEqual(status, {
      position,
      head: position,
      lag: 0,
      oldest: undefined,
      retrying: 0,
      parked: 0,
      published: true,
      lanes: [{ lane: 0, position, owner: undefined, leasedUntil: undefined, crashes: 0 }],
      owner: undefined,
      seenAt: undefined,
      stalled: false,
      error: undefined,
    });
  },

  async "Outbox hands over batches, and finds the event that cannot be published"({ store }) {
    await store.publish("a", notes(3));
    await store.publish("b", notes(3, 4));
    await store.publish("a", Noted(7));
    const calls: (readonly unknown[])[] = [];
    const outbox = new Outbox(store, {
      retry: soon,
      publishBatch(events) {
        calls.push(dataOf(events));
        if (events.some(({ data }) => data === 2)) throw new Error("2 is refused");
      },
    });
    const { handled, failed, parked } = await outbox.runOnce();
    assert.deepEqual([handled, failed, parked], [4, 1, 1]);
    assert.deepEqual(calls, [range(1, 7), [1], [2], [4], [5], [6]]);
  },

  async "an event is parked whatever the text of its error"({ store }) {
    const thrown: readonly unknown[] = [
      new Error(`NUL \0, half a pair \ud83d, another \ude00, a whole one 😀`),
      new PermanentError(`NUL \0, half a pair \ud83d`),
      new Error("😀".repeat(5000)),
      new Error(`${"x".repeat(992)}😀`),
      Object.create(null),
      Proxy.revocable({}, {}).proxy,
      undefined,
      "\0",
      Symbol("\ud83d"),
    ];
    // The successes in between keep the failures from counting as an outage.
    for (const index of thrown.keys()) {
      await store.publish(`s${index}`, Noted(index));
      await store.publish(`good${index}`, Noted(-1));
    }
    const publisher = ({ data }: RecordedEvent) => {
      if (data !== -1) throw thrown[data as number];
    };
    const outbox = new Outbox(store, { publisher, retry: { ...soon, attempts: 1 } });
    assert.equal((await outbox.runOnce()).parked, thrown.length);
    const errors = (await outbox.parked()).map(({ error }) => error ?? "");
    assert.equal(errors.length, thrown.length);
    for (const error of errors) {
      assert.ok(error.length > 0 && error.length <= 1000, "bounded");
      assert.doesNotMatch(error, /[\0\p{Surrogate}]/u);
    }
    assert.equal(
      errors[0],
      "Error: NUL \ufffd, half a pair \ufffd, another \ufffd, a whole one 😀",
    );
    assert.equal(errors[3], `Error: ${"x".repeat(992)}\ufffd`);
  },

  async "a failing stream delays only itself, and continues where it failed"({ store }) {
    for (const number of range(1, 4)) {
      await store.append("good", Noted(number));
      await store.append("bad", Noted(-number));
    }
    let broken = true;
    const seen: unknown[] = [];
    const subscription = new Subscription(store, {
      name: "reader",
      retry: soon,
      batchSize: 3,
      handler(event) {
        if (broken && event.data === -2) throw new Error("it is broken");
        seen.push(event.data);
      },
    });
    const first = await subscription.runOnce();
    assert.deepEqual([first.handled, first.failed, first.parked], [5, 1, 1]);
    assert.deepEqual(seen, [1, -1, 2, 3, 4]);
    const [parked, ...others] = await subscription.parked();
    assert.deepEqual(others, []);
    assert.deepEqual([parked!.streamId, parked!.attempts, parked!.error], [
      "bad",
      1,
      "Error: it is broken",
    ]);
    assert.equal((await subscription.runOnce()).failed, 1);
    assert.equal((await subscription.parked())[0]!.attempts, 2);
    await store.append("bad", Noted(-5));
    broken = false;
    await subscription.runOnce();
    assert.deepEqual(seen, [1, -1, 2, 3, 4, -2, -3, -4, -5]);
    assert.deepEqual(await subscription.parked(), []);
  },

  async "a stream that failed permanently waits for redrive() or discard()"({ store }) {
    await store.append("a", notes(3));
    await store.append("b", Closed());
    let refused: readonly unknown[] = [1, 2];
    const seen: unknown[] = [];
    const subscription = new Subscription(store, {
      name: "reader",
      types: ["Noted"],
      handler(event) {
        if (refused.includes(event.data)) throw new PermanentError("it is refused");
        seen.push(event.data);
      },
    });
    await subscription.drain();
    const [parked] = await subscription.parked();
    assert.deepEqual([parked!.streamId, parked!.dueAt, parked!.attempts], ["a", undefined, 1]);
    assert.equal((await subscription.runOnce()).failed, 0);
    refused = [2];
    assert.equal(await subscription.redrive("a"), 1);
    assert.deepEqual(
      await subscription.runOnce().then(({ handled, failed }) => [handled, failed]),
      [1, 1],
    );
    assert.equal(await subscription.discard("a"), true);
    await subscription.runOnce();
    assert.deepEqual(seen, [1, 3]);
    assert.deepEqual(await subscription.parked(), []);
    assert.equal(await subscription.discard("a"), false);
    assert.equal(await subscription.redrive("a"), 0);
  },
});
