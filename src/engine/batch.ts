import type { StoredEvent } from "../driver/read.ts";
import { keyOf } from "./lease.ts";

/** What a pass is at: the events of one page of the log, those that run just now and those that wait for their turn. */
export class Batch {
  /** How far the page reaches. */
  readonly scanned: number;
  readonly #running: Map<string, StoredEvent> = new Map();
  #waiting: StoredEvent[];

  /** @param waiting The events, in order; the list is the batch's from now on. */
  constructor(waiting: StoredEvent[], scanned: number) {
    this.#waiting = waiting;
    this.scanned = scanned;
  }

  /** Those that wait for their turn, in order. */
  get waiting(): readonly StoredEvent[] {
    return this.#waiting;
  }

  /** Takes the first event of a stream that nobody is at, which runs from now on; undefined where there is none. */
  take(): StoredEvent | undefined {
    const index = this.#waiting.findIndex((event) => !this.#running.has(keyOf(event)));
    if (index < 0) return undefined;
    const [event] = this.#waiting.splice(index, 1);
    this.#running.set(keyOf(event!), event!);
    return event;
  }

  /** Notes that an event runs no more. */
  end(event: StoredEvent): void {
    this.#running.delete(keyOf(event));
  }

  /** Has an event wait again, before all others. */
  putBack(event: StoredEvent): void {
    this.#waiting.unshift(event);
  }

  /** Takes out all that waits of a stream. */
  removeWaiting(stream: string): readonly StoredEvent[] {
    const left = this.#waiting.filter((event) => keyOf(event) === stream);
    this.#waiting = this.#waiting.filter((event) => keyOf(event) !== stream);
    return left;
  }

  /** Takes out all that waits. */
  clear(): void {
    this.#waiting = [];
  }

  /** Everything at or below it is over with; `done` counts as such. */
  checkpointAfter(done?: StoredEvent): number {
    const open = [...this.#running.values(), ...this.#waiting].filter((event) => event !== done);
    return open.reduce((least, { position }) => Math.min(least, position - 1), this.scanned);
  }
}
