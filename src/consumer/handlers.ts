import type { ProjectionContext } from "../engine/context.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import { quote } from "../errors/base.ts";
import { checkFunction, checkObject } from "../errors/check.ts";
import { membersOf } from "../store/handler.ts";
import { internalsOf } from "../store/internals.ts";

/** Handlers by event type, each bound to the object that holds it. */
export type Handlers<E extends Event, Db> = ReadonlyMap<
  string,
  (event: RecordedEvent<E>, context: ProjectionContext<E, Db>) => unknown
>;

/**
 * Reads the handlers of a projection.
 *
 * @throws {TypeError} If one is not a function, or an own key is not the name of an event.
 */
export function checkHandlers<E extends Event, Db>(store: object, object: object): Handlers<E, Db> {
  checkObject("handlers", object);
  // A value that is not a store is refused later, with a message of its own.
  const catalog = internalsOf<E, Db>(store)?.shared.catalog;
  const members = membersOf("handlers", object, (type) => catalog?.has(type) ?? true);
  return new Map([...members].map(([type, handler]) => {
    checkFunction(`handler of ${quote(type)}`, handler);
    return [type, handler.bind(object)];
  }));
}
