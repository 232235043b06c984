import type { ConsumerPlan } from "../engine/plan.ts";
import type { RunResult } from "../engine/worker.ts";
import { sleep } from "../async/sleep.ts";

/**
 * Options of a rebuild.
 *
 * @category Consumers
 */
export interface RebuildOptions {
  /**
   * Ends the replay early, as in `runOnce`: the read model holds its first part then, and `run`, `runOnce` and `drain` go
   * on with it. Aborted already, it leaves everything as it is; in an inline projection it has no effect later.
   */
  readonly signal?: AbortSignal | undefined;
  /** Is called after each second of the replay, and at its end; what it throws is thrown once the replay has ended. */
  readonly onProgress?: ((progress: RebuildProgress) => void) | undefined;
}

/**
 * How far a rebuild is.
 *
 * @category Consumers
 */
export interface RebuildProgress {
  /** The position that was replayed: that of the lane which is furthest behind. */
  readonly position: number;
  /** The settled position of the log. */
  readonly head: number;
  /** The number of positions that were replayed in a second, on average. */
  readonly rate: number;
  /** The time that is left at this rate, in milliseconds; undefined while nothing has been replayed. */
  readonly remaining: number | undefined;
}

/** How often progress is told, in milliseconds. */
const interval = 1000;

/** Tells how far a replay is, until it has ended. */
export async function watch(
  { driver, checkpoints, key }: ConsumerPlan,
  replay: Promise<RunResult>,
  onProgress: (progress: RebuildProgress) => void,
): Promise<RunResult> {
  const start = performance.now();
  const ended = new AbortController();
  const end = () => ended.abort();
  replay.then(end, end);
  try {
    while (!ended.signal.aborted) {
      await sleep(interval, new Set(), ended.signal);
      const [lanes, head] = await Promise.all([checkpoints.lanes(key), driver.settled()]);
      const position = lanes.reduce((least, lane) => Math.min(least, lane.position), head);
      const rate = position / (Math.max(1, performance.now() - start) / 1000);
      const remaining = rate === 0 ? undefined : (head - position) / rate * 1000;
      onProgress({ position, head, rate, remaining });
    }
  } finally {
    await replay;
  }
  return await replay;
}
