import { createClient } from "@libsql/client";
import { drizzle as embedded } from "drizzle-orm/libsql";
import { drizzle as server } from "drizzle-orm/postgres-js";
import { defineEvent, type EventOf, EventStore } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import connect from "postgres";

export const OrderPlaced = defineEvent<{ number: number }>()("OrderPlaced");
export const OrderShipped = defineEvent<{ number: number }>()("OrderShipped");
const events = [OrderPlaced, OrderShipped] as const;

/** The event type that the web process and the relays share. */
export interface Opened extends AsyncDisposable {
  readonly store: EventStore<EventOf<typeof events[number]>>;
}

/** Opens the store at a URL: `postgres://…` with a schema, or `file:…`. */
export async function open(url: string, schema: string = "event_sourcery"): Promise<Opened> {
  if (url.startsWith("file:")) {
    const client = createClient({ url });
    const driver = libsql(embedded(client));
    await driver.migrate();
    return {
      store: new EventStore(driver, { events }),
      [Symbol.asyncDispose]: async () => client.close(),
    };
  }
  const client = connect(url, { onnotice: () => {} });
  const driver = postgres(server(client), { schema });
  await driver.migrate();
  return {
    store: new EventStore(driver, { events }),
    [Symbol.asyncDispose]: () => client.end(),
  };
}
