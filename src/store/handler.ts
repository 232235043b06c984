import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventStore } from "./store.ts";
import { checkFunction, checkList } from "../errors/check.ts";
import { quote } from "../errors/base.ts";

/** What a handler is given besides the event. */
export interface HandlerContext<E extends Event = Event, Db = unknown> {
  /**
   * The store, of the event's tenant and inside the same transaction: what is appended through it commits or vanishes
   * with the event, and carries the event's correlation id and the event's id as causation id.
   */
  readonly store: EventStore<E, Db>;
  /** The database handle of the same transaction, for the handler's own statements. */
  readonly db: Db;
}

/** Is called for an event; when it rejects inside a transaction, nothing of the append is stored. */
export type Handler<Handled extends Event, E extends Event = Handled, Db = unknown> = (
  event: RecordedEvent<Handled>,
  context: HandlerContext<E, Db>,
) => unknown;

/**
 * Handlers by event type, in the order they are called; `"*"` stands for every type. `Stored` is what the handlers'
 * store reads: more than `E` where it keeps unknown events.
 */
export type SubscriptionMap<E extends Event, Db, Stored extends Event = E> =
  & {
    readonly [Type in E["type"]]?:
      | readonly Handler<Extract<E, { readonly type: Type }>, Stored, Db>[]
      | undefined;
  }
  & { readonly "*"?: readonly Handler<E, Stored, Db>[] | undefined };

/** One handler with what it wants to be called for. `Type` is inferred from `types`, which narrow the event. */
export interface SubscriptionEntry<E extends Event, Db, Type = unknown, Stored extends Event = E> {
  /** Only events of these types. @default all */
  readonly types?: readonly (Type & E["type"])[] | undefined;
  /** Only events of streams of these categories. @default all */
  readonly categories?: readonly string[] | undefined;
  /**
   * Whether it is called after the commit, never after a rollback, instead of inside the transaction. Best effort: a
   * crash in between loses the call; what must not be lost belongs into a consumer. @default false
   */
  readonly afterCommit?: boolean | undefined;
  /** What is called. */
  readonly handler: Handler<Subscribed<E, NoInfer<Type>>, Stored, Db>;
}

/** The events that an entry is called for: all where it names no types. */
export type Subscribed<E extends Event, Type> = unknown extends Type ? E
  : Extract<E, { readonly type: Type }>;

/** A handler, ready to be matched. */
export interface Subscription<E extends Event, Db> {
  /** What it is known by, so that another takes its place; nothing does where it has none. */
  readonly key?: string | undefined;
  /** Whether it wants this event. */
  readonly matches: (event: Event, category: string) => boolean;
  /** Whether it is called after the commit. */
  readonly afterCommit: boolean;
  /** What is called. */
  readonly handler: Handler<E, E, Db>;
}

interface Listed {
  readonly types?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly afterCommit?: boolean | undefined;
  readonly handler: unknown;
}

/**
 * Reads the `subscriptions` option in either of its forms, keeping the order.
 *
 * @param known Tells whether the store has an event type.
 * @throws {TypeError} If a handler is no function, or a type is not one of the store's.
 */
export function readSubscriptions<E extends Event, Db>(
  option: unknown,
  known: (type: string) => boolean,
): Subscription<E, Db>[] {
  if (option === undefined) return [];
  if (typeof option !== "object" || option === null) {
    throw new TypeError("subscriptions must be an object or a list");
  }
  const entries: readonly Listed[] = Array.isArray(option)
    ? option
    : Object.entries(option).flatMap(
      ([type, handlers]) => {
        if (handlers !== undefined && !Array.isArray(handlers)) {
          throw new TypeError(`subscriptions of ${quote(type)} must be a list of functions`);
        }
        return (handlers ?? []).map((handler: unknown) =>
          type === "*" ? { handler } : { types: [type], handler }
        );
      },
    );
  return entries.map(({ types, categories, afterCommit = false, handler }) => {
    checkFunction("a subscription's handler", handler);
    if (types !== undefined) checkList("types", types);
    if (categories !== undefined) checkList("categories", categories, true);
    for (const type of types ?? []) {
      if (!known(type)) {
        throw new TypeError(
          `Cannot subscribe to ${quote(type)}: it is not among the store's events`,
        );
      }
    }
    return {
      matches: (event, category) =>
        (types?.includes(event.type) ?? true) && (categories?.includes(category) ?? true),
      afterCommit,
      handler: handler as Handler<E, E, Db>,
    };
  });
}
