import type { Event } from "./event.ts";

// No type may be defined under a name that begins so, which keeps the two apart.
const mark = "?";

/** Whether an event's type marks it as one that the store keeps although nobody defined it. */
export function isUnknown({ type }: Pick<Event, "type">): boolean {
  return type.startsWith(mark);
}

/** The type under which a store reads an event of a stored type that nobody defined. */
export function toUnknown(storedType: string): string {
  return mark + storedType;
}

/** The stored type of what `toUnknown` marked; other types are returned as they are. */
export function fromUnknown(type: string): string {
  return type.startsWith(mark) ? type.slice(mark.length) : type;
}
