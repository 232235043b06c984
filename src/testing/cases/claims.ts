import assert from "node:assert/strict";
import type { Checkpoints, ClaimedLane, ConsumerDefinition } from "../../driver/checkpoints.ts";
import type { Driver } from "../../driver/driver.ts";
import type { ConsumerKey, LaneKey } from "../../driver/keys.ts";
import type { ParkedEntry, Progress } from "../../driver/progress.ts";
import type { Cases, Rig } from "../rig.ts";
import { slotOf } from "../../event/stream.ts";

/** The consumer of the cases. */
export const consumer: ConsumerKey = { scope: "all", name: "c", version: 1 };
/** Its first lane. */
export const lane: LaneKey = { ...consumer, lane: 0 };
/** Its definition. */
export const definition: ConsumerDefinition = { lanes: 1, filter: "{}", position: 0 };
/** A lease that outlasts the case, in milliseconds. */
export const long = 60_000;

/** Skips cases for a driver that does not support consumers. */
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

/** Returns the driver's checkpoints, which it must have. */
export function of(driver: Driver): Checkpoints {
  return driver.checkpoints!;
}

/** Registers the consumer and claims its lane. */
export async function claimed(checkpoints: Checkpoints, lease: number): Promise<ClaimedLane> {
  await checkpoints.register(consumer, definition);
  const claim = await checkpoints.claim(lane, "a", lease);
  assert.ok(claim !== undefined, "the lane is free");
  return claim;
}

/** Repeats a call until it returns a value: the database's clock has to move on by a few milliseconds. */
export async function soon<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let times = 0; times < 1000; times++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new assert.AssertionError({ message: "Expected an answer in two seconds" });
}

/** Returns progress that changes only the given members. */
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

/** Returns an entry for a stream without a tenant. */
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
