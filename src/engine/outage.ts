/** The number of failures in a row, without any success, that counts as an outage. */
const outage = 3;

/** The most events that a pass may try while nothing succeeds: each that fails is parked. */
const maxTrials = 10;

/**
 * Distinguishes an outage from a poison event: when others succeed, the event is the cause of its failure; when nothing
 * succeeds, the cause is outside, and no event must be given up for it.
 */
export class OutageDetector {
  #successes = 0;
  #failuresInARow = 0;
  #lastFailure = 0;
  /** The number of passes in which nothing succeeded, since the last success. */
  #failedPasses = 0;
  /** The streams whose last event failed: how often in a row, and the number of successes by then. */
  readonly #failed: Map<string, { readonly times: number; readonly successes: number }> = new Map();
  readonly #failing: Set<string> = new Set();

  /** Whether nothing succeeds at present. */
  get stalled(): boolean {
    return this.#failuresInARow >= outage;
  }

  /** The number of failures since the last success. */
  get failuresInARow(): number {
    return this.#failuresInARow;
  }

  /**
   * The number of events that the next pass may try: one more after each pass in which nothing succeeded, so that
   * events behind many failing ones are tried, too.
   */
  get trials(): number {
    return Math.min(this.#failedPasses + 1, maxTrials);
  }

  /**
   * The number of failures that the backoff counts. A single stream may hold a poison event and does not delay others;
   * the more streams fail, and the longer nothing succeeds, the likelier is an outage.
   */
  get failures(): number {
    return this.stalled ? Math.min(this.#failedPasses, this.#failing.size - 1) : 0;
  }

  /** Records that a pass has ended in which something failed. */
  passed(): void {
    if (this.stalled) this.#failedPasses++;
  }

  /** Returns how often in a row a stream failed in this process. */
  times(stream: string): number {
    return this.#failed.get(stream)?.times ?? 0;
  }

  /** Records that a handler succeeded. */
  succeeded(stream: string): void {
    this.#successes++;
    this.#failuresInARow = 0;
    this.#failedPasses = 0;
    this.#failed.delete(stream);
    if (this.#failing.size > 0) this.#failing.clear();
  }

  /** Forgets the failures of a stream whose event is given up: the next failure is another event's. */
  forget(stream: string): void {
    this.#failed.delete(stream);
  }

  /**
   * Records that a handler failed.
   *
   * @returns Whether something succeeded since the stream's last failure, so that this one counts against the event.
   */
  failed(stream: string): boolean {
    const before = this.#failed.get(stream)?.successes ?? this.#lastFailure;
    this.#failuresInARow++;
    this.#lastFailure = this.#successes;
    this.#failed.set(stream, { times: this.times(stream) + 1, successes: this.#successes });
    this.#failing.add(stream);
    return this.#successes > before;
  }
}
