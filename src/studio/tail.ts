import type { InspectedEvent } from "../inspect/event.ts";
import type { Inspector } from "../inspect/inspector.ts";

/** How often the log is looked at while anybody watches, in milliseconds. */
const pause = 1000;
/** The most events that are read at a time, and that are kept. */
const [page, kept] = [200, 400];

/** Events that were too many to be read. */
interface Gap {
  readonly position: number;
  readonly events: number;
}

/**
 * The newest events of a log, read once a second for all who watch, however many these are. It reads by the inspector
 * and not by `follow`, which ends at an event that the store cannot read and knows no masks. Where nobody watches,
 * nothing runs.
 */
export class Tail {
  readonly #inspector: Inspector;
  #events: readonly InspectedEvent[] = [];
  #gaps: readonly Gap[] = [];
  #position: number | undefined;
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(inspector: Inspector) {
    this.#inspector = inspector;
  }

  /** Reads what is new, unless that was done within the last second. */
  async look(): Promise<void> {
    if (this.#looking === undefined && performance.now() - this.#lookedAt < pause) return;
    this.#looking ??= this.#read().finally(() => this.#looking = undefined);
    await this.#looking;
  }

  /** Returns the events after a position, by position, and the number of those that were too many. */
  since(position: number): { readonly events: readonly InspectedEvent[]; readonly missed: number } {
    return {
      events: this.#events.filter(({ stored }) => stored.position > position),
      missed: this.#gaps.filter((gap) => gap.position > position)
        .reduce((sum, { events }) => sum + events, 0),
    };
  }

  /** The position up to which it has read. */
  get position(): number {
    return this.#position ?? 0;
  }

  async #read(): Promise<void> {
    if (this.#position === undefined || performance.now() - this.#lookedAt > 60 * pause) {
      this.#position = await this.#inspector.position();
      [this.#events, this.#gaps] = [[], []];
    } else {
      const { events, head, complete, searchedTo } = await this.#inspector.log({
        after: this.#position,
        limit: page,
      });
      this.#events = [...this.#events, ...events].slice(-kept);
      if (!complete) {
        this.#gaps = [...this.#gaps, { position: head, events: head - searchedTo }].slice(-kept);
      }
      this.#position = Math.max(this.#position, head);
    }
    this.#lookedAt = performance.now();
  }
}
