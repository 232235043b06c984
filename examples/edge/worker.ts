// Orders at the edge: a Worker whose store lives as long as the isolate, in front of Turso or any libSQL server.
import { drizzle } from "drizzle-orm/libsql/web";
import {
  Aggregate,
  defineEvent,
  type EventOf,
  EventStore,
  Outbox,
  Repository,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";

/** What the Worker is given. */
export interface Environment {
  readonly LIBSQL_URL: string;
  readonly LIBSQL_PREFIX: string;
  readonly WEBHOOK_URL: string;
}

interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

const LineAdded = defineEvent<{ readonly cents: number }>()("LineAdded");
const Noted = defineEvent<{ readonly text: string }>()("Noted");

class Order extends Aggregate<EventOf<typeof LineAdded>> {
  static readonly category = "order";
  cents = 0;
  protected apply({ data }: EventOf<typeof LineAdded>): void {
    this.cents += data.cents;
  }
  protected override snapshot(): number {
    return this.cents;
  }
  protected override restore(state: unknown): void {
    this.cents = state as number;
  }
  add(cents: number): void {
    this.emit(LineAdded({ cents }));
  }
}

/** Opens the store, which serves all requests: it holds no connection, and its cache is worth keeping. */
function open({ LIBSQL_URL: url, LIBSQL_PREFIX: prefix }: Environment) {
  const connection = { url, concurrency: 1000 }; // a request that waits for another's would be ended as hung
  const driver = libsql(drizzle({ connection }), { prefix });
  const store = new EventStore(driver, { events: [LineAdded, Noted], publishes: true });
  const orders = new Repository(store, Order);
  const cached = new Repository(store, Order, { cache: { max: 100 } });
  return { store, orders, cached };
}

let opened: ReturnType<typeof open> | undefined;

/** A consumer has timers and signals, which belong to the request that makes it: so each makes its own. */
function outboxOf(env: Environment): Outbox {
  return new Outbox((opened ??= open(env)).store, {
    async publisher({ id, type, streamId }, { signal }) {
      const body = JSON.stringify({ id, type, streamId });
      const response = await fetch(env.WEBHOOK_URL, { method: "POST", body, signal });
      if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
    },
  });
}

export default {
  async fetch(request: Request, env: Environment, context: Context): Promise<Response> {
    const { store, orders, cached } = opened ??= open(env);
    const [, kind, id = ""] = new URL(request.url).pathname.split("/");
    if (request.method === "GET") {
      return Response.json({ cents: (await orders.load(id))?.cents ?? 0 });
    }
    const { cents = 0, text = "" } = await request.json() as { cents?: number; text?: string };
    if (kind === "notes") {
      const { version } = await store.append(`note:${id}`, Noted({ text }));
      return Response.json({ version });
    }
    const repository = kind === "cached" ? cached : orders;
    const total = await repository.aggregate(id, (order) => {
      order.add(cents);
      return order.cents;
    });
    // After the response, and nothing is begun that could not end in time.
    if (kind === "published") context.waitUntil(outboxOf(env).runOnce({ maxDuration: 20_000 }));
    return Response.json({ cents: total });
  },

  /** By cron: what is left, and retries. */
  async scheduled(_event: unknown, env: Environment, context: Context): Promise<void> {
    context.waitUntil(outboxOf(env).drain());
  },
};
