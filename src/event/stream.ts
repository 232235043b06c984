import { checkName } from "../errors/check.ts";

/** The number of slots, and so the highest possible number of lanes. */
export const slots = 1024;

/**
 * Returns the slot of a stream, from which its lane follows for any number of lanes. It is stored with each event, so
 * this function never changes: the FNV-1a hash of the UTF-16 units of tenant, NUL and stream, folded to ten bits.
 */
export function slotOf(tenantId: string, streamId: string): number {
  let hash = 0x811c9dc5;
  const text = `${tenantId}\0${streamId}`;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return ((hash >>> 22) ^ (hash >>> 12) ^ hash) & (slots - 1);
}

/** Returns the part of a stream id before the first `:`, or `""` if there is none. */
export function categoryOf(streamId: string): string {
  return streamId.slice(0, Math.max(0, streamId.indexOf(":")));
}

/** Returns the stream id of an aggregate or decider: `category:id`, or the id alone without a category. */
export function streamIdOf(category: string | undefined, id: string): string {
  checkName("id", id);
  return category === undefined ? id : `${category}:${id}`;
}
