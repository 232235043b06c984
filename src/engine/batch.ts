import type { StoredEvent } from "../driver/read.ts";
import { keyOf } from "./lease.ts";

/** One page of events that a pass is working through: running and waiting. */
export class Batch {
  /** The position up to which the log was searched for this page. */
  readonly scanned: number;
  readonly #running: Map<string, StoredEvent> = new Map();
  #waiting: StoredEvent[];

  /** @param waiting The events, in order; the batch takes over the list and changes it. */
  constructor(waiting: StoredEvent[], scanned: number) {
    this.#waiting = waiting;
    this.scanned = scanned;
  }

  /** The events that have not started, in order. */
  get waiting(): readonly StoredEvent[] {
    return this.#waiting;
  }

  /** Takes the first event of a stream with no running event, and marks it as running; undefined if there is none. */
  take(): StoredEvent | undefined {
    const index = this.#waiting.findIndex((event) => !this.#running.has(keyOf(event)));
    if (index < 0) return undefined;
    const [event] = this.#waiting.splice(index, 1);
    this.#running.set(keyOf(event!), event!);
    return event;
  }

  /** Marks an event as no longer running. */
  end(event: StoredEvent): void {
    this.#running.delete(keyOf(event));
  }

  /** Puts an event back at the head of the queue. */
  putBack(event: StoredEvent): void {
    this.#waiting.unshift(event);
  }

  /** Removes and returns the waiting events of a stream. */
  removeWaiting(stream: string): readonly StoredEvent[] {
    const removed = this.#waiting.filter((event) => keyOf(event) === stream);
    this.#waiting = this.#waiting.filter((event) => keyOf(event) !== stream);
    return removed;
  }

  /** Removes all waiting events. */
  clear(): void {
    this.#waiting = [];
  }

  /** The highest position up to which everything is done, where `done` counts as done. */
  checkpointAfter(done?: StoredEvent): number {
    const open = [...this.#running.values(), ...this.#waiting].filter((event) => event !== done);
    return open.reduce((least, { position }) => Math.min(least, position - 1), this.scanned);
  }
}
