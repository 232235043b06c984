import type { Driver, LogState } from "../driver/driver.ts";
import type { ConsumerKey } from "../driver/keys.ts";
import { sleep } from "../async/sleep.ts";

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
  #listeners = 0;
  #stop: (() => void) | undefined;
  #polledAt = -Infinity;
  #settled: Promise<number> | undefined;

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

  /** Listens to the driver's notifier until the returned function is called. */
  listen(): () => void {
    if (this.#listeners++ === 0) this.#stop = this.#driver.notifier?.listen(() => this.#wake());
    return () => {
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

  /**
   * Returns the position up to which the log is settled; asks the database once for all callers.
   *
   * @param maxAge How old the answer may be, in milliseconds; after a wake-up it is always asked for again.
   * @param ask Asks the database. @default asks for nothing else
   * @returns The same promise until it is asked for again.
   */
  poll(
    maxAge: number,
    ask: () => Promise<number> = () => this.#driver.settled(),
  ): Promise<number> {
    if (this.#settled === undefined || performance.now() - this.#polledAt >= maxAge) {
      this.#polledAt = performance.now();
      this.#settled = ask();
      this.#settled.catch(() => this.#settled = undefined);
    }
    return this.#settled;
  }

  /** Whether what other processes append wakes this one. */
  get live(): boolean {
    return this.#listeners > 0 && this.#driver.notifier?.live === true;
  }

  /** Wakes all sleepers of this process. */
  wake(): void {
    this.#wake();
  }

  #wake(): void {
    this.#count++;
    this.#settled = undefined;
    for (const wake of [...this.#sleepers]) wake();
  }
}

/** How often the consumers that run here are marked as seen, in milliseconds. */
const seenEvery = 5000;

const byWakeUps: WeakMap<WakeUps, Polls> = new WeakMap();

/** Returns the polls of a driver; all consumers on the driver share them. */
export function pollsOf(driver: Driver): Polls {
  const wakeUps = wakeUpsOf(driver);
  const polls = byWakeUps.get(wakeUps) ?? new Polls(driver, wakeUps);
  byWakeUps.set(wakeUps, polls);
  return polls;
}

/** Polls for the consumers that run here, and marks them as seen. */
export class Polls {
  readonly #driver: Driver;
  readonly #wakeUps: WakeUps;
  /** The consumers that run here; one that runs twice is listed twice. */
  #running: readonly ConsumerKey[] = [];
  #seenAt = -Infinity;
  /** The settled position that the last answer was given with. */
  #settled: Promise<number> | undefined;
  #answer: Promise<LogState> | undefined;

  constructor(driver: Driver, wakeUps: WakeUps) {
    this.#driver = driver;
    this.#wakeUps = wakeUps;
  }

  /** Listens for a consumer, and marks it as seen, until the returned function is called. */
  listen(consumer: ConsumerKey): () => void {
    const stop = this.#wakeUps.listen();
    const run = { ...consumer };
    this.#running = [...this.#running, run];
    this.#seenAt = -Infinity;
    return () => {
      this.#running = this.#running.filter((one) => one !== run);
      stop();
    };
  }

  /** Marks the consumers that run here as seen, where no poll has done so for some seconds. */
  async see(): Promise<void> {
    if (this.#unseen) await this.poll(0);
  }

  /** Returns the state of the log, which is asked for whenever `WakeUps.poll` asks. */
  async poll(maxAge: number): Promise<LogState> {
    let asked: Promise<LogState> | undefined;
    const settled = this.#wakeUps.poll(maxAge, async () => (await (asked = this.#ask())).settled);
    // A follower may have asked for the position alone.
    if (asked !== undefined || this.#settled !== settled) {
      this.#settled = settled;
      this.#answer = asked ?? this.#ask(settled);
      this.#answer.catch(() => this.#settled = undefined);
    }
    return await this.#answer!;
  }

  get #unseen(): boolean {
    return this.#running.length > 0 && performance.now() - this.#seenAt >= seenEvery;
  }

  async #ask(settling?: Promise<number>): Promise<LogState> {
    const seen = this.#unseen ? this.#running : undefined;
    if (seen !== undefined) this.#seenAt = performance.now();
    if (settling === undefined && this.#driver.poll) return await this.#driver.poll(seen ?? []);
    const [settled, due] = await Promise.all([
      settling ?? this.#driver.settled(),
      this.#driver.checkpoints?.due(seen) ?? [],
    ]);
    return { settled, due };
  }
}
