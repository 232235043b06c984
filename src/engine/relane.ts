import type { ClaimedLane } from "../driver/checkpoints.ts";
import type { LaneFilter } from "../driver/keys.ts";
import type { ConsumerPlan } from "./plan.ts";
import { BusyError } from "../errors/driver.ts";
import { OutageDetector } from "./outage.ts";

/** A lane whose lease this worker holds. */
type HeldLane = ClaimedLane & { readonly lane: number };

/**
 * Changes the number of a consumer's lanes, while holding all their leases: advances every lane to the furthest lane's
 * position first, so that nothing is handled twice.
 *
 * @param wait Waits shortly, when another worker holds a lane.
 * @throws {BusyError} If other workers do not release their lanes in time. Or what a handler threw, if a lane cannot be
 * advanced.
 */
export async function relane(
  plan: ConsumerPlan,
  lanes: number,
  replay: () => number,
  wait: () => Promise<void>,
): Promise<void> {
  const { checkpoints, key, owner, lease, filter } = plan;
  const before = await checkpoints.lanes(key);
  const claimed: HeldLane[] = [];
  const deadline = performance.now() + 2 * lease;
  try {
    for (const { lane } of before) {
      let found = await checkpoints.claim({ ...key, lane }, owner, 4 * lease);
      while (found === undefined) {
        if (performance.now() > deadline) throw busy(plan);
        await wait();
        found = await checkpoints.claim({ ...key, lane }, owner, 4 * lease);
      }
      claimed.push({ lane, ...found });
    }
    if ((await checkpoints.lanes(key)).length !== before.length) throw busy(plan);
    const position = Math.max(0, ...claimed.map((one) => one.position));
    for (const { lane, ...held } of claimed) {
      await advance(plan, position, { lane, lanes: before.length }, held, replay);
    }
    const epochs = claimed.map(({ epoch }) => epoch);
    if (!(await checkpoints.redefine(key, epochs, { lanes, filter, position }))) throw busy(plan);
  } catch (error) {
    await release(plan, claimed);
    throw error;
  }
}

/** Handles the events of a held lane up to a position; without it, the new lanes would miss them. */
async function advance(
  plan: ConsumerPlan,
  position: number,
  lane: LaneFilter,
  held: ClaimedLane,
  replay: () => number,
): Promise<void> {
  const errors: unknown[] = [];
  const stop = new AbortController().signal;
  const report = (error: unknown) => errors.push(error);
  const pass = plan.passOver(lane, held, new OutageDetector(), stop, replay, report);
  if ((await pass.run(async () => position, true)).position >= position) return;
  throw errors.length > 0 ? errors.at(-1) : busy(plan);
}

/** Releases the lanes that are still held. */
async function release(
  { checkpoints, key }: ConsumerPlan,
  lanes: readonly HeldLane[],
): Promise<void> {
  const nothing = { stalled: false, recovered: false, parked: [], deferred: [], released: [] };
  await Promise.allSettled(
    lanes.map(({ lane, epoch, position }) =>
      checkpoints.advance({ ...key, lane }, epoch, { ...nothing, position, lease: undefined })
    ),
  );
}

function busy({ lease, key }: ConsumerPlan): BusyError {
  return new BusyError(2 * lease, { consumer: key.name });
}
