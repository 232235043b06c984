import type { ConsumerKey } from "../driver/checkpoints.ts";
import type { Driver } from "../driver/driver.ts";
import { sleep } from "../async/sleep.ts";

/** What all consumers of a driver want to know again and again. */
interface LogState {
  /** Up to which position the log is settled. */
  readonly settled: number;
  /** Consumers with work that does not come from the log: a retry that is due, a lease that ran out. */
  readonly due: readonly ConsumerKey[];
}

const all: WeakMap<object, WakeUps> = new WeakMap();

/** Gives the bell of a driver. */
export function wakeUpsOf(driver: Driver): WakeUps {
  const wakeUps = all.get(driver) ?? new WakeUps(driver);
  all.set(driver, wakeUps);
  return wakeUps;
}

/**
 * Wakes whoever waits for new events: at once within the process, through the driver's notifier across processes. It is
 * a hint; whoever sleeps wakes up by the clock, too.
 */
export class WakeUps {
  readonly #driver: Driver;
  readonly #sleepers: Set<() => void> = new Set();
  #count = 0;
  #state: { readonly at: number; readonly answer: Promise<LogState> } | undefined;
  #present = 0;
  #stop: (() => void) | undefined;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** How often it rang: whoever looks for work remembers it before, lest it miss what comes in between. */
  get count(): number {
    return this.#count;
  }

  /** Says that events were committed. */
  notify(): void {
    this.#wake();
    this.#driver.notifier?.notify();
  }

  /** Listens to the driver's notifier until the function that it returns is called. */
  listen(): () => void {
    if (this.#present++ === 0) this.#stop = this.#driver.notifier?.listen(() => this.#wake());
    return () => {
      if (--this.#present === 0) this.#stop?.();
    };
  }

  /**
   * Waits for the bell.
   *
   * @param milliseconds How long at most.
   * @param count The `count` when there was no work: if it has risen since, there is nothing to wait for.
   * @param signal Ends the waiting; nothing is thrown.
   */
  async sleep(
    milliseconds: number,
    count: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (count === this.#count) await sleep(milliseconds, this.#sleepers, signal);
  }

  /**
   * Asks the database, once for all who want to know.
   *
   * @param maxAge How old the answer may be, in milliseconds, if the bell did not ring since.
   */
  async poll(maxAge: number): Promise<LogState> {
    if (this.#state === undefined || performance.now() - this.#state.at >= maxAge) {
      const answer = this.#ask();
      answer.catch(() => this.#state = undefined);
      this.#state = { at: performance.now(), answer };
    }
    return await this.#state.answer;
  }

  async #ask(): Promise<LogState> {
    const [settled, due] = await Promise.all([
      this.#driver.settled(),
      this.#driver.checkpoints?.due() ?? [],
    ]);
    return { settled, due };
  }

  #wake(): void {
    this.#count++;
    this.#state = undefined;
    for (const wake of [...this.#sleepers]) wake();
  }
}
