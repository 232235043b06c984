/** A transaction as the core sees it: what is to happen after its commit, and what after its rollback. */
export class Unit {
  readonly #outer: Unit | undefined;
  #afterCommit: (() => Promise<void>)[] = [];
  #afterRollback: (() => void)[] = [];

  /** Begins inside another transaction (a savepoint), or on its own. */
  constructor(outer: Unit | undefined) {
    this.#outer = outer;
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
