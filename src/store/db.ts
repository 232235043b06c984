import type { Event } from "../event/event.ts";
import type { EventStore } from "./store.ts";

/**
 * The type of the `db` that a store's handlers and transactions are given, for handlers in a module of their own:
 * `ProjectionHandlers<OrderEvent, DbOf<typeof store>>`. For a Drizzle database that is the transaction's type, not the
 * handle's.
 *
 * @category Event store
 */
export type DbOf<Store> = Store extends EventStore<infer _E extends Event, infer Db> ? Db : never;
