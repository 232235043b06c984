// A worker of an older release leaves the events of a newer one to it: they are not its failures.
import {
  type DbOf,
  defineEvent,
  type EventOf,
  EventStore,
  Subscription,
  type SubscriptionOptions,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";

const Paid = defineEvent<{ cents: number }>()("Paid");
const PaidInCurrency = defineEvent<{ amount: number }>()("Paid", {
  upcast: [(old: { cents: number }) => ({ amount: old.cents / 100 })],
});
const Refunded = defineEvent<number>()("Refunded");
const retry = { attempts: 1, minDelay: 0, maxDelay: 0 };

/** A log that two releases share, and a consumer of each. */
function releases() {
  const driver = memory();
  const older = new EventStore(driver, { events: [Paid] });
  const newer = new EventStore(driver, { events: [PaidInCurrency, Refunded] });
  const handled: unknown[] = [];
  const handler = ({ data }: { readonly data: unknown }) => void handled.push(data);
  type Options = Partial<SubscriptionOptions<EventOf<typeof Paid>, DbOf<typeof older>>>;
  const consume = (store: object, options: Options = {}) =>
    new Subscription(store as typeof older, { name: "reader", retry, handler, ...options });
  return { older, newer, handled, consume };
}

for (const batch of [{}, { transaction: true }]) {
  test(`a worker stops before an event of a newer release (${JSON.stringify(batch)})`, async () => {
    const { older, newer, handled, consume } = releases();
    await older.append("a", Paid({ cents: 100 }));
    await newer.append("a", PaidInCurrency({ amount: 2 }));
    await older.append("b", Paid({ cents: 300 }));
    for (let pass = 0; pass < 3; pass++) {
      await assert.rejects(consume(older, { concurrency: 1, ...batch }).runOnce(), {
        code: "NEWER_EVENT",
      });
    }
    assert.deepEqual(handled, [{ cents: 100 }]);
    const later = consume(newer, batch);
    assert.deepEqual(await later.parked(), []);
    await later.runOnce();
    assert.deepEqual(handled, [{ cents: 100 }, { amount: 2 }, { amount: 3 }]);
  });
}

test("a stream that waits at an event of an unknown type stays due, and its attempts the same", async () => {
  const { older, newer, handled, consume } = releases();
  await older.append("a", Paid({ cents: 100 }));
  await newer.append("a", Refunded(1));
  const failing = consume(older, {
    retry: { ...retry, attempts: 2 },
    handler() {
      throw new Error("it is down");
    },
  });
  await failing.runOnce();
  const healthy = consume(older, { retry: { ...retry, attempts: 2 } });
  for (let pass = 0; pass < 3; pass++) {
    await assert.rejects(healthy.runOnce(), { code: "UNKNOWN_EVENT_TYPE" });
  }
  const [waiting] = await healthy.parked();
  assert.deepEqual([waiting?.attempts, waiting?.dueAt !== undefined], [0, true]);
  await consume(newer).runOnce();
  assert.deepEqual(handled, [{ cents: 100 }, 1]);
});

test("an event of a newer release holds up its own lane only", async () => {
  const { older, newer, handled, consume } = releases();
  await newer.append("stuck", Refunded(1));
  for (let stream = 0; stream < 20; stream++) {
    await older.append(`s${stream}`, Paid({ cents: stream }));
  }
  await assert.rejects(consume(older, { lanes: 16 }).runOnce(), { code: "UNKNOWN_EVENT_TYPE" });
  assert.ok(handled.length >= 10, `only ${handled.length} of 20 were handled`);
});
