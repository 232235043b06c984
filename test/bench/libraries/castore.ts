import { EventStore, EventType } from "@castore/core";
import { InMemoryEventStorageAdapter } from "@castore/event-storage-adapter-in-memory";
import { type Library, type Order, order } from "../library.ts";

/** Castore, in memory. */
export function open(): Promise<Library> {
  const placed = new EventType<"Placed", Order>({ type: "Placed" });
  const store = new EventStore({
    eventStoreId: "orders",
    eventTypes: [placed],
    eventStorageAdapter: new InMemoryEventStorageAdapter(),
    reducer: (_: unknown, { aggregateId, version }) => ({ aggregateId, version }),
  });
  const load = async (stream: string) =>
    (await store.getEvents(stream)).events.map(({ payload }) => payload);
  const append = async (stream: string, from: number, count: number) => {
    for (let n = from; n < from + count; n++) {
      const event = {
        aggregateId: stream,
        version: n + 1,
        type: "Placed" as const,
        payload: order(n),
      };
      await store.pushEvent(event);
    }
  };
  return Promise.resolve({ append, load, close: () => Promise.resolve() });
}
