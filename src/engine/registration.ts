import type { Checkpoints, ConsumerDefinition } from "../driver/checkpoints.ts";
import type { FilterPolicy } from "./options.ts";
import type { ConsumerPlan } from "./plan.ts";
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
export type Reset = (rewind: (checkpoints: Checkpoints) => Promise<boolean>) => Promise<void>;

/** Registers a worker's consumer, and compares its number of lanes and its filter with the stored ones. */
export class Registration {
  readonly #plan: ConsumerPlan;
  readonly #reset: Reset | undefined;
  #done = false;
  /** The policy for another filter, at the first registration only: a later change is always refused. */
  #policy: FilterPolicy;
  #start = 0;

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
   * Registers the consumer, unless this worker has done so.
   *
   * @param allowed What may differ from what is stored: the filter, which is replaced, or the number of lanes, which
   * makes it register again.
   * @throws {LanesMismatchError | FilterMismatchError} If anything else differs.
   * @throws {RangeError} If the consumer is new and begins ahead of the log.
   */
  async ensure(allowed?: "accept" | "any lanes"): Promise<void> {
    if (this.#done && allowed !== "any lanes") return;
    await this.#register(await this.#startOf(), allowed);
    this.#done = true;
  }

  /**
   * Compares again after another worker has held a lane. The holder of a lane keeps the lanes from being changed; a
   * worker that assigned the streams otherwise would move the checkpoint past events that it never saw.
   */
  async verify(): Promise<void> {
    await this.#register(0);
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

  async #register(position: number, allowed?: "accept" | "any lanes"): Promise<void> {
    const { checkpoints, key, lanes, filter } = this.#plan;
    const found = await checkpoints.register(key, { lanes, filter, position });
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
      await this.#reset(async (checkpoints) => {
        // Another worker of the same release was faster: the read model that it rebuilds must not be emptied again.
        if (!(await checkpoints.refilter(key, filter))) return false;
        await checkpoints.rewind(key, 0);
        return true;
      });
    }
  }

  /**
   * Returns the position that a new consumer starts from.
   *
   * @throws {RangeError} If that is ahead of the log: the log would later seem to have gone backwards.
   */
  async #startOf(): Promise<number> {
    const { checkpoints, key, from, driver } = this.#plan;
    if (from === "start") return 0;
    const settled = await driver.settled();
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
function filterOf(text: string): ConsumerFilter {
  return JSON.parse(text);
}
