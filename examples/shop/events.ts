import { defineEvent, type EventOf } from "event-sourcery";

/** The events that the modules of the shop exchange; they share nothing else. */
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
