import type { Event } from "./event.ts";

// `defineEvent` refuses names with this prefix, so a marked type never collides with a defined one.
const mark = "?";

/** Reports whether an event is of a type that the store does not know, and keeps. */
export function isUnknown({ type }: Pick<Event, "type">): boolean {
  return type.startsWith(mark);
}

/** Marks a stored type that the store does not know. */
export function toUnknown(storedType: string): string {
  return mark + storedType;
}

/** Returns the stored type that `toUnknown` marked; returns other types unchanged. */
export function fromUnknown(type: string): string {
  return type.startsWith(mark) ? type.slice(mark.length) : type;
}
