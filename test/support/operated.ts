// A shop whose log, consumers and parked streams the command line is tested and shown at.
import {
  type Consumer,
  defineEvent,
  type Driver,
  type EventOf,
  EventStore,
  type Metadata,
  PermanentError,
  Projection,
  Subscription,
} from "event-sourcery";
import { aesKeyWrapper, subjectKeys } from "event-sourcery/privacy";

const OrderPlaced = defineEvent<{ customer: string; email: string }>()("OrderPlaced", {
  sensitive: { subject: ({ customer }) => customer, fields: { email: "(forgotten)" } },
});
const LineAdded = defineEvent<{ sku: string; cents: number }>()("LineAdded");
const OrderSubmitted = defineEvent("OrderSubmitted");
const PaymentRequested = defineEvent<{ cents: number; due: Date }>()("PaymentRequested", {
  tags: ({ cents }) => [cents > 1000 ? "large" : "small"],
});
const types = [OrderPlaced, LineAdded, OrderSubmitted, PaymentRequested] as const;
type ShopEvent = EventOf<(typeof types)[number]>;

/** How the state of an order is made. */
export const aggregates: Readonly<Record<string, (events: readonly ShopEvent[]) => unknown>> = {
  order: (events) =>
    events.reduce((state, { type, data }) => {
      if (type === "OrderPlaced") return { ...state, ...data };
      return type === "LineAdded" ? { ...state, cents: state.cents + data.cents } : state;
    }, { cents: 0 }),
};

/** The store of the shop; its ids and times are the same in every run. */
export async function shopStore<Db>(driver: Driver<Db>): Promise<EventStore<ShopEvent, Db>> {
  const bytes = new Uint8Array(32);
  const key = await crypto.subtle.importKey("raw", bytes, "AES-KW", false, [
    "wrapKey",
    "unwrapKey",
  ]);
  let [ids, time] = [0, Date.UTC(2026, 10, 25, 9)];
  return new EventStore(driver, {
    events: types,
    keys: subjectKeys({ wrappers: [aesKeyWrapper("test", key)] }),
    clock: () => new Date(time += 1500),
    generateId: () => `event-${++ids}`,
  });
}

/** The consumers of the shop: `mails` fails for some orders. */
export function shopConsumers<Db>(
  store: EventStore<ShopEvent, Db>,
  reset: (db: Db) => unknown = () => {},
): readonly Consumer[] {
  return [
    new Projection(store, {
      name: "orders",
      handlers: { OrderPlaced: () => {}, LineAdded: () => {} },
      reset: ({ db }) => reset(db),
    }),
    new Subscription(store, {
      name: "mails",
      types: ["OrderSubmitted"],
      handler: ({ streamId }) => {
        if (streamId !== "order:3") throw new PermanentError("The mail server refuses the address");
      },
    }),
  ];
}

/** Fills an empty database with a short history: three orders, a payment that follows from one, and two parked streams. */
export async function seedShop<Db>(driver: Driver<Db>): Promise<void> {
  await driver.migrate();
  const store = await shopStore(driver);
  const customers = ["ada", "grace", "alan"];
  for (const [index, customer] of customers.entries()) {
    const id = `order:${index + 1}`;
    const email = `${customer}@example.com`;
    await store.append(id, OrderPlaced({ customer, email }));
    await store.append(id, [
      LineAdded({ sku: "tea", cents: 450 }),
      LineAdded({ sku: "pot", cents: 2100 }),
    ]);
    await store.append(id, OrderSubmitted());
  }
  const [, , , submitted] = await store.load("order:1");
  const { id, metadata } = submitted!;
  const cause: Metadata = { correlationId: metadata.correlationId, causationId: id };
  const due = new Date("2026-12-09T00:00:00Z");
  await store.scope({ metadata: cause }).append(
    "payment:1",
    PaymentRequested({ cents: 2550, due }),
  );
  for (const consumer of shopConsumers(store)) await consumer.runOnce();
  await store.append("order:4", OrderPlaced({ customer: "kurt", email: "kurt@example.com" }));
}
