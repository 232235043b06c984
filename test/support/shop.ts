import { defineEvent, type Driver, EventStore, type RecordedEvent } from "../../mod.ts";
import { memory } from "../../drivers/memory/mod.ts";

/** An order was placed. */
export const Placed = defineEvent<{ readonly sku: string }>()("Placed");
/** An order was paid. */
export const Paid = defineEvent("Paid");
/** An order was sent. */
export const Sent = defineEvent("Sent");

/** The events of the shop. */
export const events = [Placed, Paid, Sent] as const;

/** Makes a store of the shop's events, in memory unless another driver is given. */
export function shop<Db = undefined>(driver?: Driver<Db>) {
  return new EventStore(driver ?? memory(), { events });
}

/** Makes events without data. */
export function many(count: number) {
  return Array.from({ length: count }, () => Paid());
}

/** Tells the types of events. */
export function types(events: readonly { readonly type: string }[]): readonly string[] {
  return events.map(({ type }) => type);
}

/** Tells the ids of events. */
export function ids(events: readonly { readonly id: string }[]): readonly string[] {
  return events.map(({ id }) => id);
}

/** Collects what a store yields. */
export async function all<E extends RecordedEvent>(events: AsyncIterable<E>): Promise<E[]> {
  const found: E[] = [];
  for await (const event of events) found.push(event);
  return found;
}
