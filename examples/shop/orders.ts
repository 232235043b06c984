import { type Consumer, type EventStore, type EventWriter, Subscription } from "event-sourcery";
import { OrderCancelled, OrderPlaced, type ShopEvent } from "./events.ts";

/** Places an order. What others make of it is not its business: it asks for something to write to. */
export async function placeOrder(
  store: EventWriter<ReturnType<typeof OrderPlaced>>,
  id: string,
  order: { readonly customer: string; readonly cents: number },
): Promise<void> {
  await store.append(`order:${id}`, OrderPlaced(order), { expectedVersion: "noStream" });
}

/** Cancels orders that cannot be paid for. What it writes commits together with how far it has got: exactly once. */
export function orders(store: EventStore<ShopEvent>): Consumer {
  return new Subscription(store, {
    name: "orders",
    types: ["PaymentFailed"],
    async handler({ data: { order, reason } }, { store }) {
      await store.append(order, OrderCancelled({ reason }));
    },
  });
}
