import type { Consumer } from "event-sourcery";
import { setTimeout } from "node:timers/promises";

/** How long a killed run blocks its successor, in milliseconds. */
export const lease = 1000;

/**
 * Runs a consumer up to a position. Waits if another process is running it, or was killed while running it; a service,
 * which runs continuously, does not need this.
 *
 * @returns The number of events it handled.
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
