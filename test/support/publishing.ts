import type { BrokerPublisher } from "event-sourcery/publishers";
import { defineEvent, type EventOf, EventStore, Outbox, type RecordedEvent } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Cable } from "./cable.ts";

export const Placed = defineEvent<unknown>()("Placed");
export const Shipped = defineEvent("Shipped");
export const events = [Placed, Shipped] as const;
export type Sent = RecordedEvent<EventOf<(typeof events)[number]>>;

/** Data that JSON alone would spoil. */
export const mixed = {
  cents: 2n ** 64n,
  at: new Date("2026-12-24T12:00:00Z"),
  lines: new Map([["tea", new Set([1, NaN])]]),
  bytes: new Uint8Array([0, 255]),
  text: 'grün % "quoted" \u0000 \'',
  nothing: undefined,
};

export const newStore = () => new EventStore(memory(), { events, publishes: true });

/** Stores events, and returns them. */
export async function stored(streamId = "order:42", data: unknown = mixed): Promise<Sent[]> {
  const metadata = {
    correlationId: "c",
    causationId: "d",
    traceparent: "00-a-b-01",
    tracestate: "\0",
    user: 7n,
  };
  const first = Placed(data, { metadata, tags: ["a", "ü"] });
  return [...(await newStore().append(streamId, [first, Shipped()])).events];
}

/** What a publisher is called with outside of an outbox. */
export function context(signal: AbortSignal = new AbortController().signal) {
  return { signal, attempt: 1 };
}

/**
 * Publishes by an outbox while the cable to the broker is pulled out and put back, and checks what a consumer of the broker
 * received: everything, equal to what is stored, each stream in order.
 */
export async function outage(
  publisher: BrokerPublisher<EventOf<(typeof events)[number]>>,
  cable: Cable,
  received: readonly Sent[],
): Promise<void> {
  const store = newStore();
  const ids = new Set<string>();
  const write = async (number: number) => {
    for (let index = 0; index < number; index++) {
      const { events } = await store.append(`order:${index % 7}`, [Placed(mixed), Shipped()]);
      for (const { id } of events) ids.add(id);
    }
  };
  const options = { retry: { minDelay: 1, maxDelay: 30 }, batchSize: 50, timeout: 2000 };
  const outbox = new Outbox(store, { publisher, ...options });
  const stop = new AbortController();
  const run = outbox.run({ signal: stop.signal, pollInterval: 20, onError: () => {} });
  try {
    await write(40);
    await until(() => received.length > 20);
    cable.unplug();
    await write(20);
    await until(async () => (await outbox.status()).stalled);
    cable.plug();
    await write(20);
    await outbox.waitFor(await store.position(), { signal: AbortSignal.timeout(20_000) });
    await until(() => ids.size === new Set(received.map(({ id }) => id)).size);
  } finally {
    stop.abort();
    await run;
    await publisher.close();
  }
  const last = new Map<string, number>();
  for (const { streamId, version } of received) {
    const before = last.get(streamId) ?? 0;
    assert(version <= before + 1, `${streamId} was overtaken at ${version}`);
    last.set(streamId, Math.max(before, version));
  }
  const found = new Map(received.map((event) => [event.id, event]));
  for await (const event of store.readAll()) assert.deepEqual(found.get(event.id), event);
  assert.deepEqual((await outbox.status()).parked, 0);
}

/** Waits until something holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!await holds()) {
    assert(Date.now() < deadline, "it has not happened in 20 seconds");
    await delay(5);
  }
}
