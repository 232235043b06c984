import { onAbort } from "../async/abort.ts";

/** The longest wait for a broker that is asked to close a connection, in milliseconds. */
const patience = 1000;

/** A connection that is opened when it is needed, and again when it is lost. */
export class Link<T> {
  readonly #open: (lost: () => void) => Promise<T>;
  readonly #shut: (opened: T) => Promise<unknown>;
  #current: Opening<T> | undefined;
  #closed = false;

  /**
   * @param open Opens a connection; calls what it is given when that is lost.
   * @param shut Closes a connection, also one that was lost.
   */
  constructor(open: (lost: () => void) => Promise<T>, shut: (opened: T) => Promise<unknown>) {
    this.#open = open;
    this.#shut = shut;
  }

  /**
   * Works with the open connection. One that did not answer before the signal aborts may be dead without having said so: it
   * is dropped, and the next call opens another.
   */
  async use<R>(
    signal: AbortSignal,
    work: (opened: T, drop: () => void) => Promise<R>,
  ): Promise<R> {
    signal.throwIfAborted();
    if (this.#closed) throw new Error("Cannot publish: the publisher was closed");
    const { opened, drop } = this.#current ??= this.#begin();
    const cancel = onAbort(signal, drop);
    try {
      return await work(await opened, drop);
    } finally {
      cancel();
    }
  }

  /** Closes the connection, whether it is open, being opened, or lost without having said so. */
  async close(): Promise<void> {
    this.#closed = true;
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, patience));
    await Promise.race([this.#end(current.opened), late]);
    clearTimeout(timer);
  }

  #begin(): Opening<T> {
    const drop = () => {
      if (this.#current !== opening) return;
      this.#current = undefined;
      void this.#end(opening.opened);
    };
    // Opened in a later microtask: by then `opening` is set, whatever the user's callback does.
    const opening = { opened: Promise.resolve().then(() => this.#open(drop)), drop };
    opening.opened.catch(drop);
    return opening;
  }

  async #end(opened: Promise<T>): Promise<void> {
    try {
      await this.#shut(await opened);
    } catch {
      // It was never open, or is lost already.
    }
  }
}

interface Opening<T> {
  readonly opened: Promise<T>;
  readonly drop: () => void;
}
