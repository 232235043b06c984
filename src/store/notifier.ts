import type { ConsumerKey } from "../driver/checkpoints.ts";
import type { Driver } from "../driver/driver.ts";
import { sleep } from "../async/sleep.ts";

/** What all consumers of a driver want to know again and again. */
export interface Pulse {
  /** Up to which position the log is settled. */
  readonly settled: number;
  /** Consumers with work that does not come from the log: a retry that is due, a lease that ran out. */
  readonly due: readonly ConsumerKey[];
}

const bells: WeakMap<object, Bell> = new WeakMap();

/** Gives the bell of a driver. */
export function bellOf(driver: Driver): Bell {
  const bell = bells.get(driver) ?? new Bell(driver);
  bells.set(driver, bell);
  return bell;
}

/**
 * Wakes whoever waits for new events: at once within the process, through the driver's doorbell across processes. It is
 * a hint; whoever sleeps wakes up by the clock, too.
 */
export class Bell {
  readonly #driver: Driver;
  readonly #sleepers: Set<() => void> = new Set();
  #rings = 0;
  #pulse: { readonly at: number; readonly answer: Promise<Pulse> } | undefined;
  #present = 0;
  #stop: (() => void) | undefined;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** How often it rang: whoever looks for work remembers it before, lest it miss what comes in between. */
  get rings(): number {
    return this.#rings;
  }

  /** Says that events were committed. */
  ring(): void {
    this.#wake();
    this.#driver.doorbell?.ring();
  }

  /** Keeps the doorbell connected until what it gives is called. */
  attend(): () => void {
    if (this.#present++ === 0) this.#stop = this.#driver.doorbell?.listen(() => this.#wake());
    return () => {
      if (--this.#present === 0) this.#stop?.();
    };
  }

  /**
   * Waits for the bell.
   *
   * @param milliseconds How long at most.
   * @param rings How often it had rung when there was no work: if it rang since, there is nothing to wait for.
   * @param signal Ends the waiting; nothing is thrown.
   */
  async sleep(
    milliseconds: number,
    rings: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (rings === this.#rings) await sleep(milliseconds, this.#sleepers, signal);
  }

  /**
   * Asks the database, once for all who want to know.
   *
   * @param age How old the answer may be, in milliseconds, if the bell did not ring since.
   */
  async pulse(age: number): Promise<Pulse> {
    if (this.#pulse === undefined || performance.now() - this.#pulse.at >= age) {
      const answer = this.#ask();
      answer.catch(() => this.#pulse = undefined);
      this.#pulse = { at: performance.now(), answer };
    }
    return await this.#pulse.answer;
  }

  async #ask(): Promise<Pulse> {
    const [settled, due] = await Promise.all([
      this.#driver.settled(),
      this.#driver.checkpoints?.due() ?? [],
    ]);
    return { settled, due };
  }

  #wake(): void {
    this.#rings++;
    this.#pulse = undefined;
    for (const wake of [...this.#sleepers]) wake();
  }
}
