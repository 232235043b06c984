import { defineEvent, type EventOf } from "event-sourcery";

/** What the modules of the shop tell each other: all that they have in common. */
export const OrderPlaced = defineEvent<{ customer: string; cents: number }>()("OrderPlaced");
export const OrderCancelled = defineEvent<{ reason: string }>()("OrderCancelled");
export const PaymentReceived = defineEvent<{ order: string; cents: number }>()("PaymentReceived");
export const PaymentFailed = defineEvent<{ order: string; reason: string }>()("PaymentFailed");
export const InvoiceIssued = defineEvent<{ order: string; number: number }>()("InvoiceIssued");

export const events = [
  OrderPlaced,
  OrderCancelled,
  PaymentReceived,
  PaymentFailed,
  InvoiceIssued,
] as const;
export type ShopEvent = EventOf<typeof events[number]>;
