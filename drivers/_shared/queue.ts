import { BusyError } from "../../mod.ts";

/** The longest timeout that timers and databases accept, in milliseconds. */
export const longest: number = 2 ** 31 - 1;

/**
 * Checks the option `busyTimeout`.
 *
 * @throws {TypeError | RangeError} If it is not a whole number of milliseconds from 0 to `longest`.
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

/** Returns the queue of a database client, which all drivers on that client share. */
export function queueOf(client: object, timeout: number): Queue {
  const queue = queues.get(client) ?? new Queue(timeout);
  queues.set(client, queue);
  return queue;
}

/**
 * Runs work one by one: the writes and transactions of a database with a single writer.
 *
 * Waiting here keeps the event loop free, whereas a database's busy timeout would block it.
 */
export class Queue {
  readonly #timeout: number;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** @param timeout The longest wait of work in the queue, in milliseconds. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** Whether no work is running or waiting, so that synchronous work may skip the queue. */
  get free(): boolean {
    return this.#waiting === 0;
  }

  /**
   * Runs work as soon as all earlier work has ended.
   *
   * @throws {BusyError} If the wait exceeds the timeout; the work is not started then.
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

  async #within(before: Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new BusyError(this.#timeout)), this.#timeout);
    });
    try {
      await Promise.race([before, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}
