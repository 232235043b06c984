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
  const members = new Map<string, unknown>();
  const add = (key: string) => {
    const member: unknown = Reflect.get(object, key);
    if (member !== undefined) members.set(key, member);
  };
  Object.keys(object).forEach(add);
  const wrong = [...members.keys()].find((key) => !known(key));
  if (wrong !== undefined) {
    throw new TypeError(
      `${argument} must be named after events: ${quote(wrong)} is not among the store's events` +
        (isInstance(object) ? "; a class keeps its state in #private fields" : ""),
    );
  }
  for (let holder = object; isInstance(holder);) {
    holder = Object.getPrototypeOf(holder);
    Object.getOwnPropertyNames(holder).filter((key) => key !== "constructor" && known(key))
      .forEach(add);
  }
  return members;
}

/** Whether an object inherits more than the members of `Object.prototype`, of whichever realm that is. */
function isInstance(object: object): boolean {
  const prototype = Object.getPrototypeOf(object);
  return prototype !== null && Object.getPrototypeOf(prototype) !== null;
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
  const entries: readonly Entry[] = Array.isArray(option)
    ? option.map((entry: SubscriptionInput): Entry => [entry, entry])
    : entriesOf(option, known);
  return entries.map(([{ types, categories, afterCommit = false, handler }, object]) => {
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
type Entry = readonly [SubscriptionInput, object];

function entriesOf(map: object, known: (type: string) => boolean): readonly Entry[] {
  const lists = membersOf("subscriptions", map, (type) => type === "*" || known(type));
  if (lists.size === 0 && isInstance(map)) {
    throw new TypeError("subscriptions must have a list of handlers for an event type");
  }
  return [...lists].flatMap(([type, handlers]) => {
    if (!Array.isArray(handlers)) {
      throw new TypeError(`subscriptions of ${quote(type)} must be a list of functions`);
    }
    const types = type === "*" ? undefined : [type];
    return handlers.map((handler: unknown): Entry => [{ types, handler }, map]);
  });
}

/**
 * The origin of an error that a store reports; its work has succeeded all the same.
 *
 * @category Event store
 */
export type StoreErrorContext = HandlerErrorContext | SnapshotErrorContext | InboxErrorContext;

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

/**
 * The origin of an error of an inbox, whose old marks could not be removed.
 *
 * @category Event store
 */
export interface InboxErrorContext {
  /** The step that failed. */
  readonly phase: "inbox";
  /** The name of the inbox. */
  readonly inbox: string;
}
