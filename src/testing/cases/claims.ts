import type {
  Checkpoints,
  ClaimedLane,
  ConsumerDefinition,
  ConsumerKey,
  LaneKey,
  ParkedEntry,
  Progress,
} from "../../driver/checkpoints.ts";
import type { Driver } from "../../driver/driver.ts";
import assert from "node:assert/strict";
import { slotOf } from "../../event/stream.ts";
import type { Cases, Rig } from "../rig.ts";

/** A consumer. */
export const consumer: ConsumerKey = { scope: "all", name: "c", version: 1 };
/** Its first lane. */
export const lane: LaneKey = { ...consumer, lane: 0 };
/** What it is made with. */
export const definition: ConsumerDefinition = { lanes: 1, filter: "{}", position: 0 };
/** A lease that outlasts the case, in milliseconds. */
export const long = 60_000;

/** Cases that a driver which serves no consumers passes by. */
export function served(cases: Cases): Cases {
  return Object.fromEntries(
    Object.entries(cases).map(([name, run]) => [
      name,
      async (bench: Rig) => {
        if (bench.driver.checkpoints !== undefined) await run(bench);
      },
    ]),
  );
}

/** The driver's checkpoints. */
export function of(driver: Driver): Checkpoints {
  return driver.checkpoints!;
}

/** Makes the consumer known and claims its lane. */
export async function claimed(checkpoints: Checkpoints, lease: number): Promise<ClaimedLane> {
  await checkpoints.register(consumer, definition);
  const claim = await checkpoints.claim(lane, "a", lease);
  assert.ok(claim !== undefined, "nobody holds the lane");
  return claim;
}

/** Asks again until there is an answer: the database's clock has to move on by a few milliseconds. */
export async function soon<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let times = 0; times < 1000; times++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new assert.AssertionError({ message: "Expected an answer in two seconds" });
}

/** Progress that changes nothing but what is said. */
export function progress(changed: Partial<Progress> = {}): Progress {
  return {
    position: 0,
    lease: long,
    stalled: false,
    recovered: false,
    parked: [],
    deferred: [],
    released: [],
    ...changed,
  };
}

/** A stream of the tenant without a name, to be parked. */
export function park(
  streamId: string,
  position: number,
  changed: Partial<ParkedEntry> = {},
): ParkedEntry {
  const slot = slotOf("", streamId);
  return {
    tenantId: "",
    streamId,
    slot,
    position,
    attempts: 0,
    delay: 0,
    error: undefined,
    ...changed,
  };
}
