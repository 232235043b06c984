import type { Event, RecordedEvent } from "../event/event.ts";
import { quote } from "../errors/base.ts";
import { checkFunction, checkList } from "../errors/check.ts";

/** A handler with what it is to be called for. `Store` is the store that it is given. */
export interface MatchedHandler<E extends Event, Db, Store> {
  /** What it is known by, so that another takes its place; undefined where nothing may. */
  readonly key?: string | undefined;
  /** Whether it is to be called for this event. */
  readonly matches: (event: Event, category: string) => boolean;
  /** Whether it is called after the commit. */
  readonly afterCommit: boolean;
  /** What is called. */
  readonly handler: (
    event: RecordedEvent<E>,
    context: { readonly store: Store; readonly db: Db },
  ) => unknown;
}

interface SubscriptionInput {
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
export function readSubscriptions<E extends Event, Db, Store>(
  option: unknown,
  known: (type: string) => boolean,
): MatchedHandler<E, Db, Store>[] {
  if (option === undefined) return [];
  if (typeof option !== "object" || option === null) {
    throw new TypeError("subscriptions must be an object or a list");
  }
  const entries: readonly SubscriptionInput[] = Array.isArray(option)
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
      handler: handler as MatchedHandler<E, Db, Store>["handler"],
    };
  });
}
