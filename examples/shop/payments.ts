import { type Consumer, type EventStore, Subscription } from "event-sourcery";
import { PaymentFailed, PaymentReceived, type ShopEvent } from "./events.ts";

/** What takes money from customers: a company elsewhere, which may be down. It takes each reference once. */
export type Charge = (reference: string, customer: string, cents: number) => Promise<boolean>;

/** Takes the money for orders. */
export function payments(store: EventStore<ShopEvent>, charge: Charge): Consumer {
  return new Subscription(store, {
    name: "payments",
    types: ["OrderPlaced"],
    retry: { minDelay: 0, maxDelay: 0 }, // so that the example has nothing to wait for
    // No transaction stays open while somebody elsewhere is asked; so it may happen that the event comes once more. The
    // company knows its id then, and so does the store: what is done already is not done again.
    transaction: false,
    async handler({ id, streamId: order, data: { customer, cents } }, { store }) {
      const once = { id: `${id}/payment` };
      const outcome = await charge(id, customer, cents)
        ? PaymentReceived({ order, cents }, once)
        : PaymentFailed({ order, reason: "declined" }, once);
      await store.append(`payment:${order}`, outcome);
    },
  });
}
