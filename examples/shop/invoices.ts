import { type Consumer, type EventStore, Subscription } from "event-sourcery";
import { InvoiceIssued, type ShopEvent } from "./events.ts";

/** Issues an invoice for each payment. Their numbers have no gaps, even after retries and crashes. */
export function invoices(store: EventStore<ShopEvent>): Consumer {
  return new Subscription(store, {
    name: "invoices",
    types: ["PaymentReceived"],
    async handler({ data: { order } }, { store }) {
      const number = await store.version("invoices") + 1;
      await store.append("invoices", InvoiceIssued({ order, number }));
    },
  });
}
