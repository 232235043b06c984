import type { Event, RecordedEvent } from "../event/event.ts";
import { quote } from "../errors/base.ts";
import { checkFunction, checkList, wrongType } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";

/** A handler and the events it is called for. `Store` is the type of the store that it receives. */
export interface MatchedHandler<E extends Event, Db, Store> {
  /** A key under which a later handler replaces this one; undefined for a handler that is never replaced. */
  readonly key?: string | undefined;
  /** Reports whether it is called for this event. */
  readonly matches: (event: Event, category: string) => boolean;
  /** Whether it is called after the commit, instead of inside the append's transaction. */
  readonly afterCommit: boolean;
  /** The function to call; inside the transaction its rejection rolls the append back. */
  readonly handler: (
    event: RecordedEvent<E>,
    context: { readonly store: Store; readonly db: Db },
  ) => unknown;
}

/**
 * The events that an entry is called for: all of the store's if it has no `types`.
 *
 * @category Event store
 */
export type HandledEvent<E extends Event, Type> = unknown extends Type ? E
  : Extract<E, { readonly type: Type }>;

interface SubscriptionInput {
  readonly types?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly afterCommit?: boolean | undefined;
  readonly handler: unknown;
}

/**
 * Finds the members of an object that are named after event types, own and inherited ones. Inherited members with other
 * names are ignored, so that a class may have other methods.
 *
 * @param argument The name of the object in messages.
 * @param known Reports whether the store has an event type of this name.
 * @returns The members by their keys, own before inherited ones; undefined members are omitted.
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
      const own = Object.getPrototypeOf(Object.getPrototypeOf(object) ?? Object.prototype) !== null;
      throw new TypeError(
        `${argument} must be named after events: ${quote(key)} is not among the store's events` +
          (own ? "; a class keeps its state in #private fields" : ""),
      );
    }
    keys.add(key);
  }
  let prototype: object | null = Object.getPrototypeOf(object);
  // The last prototype is `Object.prototype`, of whichever realm: every object inherits its members.
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
 * @param known Reports whether the store has an event type of this name.
 * @param transactions Whether handlers can run inside the append.
 * @throws {TypeError} If a handler is not a function, or a type is not one of the store's.
 * @throws {UnsupportedError} If one is to run inside the append, and cannot.
 */
export function readSubscriptions<E extends Event, Db, Store>(
  option: unknown,
  known: (type: string) => boolean,
  transactions: boolean,
): MatchedHandler<E, Db, Store>[] {
  if (option === undefined) return [];
  if (typeof option !== "object" || option === null) {
    throw wrongType("subscriptions", "an object or a list", option);
  }
  const entries = Array.isArray(option)
    ? option.map((entry: SubscriptionInput) => entryOf(entry, entry))
    : entriesOf(option, known);
  return entries.map(({ types, categories, afterCommit = false, handler, object }) => {
    checkFunction("handler", handler);
    if (types !== undefined) checkList("types", types);
    if (categories !== undefined) checkList("categories", categories, true);
    for (const type of types ?? []) {
      if (!known(type)) {
        throw new TypeError(
          `Cannot subscribe to ${quote(type)}: it is not among the store's events`,
        );
      }
    }
    if (!transactions && !afterCommit) {
      throw new UnsupportedError(
        "subscribe inside the append",
        "this database handle has no interactive transactions",
      );
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
    throw new TypeError("subscriptions must have a list of handlers for an event type");
  }
  return [...lists].flatMap(([type, handlers]) => {
    if (!Array.isArray(handlers)) {
      throw new TypeError(`subscriptions of ${quote(type)} must be a list of functions`);
    }
    const types = type === "*" ? undefined : [type];
    return handlers.map((handler: unknown) => entryOf({ types, handler }, map));
  });
}

/**
 * The origin of an error that a store reports; its work has succeeded all the same.
 *
 * @category Event store
 */
export type StoreErrorContext = HandlerErrorContext | SnapshotErrorContext;

/**
 * The origin of an error of a handler after the commit.
 *
 * @category Event store
 */
export interface HandlerErrorContext {
  /** The step that failed. */
  readonly phase: "afterCommit";
  /** The event that it was called for. */
  readonly event: RecordedEvent;
}

/**
 * The origin of a `SnapshotError`.
 *
 * @category Event store
 */
export interface SnapshotErrorContext {
  /** The step that failed. */
  readonly phase: "snapshot";
  /** The stream that it is of. */
  readonly streamId: string;
}
