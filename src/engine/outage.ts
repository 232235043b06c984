/** How many failures in a row, without any success, are taken for an outage. */
const outage = 3;

/** How many events a pass may try at most while nothing succeeds: each that fails is parked. */
const most = 10;

/**
 * Tells an outage from a poison event: when others succeed, a failure is the event's own; when nothing succeeds, the cause
 * is outside, and no event is to be given up for it.
 */
export class OutageDetector {
  #successes = 0;
  #failuresInARow = 0;
  #lastFailure = 0;
  /** How many passes ended in vain since anything succeeded. */
  #passes = 0;
  /** The streams whose last event failed: how often in a row, and how much had succeeded by then. */
  readonly #failed: Map<string, { readonly times: number; readonly successes: number }> = new Map();
  readonly #failing: Set<string> = new Set();

  /** Whether nothing succeeds any more. */
  get stalled(): boolean {
    return this.#failuresInARow >= outage;
  }

  /** How many failures there were since anything succeeded. */
  get failuresInARow(): number {
    return this.#failuresInARow;
  }

  /** How many events the next pass may try: one more after each pass in which nothing succeeded, so that those behind many bad ones get their turn. */
  get trials(): number {
    return Math.min(this.#passes + 1, most);
  }

  /**
   * How many failures to back off from. A single stream may be poisonous and holds up no other; the more streams fail, and
   * the longer nothing succeeds, the likelier is an outage.
   */
  get failures(): number {
    return this.stalled ? Math.min(this.#passes, this.#failing.size - 1) : 0;
  }

  /** Notes that a pass has ended in which something failed. */
  passed(): void {
    if (this.stalled) this.#passes++;
  }

  /** How often in a row a stream failed, as far as is known here. */
  times(stream: string): number {
    return this.#failed.get(stream)?.times ?? 0;
  }

  /** Notes that a handler succeeded. */
  succeeded(stream: string): void {
    this.#successes++;
    this.#failuresInARow = 0;
    this.#passes = 0;
    this.#failed.delete(stream);
    if (this.#failing.size > 0) this.#failing.clear();
  }

  /** Forgets the failures of a stream whose event is given up: the next failure is another event's. */
  forget(stream: string): void {
    this.#failed.delete(stream);
  }

  /**
   * Notes that a handler failed.
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
