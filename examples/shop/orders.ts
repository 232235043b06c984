import { type Consumer, type EventStore, type EventWriter, Subscription } from "event-sourcery";
import { OrderCancelled, OrderPlaced, type ShopEvent } from "./events.ts";

/** Places an order. It only needs a writer, and does not know which modules react. */
export async function placeOrder(
  store: EventWriter<ReturnType<typeof OrderPlaced>>,
  id: string,
  order: { readonly customer: string; readonly cents: number },
): Promise<void> {
  await store.append(`order:${id}`, OrderPlaced(order), { expectedVersion: "noStream" });
}

/** Cancels orders that cannot be paid for. Its events and its checkpoint are committed together: exactly once. */
export function orders(store: EventStore<ShopEvent>): Consumer {
  return new Subscription(store, {
    name: "orders",
    types: ["PaymentFailed"],
    async handler({ data: { order, reason } }, { store }) {
      await store.append(order, OrderCancelled({ reason }));
    },
  });
}
