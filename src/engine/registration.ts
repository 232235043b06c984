import type { ConsumerDefinition } from "../driver/checkpoints.ts";
import type { FilterPolicy } from "./options.ts";
import type { ConsumerPlan } from "./plan.ts";
import type { ConsumerSession } from "./work.ts";
import { UnsupportedError } from "../errors/driver.ts";
import {
  type ConsumerFilter,
  FilterMismatchError,
  LanesMismatchError,
} from "../errors/consumer.ts";

/**
 * Sets a consumer back to the start and empties its read model, in one transaction.
 *
 * @param rewind Sets it back; if it resolves with false, the read model is left as it is.
 */
export type Reset = (rewind: (session: Rewound) => Promise<boolean>) => Promise<void>;

/** The part of a transaction's session that sets a consumer back. */
export type Rewound = Pick<ConsumerSession<unknown>, "checkpoints" | "settled">;

/** Registers a worker's consumer, and compares its number of lanes and its filter with the stored ones. */
export class Registration {
  readonly #plan: ConsumerPlan;
  readonly #reset: Reset | undefined;
  #done = false;
  /** The policy for another filter, at the first registration only: a later change is always refused. */
  #policy: FilterPolicy;
  #start = 0;
  #replay = 0;

  /** @param reset Empties the read model; only projections have one. */
  constructor(plan: ConsumerPlan, reset: Reset | undefined) {
    this.#plan = plan;
    this.#reset = reset;
    this.#policy = plan.onFilterChange;
  }

  /** Where the consumer began: the position of the last event that it did not want. */
  get start(): number {
    return this.#start;
  }

  /**
   * The position up to which events are history: they stood in the log when it was registered, or last set back.
   *
   * @throws {UnsupportedError} If the driver does not keep it.
   */
  get replay(): number {
    if (this.#keepsReplay) return this.#replay;
    const reason = 'its driver lacks the capability "replay"';
    throw new UnsupportedError("tell whether an event is replayed", reason);
  }

  /**
   * Registers the consumer, unless this worker has done so.
   *
   * @param allowed What may differ from what is stored: the filter, which is replaced, or the number of lanes, which
   * makes it register again.
   * @throws {LanesMismatchError | FilterMismatchError} If anything else differs.
   * @throws {RangeError} If the consumer is new and begins ahead of the log.
   */
  async ensure(allowed?: "accept" | "any lanes"): Promise<void> {
    if (this.#done && allowed !== "any lanes") return;
    const settled = await this.#plan.driver.settled();
    await this.#register(await this.#startOf(settled), settled, allowed);
    this.#done = true;
  }

  /**
   * Compares again after another worker has held a lane. The holder of a lane keeps the lanes from being changed; a
   * worker that assigned the streams otherwise would move the checkpoint past events that it never saw.
   */
  async verify(settled: number): Promise<void> {
    await this.#register(0, settled);
  }

  /** Sets the consumer back to the start, inside a transaction. */
  async setBack(session: Rewound): Promise<void> {
    const { key } = this.#plan;
    await session.checkpoints.rewind(key, 0);
    // Only now, when no earlier worker can commit, is it known up to where events were handled before.
    if (!this.#keepsReplay) return;
    this.#replay = await session.settled();
    await session.checkpoints.rewind(key, 0, this.#replay);
  }

  /** Checks that the consumer has as many lanes as this worker expects. @throws {LanesMismatchError} If it has not. */
  expect(found: number): void {
    const { key, lanes } = this.#plan;
    if (found === lanes) return;
    this.#done = false;
    throw new LanesMismatchError(key.name, found, lanes);
  }

  /** Makes the next pass register the consumer again. */
  invalidate(): void {
    this.#done = false;
  }

  get #keepsReplay(): boolean {
    return this.#plan.driver.capabilities.replay ?? false;
  }

  async #register(
    position: number,
    settled: number,
    allowed?: "accept" | "any lanes",
  ): Promise<void> {
    const { checkpoints, key, lanes, filter } = this.#plan;
    const replay = this.#keepsReplay ? { replay: settled } : {};
    const found = await checkpoints.register(key, { lanes, filter, position, ...replay });
    this.#replay = found.replay ?? 0;
    if (allowed !== "any lanes") this.expect(found.lanes);
    if (found.filter !== filter) {
      await this.#refilter(found, allowed === "accept" ? "accept" : this.#policy);
    }
    this.#start = found.position;
    this.#policy = "refuse";
  }

  async #refilter({ filter: before }: ConsumerDefinition, policy: FilterPolicy): Promise<void> {
    const { checkpoints, key, filter } = this.#plan;
    if (policy === "accept") await checkpoints.refilter(key, filter);
    else if (policy === "refuse" || this.#reset === undefined) {
      throw new FilterMismatchError(key.name, filterOf(before), filterOf(filter));
    } else {
      await this.#reset(async (session) => {
        // Another worker of the same release was faster: the read model that it rebuilds must not be emptied again.
        if (!(await session.checkpoints.refilter(key, filter))) return false;
        await this.setBack(session);
        return true;
      });
    }
  }

  /**
   * Returns the position that a new consumer starts from.
   *
   * @throws {RangeError} If that is ahead of the log: the log would later seem to have gone backwards.
   */
  async #startOf(settled: number): Promise<number> {
    const { checkpoints, key, from } = this.#plan;
    if (from === "start") return 0;
    if (from === "now") return settled;
    if (from.after > settled && (await checkpoints.lanes(key)).length === 0) {
      throw new RangeError(
        `from.after must be at most ${settled}, up to where the log is settled, got ${from.after}`,
      );
    }
    return from.after;
  }
}

/** Reads the stored text of a filter, which every worker writes in the same form. */
export function filterOf(text: string): ConsumerFilter {
  return JSON.parse(text);
}
