import { BusyError } from "../../mod.ts";

/** The longest time that a timer and a database take, in milliseconds. */
export const longest: number = 2 ** 31 - 1;

/**
 * Checks how long a write may wait.
 *
 * @throws {TypeError | RangeError} If it is no whole number of milliseconds.
 */
export function checkBusyTimeout(value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(`busyTimeout must be a number, got ${typeof value}`);
  }
  if (!Number.isInteger(value) || value < 0 || value > longest) {
    throw new RangeError(`busyTimeout must be a whole number from 0 to ${longest}, got ${value}`);
  }
}

const queues: WeakMap<object, Queue> = new WeakMap();

/** Gives the queue of a database client, which all drivers over it share. */
export function queueOf(client: object, timeout: number): Queue {
  const turns = queues.get(client) ?? new Queue(timeout);
  queues.set(client, turns);
  return turns;
}

/**
 * A queue for what must not happen at the same time: the writes and transactions of a database with one writer.
 *
 * Waiting in a queue of our own keeps the event loop free, where a database's busy timeout would block it.
 */
export class Queue {
  readonly #timeout: number;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** @param timeout How long to wait for a turn, in milliseconds. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** Whether nobody has a turn or waits for one, so that work that takes no time needs none. */
  get free(): boolean {
    return this.#waiting === 0;
  }

  /**
   * Runs work when all that came before has ended.
   *
   * @throws {BusyError} If that takes longer than the timeout; the work is not begun then.
   */
  async run<R>(work: () => Promise<R>): Promise<R> {
    const before = this.#last;
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => end = resolve);
    this.#last = before.then(() => ended);
    const busy = this.#waiting++ > 0;
    try {
      if (busy) await this.#within(before);
      return await work();
    } finally {
      this.#waiting--;
      end();
    }
  }

  async #within(turn: Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new BusyError(this.#timeout)), this.#timeout);
    });
    try {
      await Promise.race([turn, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}
