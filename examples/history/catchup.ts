import type { Consumer } from "event-sourcery";
import { setTimeout } from "node:timers/promises";

/** How long a run that was killed keeps others from going on where it was, in milliseconds. */
export const lease = 1000;

/**
 * Lets a consumer handle all up to a position. Where another process is at it, or was killed at it, waits for that: what
 * runs on and on, as a service does, need not care.
 *
 * @returns How many events it handled.
 */
export async function catchUp(consumer: Consumer, position: number): Promise<number> {
  let handled = 0;
  while (true) {
    const result = await consumer.drain();
    handled += result.handled;
    if (result.position >= position) return handled;
    await setTimeout(lease / 10);
  }
}
