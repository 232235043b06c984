import type { Driver } from "../driver/driver.ts";
import type { ConsumerKey } from "../driver/keys.ts";
import { sleep } from "../async/sleep.ts";

/** The answer to a poll, which all consumers of a driver share. */
interface LogState {
  /** The position up to which the log is settled. */
  readonly settled: number;
  /** Consumers with work that does not come from the log: a retry that is due, a lease that ran out. */
  readonly due: readonly ConsumerKey[];
}

/** How often the consumers that run here are marked as seen, in milliseconds. */
const seenEvery = 5000;

const byDriver: WeakMap<object, WakeUps> = new WeakMap();

/** Returns the wake-ups of a driver; all stores on the driver share them. */
export function wakeUpsOf(driver: Driver): WakeUps {
  const wakeUps = byDriver.get(driver) ?? new WakeUps(driver);
  byDriver.set(driver, wakeUps);
  return wakeUps;
}

/**
 * Wakes consumers and followers that wait for new events: immediately within the process, through the driver's notifier
 * across processes. A wake-up is only a hint; sleepers also wake on their timer.
 */
export class WakeUps {
  readonly #driver: Driver;
  readonly #sleepers: Set<() => void> = new Set();
  #count = 0;
  #state: { readonly at: number; readonly answer: Promise<LogState> } | undefined;
  #listeners = 0;
  /** The consumers that run here; one that runs twice is listed twice. */
  #running: readonly ConsumerKey[] = [];
  #seenAt = -Infinity;
  #stop: (() => void) | undefined;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /**
   * The number of wake-ups so far. A caller reads it before it looks for work and passes it to `sleep`, so that it does
   * not miss one that arrives in between.
   */
  get count(): number {
    return this.#count;
  }

  /** Wakes all sleepers, here and in other processes, after events were committed. */
  notify(): void {
    this.#wake();
    this.#driver.notifier?.notify();
  }

  /**
   * Listens to the driver's notifier until the returned function is called.
   *
   * @param consumer The consumer that runs meanwhile, and is marked as seen. @default none
   */
  listen(consumer?: ConsumerKey): () => void {
    if (this.#listeners++ === 0) this.#stop = this.#driver.notifier?.listen(() => this.#wake());
    const run = consumer && { ...consumer };
    if (run !== undefined) {
      this.#running = [...this.#running, run];
      this.#seenAt = -Infinity;
    }
    return () => {
      this.#running = this.#running.filter((one) => one !== run);
      if (--this.#listeners === 0) this.#stop?.();
    };
  }

  /**
   * Waits for the next wake-up.
   *
   * @param milliseconds The longest wait.
   * @param count The `count` from before the caller looked for work; if it has risen since, returns immediately.
   * @param signal Ends the wait, without an error.
   */
  async sleep(
    milliseconds: number,
    count: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (count === this.#count) await sleep(milliseconds, this.#sleepers, signal);
  }

  /** Marks the consumers that run here as seen, where no poll has done so for some seconds. */
  async see(): Promise<void> {
    if (this.#unseen) await this.poll(0);
  }

  /**
   * Returns the state of the log; asks the database once for all callers.
   *
   * @param maxAge How old the answer may be, in milliseconds; after a wake-up it is always asked for again.
   */
  async poll(maxAge: number): Promise<LogState> {
    if (this.#state === undefined || performance.now() - this.#state.at >= maxAge) {
      const answer = this.#ask();
      answer.catch(() => this.#state = undefined);
      this.#state = { at: performance.now(), answer };
    }
    return await this.#state.answer;
  }

  get #unseen(): boolean {
    return this.#running.length > 0 && performance.now() - this.#seenAt >= seenEvery;
  }

  async #ask(): Promise<LogState> {
    const seen = this.#unseen ? this.#running : undefined;
    if (seen !== undefined) this.#seenAt = performance.now();
    const [settled, due] = await Promise.all([
      this.#driver.settled(),
      this.#driver.checkpoints?.due(seen) ?? [],
    ]);
    return { settled, due };
  }

  #wake(): void {
    this.#count++;
    this.#state = undefined;
    if (this.#sleepers.size > 0) { for (const wake of [...this.#sleepers]) wake(); }
  }
}
