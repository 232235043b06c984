import { inspect } from "../../src/inspect/mod.ts";
import { studio, type StudioOptions } from "../../src/studio/mod.ts";
import { memory } from "../../drivers/memory/mod.ts";
import { subjectKeys } from "../../src/privacy/mod.ts";
import {
  Aggregate,
  type Consumer,
  defineEvent,
  type EventOf,
  EventStore,
  Outbox,
  PermanentError,
  Projection,
  Subscription,
} from "../../mod.ts";
import * as v from "valibot";

const OrderPlaced = defineEvent(
  "OrderPlaced",
  v.object({ customer: v.string(), email: v.string(), channel: v.string() }),
  {
    tags: ({ customer }) => [`customer:${customer}`],
    sensitive: { subject: ({ customer }) => customer, fields: { email: "hidden" } },
  },
);
const LineAdded = defineEvent<{ sku: string; quantity: number; cents: number }>()("LineAdded");
const PaymentTaken = defineEvent<{ method: string; cents: number }>()("PaymentTaken");
const ParcelShipped = defineEvent<{ carrier: string; weight: number; express: boolean }>()(
  "ParcelShipped",
);
const InvoiceSent = defineEvent<{ order: string; number: string }>()("InvoiceSent");
const events = [OrderPlaced, LineAdded, PaymentTaken, ParcelShipped, InvoiceSent] as const;
type ShopEvent = EventOf<(typeof events)[number]>;

/** An order of the shop. */
class Order extends Aggregate<ShopEvent> {
  static readonly category = "order";
  customer = "";
  email = "";
  readonly lines: { sku: string; quantity: number; cents: number }[] = [];
  total = 0;
  status = "open";

  protected apply(event: ShopEvent): void {
    switch (event.type) {
      case "OrderPlaced":
        [this.customer, this.email] = [event.data.customer, event.data.email];
        break;
      case "LineAdded":
        this.lines.push({ ...event.data });
        this.total += event.data.cents * event.data.quantity;
        break;
      case "PaymentTaken":
        this.status = "paid";
        break;
      case "ParcelShipped":
        this.status = "shipped";
    }
  }
}

const names = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Tony"];
const skus = ["lamp", "tea", "pot", "desk-oak-160", "chair", "cable"];

/** A shop with some orders, consumers of all kinds, and parked streams. */
export async function shopWindow(options: Partial<StudioOptions> = {}, orders: number = 60) {
  const read = new Map<string, number>();
  const store = new EventStore(memory({ db: read }), { events, keys: subjectKeys() });
  let broken = true;
  const consumers: readonly Consumer[] = [
    new Projection(store, {
      name: "order-list",
      handlers: {
        OrderPlaced: ({ streamId }, { db }) => db.set(streamId, 0),
        LineAdded: ({ streamId, data }, { db }) =>
          db.set(streamId, (db.get(streamId) ?? 0) + data.cents),
      },
      reset: ({ db }) => db.clear(),
    }),
    new Subscription(store, {
      name: "invoices",
      types: ["PaymentTaken"],
      async handler(event, { store }) {
        if (broken && event.data.method === "voucher") {
          throw new PermanentError(
            "The voucher is not in the books: 409 Conflict from https://books.example/vouchers",
          );
        }
        if (broken && event.data.cents > 90_000) {
          throw new PermanentError("Amounts above 900.00 need a person's approval");
        }
        const id = event.streamId.slice("order:".length);
        await store.append(
          `invoice:${id}`,
          InvoiceSent({ order: id, number: `2026-${id}` }, {
            createdAt: new Date(event.createdAt.getTime() + 3000),
          }),
        );
      },
    }),
    new Outbox(store, { name: "rabbit", sensitive: "mask", publisher() {} }),
  ];
  const now = Date.now();
  for (let index = 0; index < orders; index++) {
    const [id, customer] = [`order:${1201 + index}`, names[index * 7 % names.length]!];
    const wave = 0.5 + 0.5 * Math.sin(index / 5);
    const start = now - (orders - index) * 58_000 - Math.round(wave * 30_000);
    const at = (minutes: number) => ({
      createdAt: new Date(Math.min(now - 1000, start + minutes * 7000)),
    });
    const placed = OrderPlaced({
      customer,
      email: `${customer.toLowerCase()}@example.com`,
      channel: index % 3 === 0 ? "phone" : "web",
    }, at(0));
    await store.append(id, placed);
    const flow = { correlationId: placed.id, causationId: placed.id };
    const lines = Array.from(
      { length: 1 + index % 4 },
      (_, line) =>
        LineAdded({
          sku: skus[(index + line) % skus.length]!,
          quantity: 1 + (index + line) % 3,
          cents: 450 + 2150 * ((index * 5 + line) % 13),
        }, { metadata: flow, ...at(1 + line) }),
    );
    await store.append(id, lines);
    if (index % 5 !== 4) {
      const cents = lines.reduce((sum, { data }) => sum + data.cents * data.quantity, 0);
      const paid = PaymentTaken({ method: index % 9 === 2 ? "voucher" : "card", cents }, {
        metadata: flow,
        ...at(5),
      });
      await store.publish(id, paid);
      if (index % 3 !== 1) {
        await store.publish(
          id,
          ParcelShipped({
            carrier: index % 2 ? "DHL" : "Post",
            weight: 0.4 + index % 7,
            express: index % 4 === 0,
          }, {
            metadata: {
              ...flow,
              causationId: paid.id,
              traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            },
            ...at(6),
          }),
        );
      }
      await consumers[1]!.drain();
    }
    if (index === orders - 20) await consumers[2]!.drain(); // nobody has run it since
  }
  for (const consumer of consumers.slice(0, 2)) await consumer.drain();
  const handler = studio(store, {
    authorize: () => "act",
    title: "Shop",
    consumers,
    aggregates: { order: Order },
    actions: true,
    ...options,
  });
  return {
    store,
    handler,
    consumers,
    inspector: inspect(store),
    mend: () => void (broken = false),
    OrderPlaced,
  };
}
