import type { StoredEvent } from "../../../mod.ts";
import { lineOf } from "../transfer/line.ts";

/** How many events are hashed at once. */
const pieceSize = 1000;

/** What the events of a part come to: the same in every log that has these events in this order. */
interface DigestPart {
  /** The number of its first event, from 1. */
  readonly first: number;
  /** The number of its last event. */
  readonly last: number;
  /** The position of its last event in this log. */
  readonly position: number;
  /** A SHA-256, in hexadecimal. */
  readonly digest: string;
}

/**
 * Digests events in the order of the log: all that an export holds of them but their positions, and whether they were
 * published or imported, which an import may change.
 */
export class Digest {
  readonly #size: number;
  readonly #parts: DigestPart[] = [];
  #lines: string[] = [];
  #hash = "";
  #first = 1;
  #last = 0;
  #position = 0;

  /** @param size How many events a part has. */
  constructor(size: number = 1_000_000) {
    this.#size = size;
  }

  /** Adds the next events. */
  async add(events: readonly StoredEvent[]): Promise<void> {
    for (const event of events) {
      this.#lines.push(lineOf({ ...event, position: 0, published: false, imported: false }));
      [this.#last, this.#position] = [this.#last + 1, event.position];
      if (this.#lines.length === pieceSize) await this.#hashLines();
      if (this.#last % this.#size === 0) await this.#endPart();
    }
  }

  /** Ends the last part, and returns all. */
  async end(): Promise<readonly DigestPart[]> {
    if (this.#last >= this.#first) await this.#endPart();
    return this.#parts;
  }

  async #endPart(): Promise<void> {
    await this.#hashLines();
    const [first, last, position] = [this.#first, this.#last, this.#position];
    this.#parts.push({ first, last, position, digest: this.#hash });
    [this.#first, this.#hash] = [last + 1, ""];
  }

  /** Web Crypto hashes no streams: each piece is hashed with the hash of those before it. */
  async #hashLines(): Promise<void> {
    if (this.#lines.length === 0) return;
    const text = [this.#hash, ...this.#lines].join("\n");
    this.#lines = [];
    const bytes = new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)),
    );
    this.#hash = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}
