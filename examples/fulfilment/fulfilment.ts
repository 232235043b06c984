import { defineEvent, type EventOf, type EventStore, Process } from "event-sourcery";

// What others say.
export const OrderPlaced = defineEvent<{ orderId: string; cents: number }>()("OrderPlaced");
export const PaymentReceived = defineEvent<{ orderId: string }>()("PaymentReceived");

// What the process says: it asks for the payment, reminds, and ends in one of three ways.
export const PaymentRequested = defineEvent<{ cents: number }>()("PaymentRequested");
export const ReminderDue = defineEvent("ReminderDue");
export const Reminded = defineEvent("Reminded");
export const PaymentTimedOut = defineEvent("PaymentTimedOut");
export const OrderConfirmed = defineEvent("OrderConfirmed");
export const OrderCancelled = defineEvent("OrderCancelled");
export const RefundRequested = defineEvent<{ cents: number }>()("RefundRequested");

const own = [
  ...[PaymentRequested, ReminderDue, Reminded, PaymentTimedOut],
  ...[OrderConfirmed, OrderCancelled, RefundRequested],
] as const;
type OwnEvent = EventOf<(typeof own)[number]>;

/** All events of the example. */
export const events = [OrderPlaced, PaymentReceived, ...own] as const;
export type ShopEvent = EventOf<(typeof events)[number]>;

interface State {
  readonly status: "open" | "paid" | "cancelled";
  readonly cents: number;
}

/** How long an order waits for its payment, in milliseconds. */
export interface Patience {
  readonly remind: number;
  readonly cancel: number;
}

/** Makes the process: from an order to its payment, by way of a reminder, or to its cancellation. */
export function fulfilment<Db>(
  store: EventStore<ShopEvent, Db>,
  { remind, cancel }: Patience,
  lease?: number,
): Process<ShopEvent, Db, State, OwnEvent> {
  const after = (milliseconds: number) => ({ at: new Date(Date.now() + milliseconds) });
  return new Process(store, {
    name: "fulfilment",
    lease,
    initialState: (): State => ({ status: "open", cents: 0 }),
    evolve(state, event: OwnEvent): State {
      switch (event.type) {
        case "PaymentRequested":
          return { ...state, cents: event.data.cents };
        case "OrderConfirmed":
          return { ...state, status: "paid" };
        case "OrderCancelled":
          return { ...state, status: "cancelled" };
        default:
          return state;
      }
    },
    handlers: {
      OrderPlaced: {
        correlate: ({ data }) => data.orderId,
        async react({ data: { cents } }, _state, { key, schedule }) {
          await schedule(ReminderDue(undefined, { id: `${key}-reminder` }), after(remind));
          await schedule(PaymentTimedOut(undefined, { id: `${key}-timeout` }), after(cancel));
          return PaymentRequested({ cents });
        },
      },
      ReminderDue: { react: (_event, { status }) => status === "open" ? Reminded() : [] },
      PaymentTimedOut: { react: (_event, { status }) => status === "open" ? OrderCancelled() : [] },
      PaymentReceived: {
        correlate: ({ data }) => data.orderId,
        async react(_event, { status, cents }, { key, store }) {
          if (status === "paid") return [];
          if (status === "cancelled") return RefundRequested({ cents });
          await store.unschedule(`${key}-reminder`);
          await store.unschedule(`${key}-timeout`);
          return OrderConfirmed();
        },
      },
    },
  });
}
