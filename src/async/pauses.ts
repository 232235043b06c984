/** The first pause where there was nothing to do, in milliseconds. */
const first = 1000;

/** The pauses between looks for work: each twice as long as the one before, as long as there is none. */
export class Pauses {
  #last = 0;

  /** The pause before the last look, in milliseconds; 0 after there was something to do. */
  get last(): number {
    return this.#last;
  }

  /** Returns the next pause, which is at most `longest`; without end where that is `Infinity`. */
  next(longest: number): number {
    const next = this.#last === 0 ? first : 2 * this.#last;
    return this.#last = longest === Infinity ? longest : Math.min(longest, next);
  }

  /** Begins anew, after there was something to do. */
  reset(): void {
    this.#last = 0;
  }
}

/** The longest pause between two looks where nothing else is said, by whether notifications arrive; in milliseconds. */
export function longestPause(given: number | undefined, notified: boolean): number {
  return given ?? (notified ? 60_000 : first);
}
