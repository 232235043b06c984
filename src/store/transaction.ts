/** The actions to run after a transaction's commit or rollback. */
export class Transaction {
  readonly #outer: Transaction | undefined;
  #ended = false;
  #afterCommit: (() => Promise<void>)[] = [];
  #afterRollback: (() => void)[] = [];

  /** Makes a savepoint inside another transaction, or a transaction if `outer` is undefined. */
  constructor(outer: Transaction | undefined) {
    this.#outer = outer;
  }

  /**
   * Refuses use after the end: with some databases the work would be lost, with others it would become part of another
   * caller's work on the same connection.
   *
   * @throws {TypeError} If this transaction, or one around it, has ended.
   */
  ensureOpen(): void {
    if (this.#ended) {
      throw new TypeError(
        "store must not be used after its transaction has ended: await all that is inside",
      );
    }
    this.#outer?.ensureOpen();
  }

  /** Registers an action to run after the outermost transaction has committed. */
  onCommit(action: () => Promise<void>): void {
    this.#afterCommit.push(action);
  }

  /** Registers an action to run if this transaction, or one around it, is rolled back. */
  onRollback(action: () => void): void {
    this.#afterRollback.push(action);
  }

  /** Runs the transaction, then the registered actions; if it rejects, it was rolled back. */
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

  /** Runs the actions for after the commit, in the order of registration. */
  async committed(): Promise<void> {
    const actions = this.#afterCommit;
    this.#afterCommit = [];
    this.#afterRollback = [];
    for (const action of actions) await action();
  }
}
