import { type Consumer, type EventStore, Subscription } from "event-sourcery";
import { PaymentFailed, PaymentReceived, type ShopEvent } from "./events.ts";

/** The external service that charges customers; it may be down. It charges each reference once. */
export type Charge = (reference: string, customer: string, cents: number) => Promise<boolean>;

/** Charges customers for their orders. */
export function payments(store: EventStore<ShopEvent>, charge: Charge): Consumer {
  return new Subscription(store, {
    name: "payments",
    types: ["OrderPlaced"],
    retry: { minDelay: 0, maxDelay: 0 }, // so that the example does not have to wait
    // No transaction is open during the external call, so the event may be handled twice. Both the company and the
    // store recognise the repeated id, so nothing is done twice.
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
