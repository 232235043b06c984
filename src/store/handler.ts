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
 * Finds what an object holds for event types: its own members, and those along its prototype chain, as of a class. Along
 * the chain only the names of event types count, so that a class may have other methods, too.
 *
 * @param argument What the object is called in messages.
 * @param known Whether the store has an event type of this name.
 * @returns The members by their keys, an object's own before those that it inherits; what is undefined is left out.
 * @throws {TypeError} If the object has a member of its own that is not named after an event type.
 */
export function membersOf(
  argument: string,
  object: object,
  known: (type: string) => boolean,
): ReadonlyMap<string, unknown> {
  const keys = new Set<string>();
  for (const key of Object.keys(object)) {
    if (Reflect.get(object, key) === undefined) continue;
    if (!known(key)) {
      throw new TypeError(
        `${argument} must be named after the store's event types, which ${quote(key)} is not; ` +
          "a class keeps its state in #private fields",
      );
    }
    keys.add(key);
  }
  let prototype: object | null = Object.getPrototypeOf(object);
  // The last of a chain is `Object.prototype`, of whichever realm: its members are everyone's.
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    if (Object.getPrototypeOf(prototype) === null) break;
    for (const key of Object.getOwnPropertyNames(prototype)) {
      if (key !== "constructor" && known(key)) keys.add(key);
    }
  }
  const members = [...keys].map((key) => [key, Reflect.get(object, key)] as const);
  return new Map(members.filter(([, member]) => member !== undefined));
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
  const entries = Array.isArray(option)
    ? option.map((entry: SubscriptionInput) => entryOf(entry, entry))
    : entriesOf(option, known);
  return entries.map(({ types, categories, afterCommit = false, handler, object }) => {
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
      handler: (handler as MatchedHandler<E, Db, Store>["handler"]).bind(object),
    };
  });
}

/** A handler, and the object that it is called on. */
interface OwnedHandler extends SubscriptionInput {
  readonly object: object;
}

function entryOf(
  { types, categories, afterCommit, handler }: SubscriptionInput,
  object: object,
): OwnedHandler {
  return { types, categories, afterCommit, handler, object };
}

function entriesOf(map: object, known: (type: string) => boolean): readonly OwnedHandler[] {
  const lists = membersOf("subscriptions", map, (type) => type === "*" || known(type));
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(map));
  if (lists.size === 0 && !isPlain) {
    throw new TypeError("subscriptions must have a list of handlers for at least one event type");
  }
  return [...lists].flatMap(([type, handlers]) => {
    if (!Array.isArray(handlers)) {
      throw new TypeError(`subscriptions of ${quote(type)} must be a list of functions`);
    }
    const types = type === "*" ? undefined : [type];
    return handlers.map((handler: unknown) => entryOf({ types, handler }, map));
  });
}
