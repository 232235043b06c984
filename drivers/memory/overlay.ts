/** Values by key: the committed ones, or the changes of an open transaction on top of them. */
export class Overlay<Value> {
  readonly #base: Overlay<Value> | undefined;
  /** By key; undefined for what this transaction has removed. */
  readonly #own: Map<string, Value | undefined> = new Map();

  constructor(base: Overlay<Value> | undefined) {
    this.#base = base;
  }

  get(key: string): Value | undefined {
    return this.#own.has(key) ? this.#own.get(key) : this.#base?.get(key);
  }

  set(key: string, value: Value): void {
    this.#own.set(key, value);
  }

  remove(key: string): void {
    if (this.#base === undefined) this.#own.delete(key);
    else this.#own.set(key, undefined);
  }

  /** Returns all that is there, in no order. */
  entries(): ReadonlyMap<string, Value> {
    const found = new Map(this.#base?.entries());
    for (const [key, value] of this.#own) {
      if (value === undefined) found.delete(key);
      else found.set(key, value);
    }
    return found;
  }

  /** Applies the changes to the base. */
  commit(): void {
    for (const [key, value] of this.#own) {
      if (value === undefined) this.#base!.remove(key);
      else this.#base!.set(key, value);
    }
  }
}
