/** A transaction as the core sees it: what is to happen after its commit, and what after its rollback. */
export class Transaction {
  readonly #outer: Transaction | undefined;
  #ended = false;
  #afterCommit: (() => Promise<void>)[] = [];
  #afterRollback: (() => void)[] = [];

  /** Begins inside another transaction (a savepoint), or on its own. */
  constructor(outer: Transaction | undefined) {
    this.#outer = outer;
  }

  /**
   * Refuses what comes after the end: with some databases it would vanish, with others become part of what another
   * caller does on the same connection.
   *
   * @throws {TypeError} If this transaction, or one around it, has ended.
   */
  ensureOpen(): void {
    if (this.#ended) {
      throw new TypeError(
        "store must not be used after its transaction has ended: await everything inside, and use the outer store after it",
      );
    }
    this.#outer?.ensureOpen();
  }

  /** Registers what is to happen once the outermost transaction is committed. */
  onCommit(action: () => Promise<void>): void {
    this.#afterCommit.push(action);
  }

  /** Registers what is to happen when this transaction, or one around it, is rolled back. */
  onRollback(action: () => void): void {
    this.#afterRollback.push(action);
  }

  /** Runs the transaction: when it rejects, it was rolled back. */
  async run<R>(transaction: () => Promise<R>): Promise<R> {
    let result: R;
    try {
      result = await transaction();
    } catch (error) {
      for (const action of this.#afterRollback) action();
      throw error;
    } finally {
      this.#ended = true;
    }
    if (this.#outer === undefined) await this.committed();
    else {
      this.#outer.#afterCommit.push(...this.#afterCommit);
      this.#outer.#afterRollback.push(...this.#afterRollback);
    }
    return result;
  }

  /** Does what was to happen after the commit, in the order it was registered. */
  async committed(): Promise<void> {
    const actions = this.#afterCommit;
    this.#afterCommit = [];
    this.#afterRollback = [];
    for (const action of actions) await action();
  }
}
