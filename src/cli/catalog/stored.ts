import type { Event, EventStore, ExaminedType } from "../../../mod.ts";
import { type EventCatalog, eventCatalog } from "../../evolution/mod.ts";
import { type Internals, internalsOf } from "../../store/internals.ts";

/** Describes the event types of a store. */
export function catalogOf<E extends Event, Db>(store: EventStore<E, Db>): EventCatalog {
  const { types, retired } = partsOf(store).shared.catalog;
  return eventCatalog(types, { retired });
}

/** Reads which types are stored; undefined if the driver does not show them. */
export async function storedTypes<E extends Event, Db>(
  store: EventStore<E, Db>,
): Promise<readonly ExaminedType[] | undefined> {
  return await store.driver.examiner?.types();
}

/** Finds what is stored and the program cannot read. */
export function unreadable(
  { events, retired }: EventCatalog,
  stored: readonly ExaminedType[],
): readonly string[] {
  const versions = new Map(
    events.flatMap(({ type, aliases, version }) =>
      [type, ...aliases].map((name) => [name, version] as const)
    ),
  );
  return stored.flatMap(({ type, schemaVersion }) => {
    if (retired.includes(type)) return [];
    const version = versions.get(type);
    if (version === undefined) {
      return [`${type}: it is stored, and not defined; define it, or name it in retired`];
    }
    return schemaVersion > version
      ? [`${type}: version ${schemaVersion} is stored, and the program knows ${version}`]
      : [];
  });
}

function partsOf(store: object): Internals<Event, unknown> {
  const internals = internalsOf<Event, unknown>(store);
  if (internals === undefined) throw new TypeError("store must be an event store");
  return internals;
}
