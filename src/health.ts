/** How many failures in a row, without any success, are taken for an outage. */
const outage = 3;

/**
 * Tells an outage from a poisonous event: when others succeed, a failure is the event's own; when nothing succeeds, it is
 * the world's, and no event is to be given up for it.
 */
export class Health {
  #successes = 0;
  #failuresInARow = 0;
  #lastFailure = 0;
  readonly #failedAt: Map<string, number> = new Map();

  /** Whether nothing succeeds any more. */
  get stalled(): boolean {
    return this.#failuresInARow >= outage;
  }

  /** Notes that a handler succeeded. */
  succeeded(stream: string): void {
    this.#successes++;
    this.#failuresInARow = 0;
    this.#failedAt.delete(stream);
  }

  /**
   * Notes that a handler failed.
   *
   * @returns Whether something succeeded since the stream's last failure, so that this one counts against the event.
   */
  failed(stream: string): boolean {
    const before = this.#failedAt.get(stream) ?? this.#lastFailure;
    this.#failuresInARow++;
    this.#lastFailure = this.#successes;
    this.#failedAt.set(stream, this.#successes);
    return this.#successes > before;
  }
}
