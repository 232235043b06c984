import type { Event, RecordedEvent } from "../event/event.ts";
import type { Shared } from "./internals.ts";
import type { ReadAllOptions } from "./reader.ts";
import { checkNumber } from "../errors/check.ts";
import { readLog } from "./reader.ts";

/** Which events to follow. */
export interface FollowOptions extends Omit<ReadAllOptions, "limit"> {
  /** Ends it: the iteration is over then. @default it never ends */
  readonly signal?: AbortSignal | undefined;
  /** How often to look for events at least, in milliseconds; a doorbell tells of them earlier. @default 1000 */
  readonly pollInterval?: number | undefined;
}

/** Reads the settled log, and goes on as it grows. */
export async function* followLog<E extends Event, Db>(
  { driver, catalog, bell }: Shared<E, Db>,
  tenantId: string | undefined,
  { signal, pollInterval = 1000, after = 0, ...filter }: FollowOptions,
): AsyncGenerator<RecordedEvent<E>> {
  checkNumber("pollInterval", pollInterval, 1);
  checkNumber("after", after);
  const leave = bell.attend();
  try {
    while (!signal?.aborted) {
      const { rings } = bell;
      const { settled: until } = await bell.pulse(pollInterval / 2);
      for await (const event of readLog(driver, catalog, tenantId, { ...filter, after }, until)) {
        if (signal?.aborted) return;
        yield event;
      }
      after = Math.max(after, until);
      await bell.sleep(pollInterval, rings, signal);
    }
  } finally {
    leave();
  }
}
