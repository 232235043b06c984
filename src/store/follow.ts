import type { Event, RecordedEvent } from "../event/event.ts";
import type { Shared } from "./scope.ts";
import type { FollowOptions } from "./reader.ts";
import { onAbort } from "../async/abort.ts";
import { checkNumber } from "../errors/check.ts";
import { readLog } from "./read.ts";

/** Reads the settled log, and continues as it grows, until the signal aborts. */
export async function* followLog<E extends Event, Db>(
  { driver, catalog, wakeUps }: Pick<Shared<E, Db, unknown>, "driver" | "catalog" | "wakeUps">,
  tenantId: string | undefined,
  { signal, pollInterval = 1000, after = 0, ...filter }: FollowOptions,
): AsyncGenerator<RecordedEvent<E>> {
  checkNumber("pollInterval", pollInterval, 1);
  checkNumber("after", after);
  const stop = wakeUps.listen();
  const release = signal?.aborted === false ? onAbort(signal, () => {}) : undefined;
  try {
    while (!signal?.aborted) {
      const { count } = wakeUps;
      const until = await wakeUps.poll(pollInterval / 2);
      for await (const event of readLog(driver, catalog, tenantId, { ...filter, after }, until)) {
        if (signal?.aborted) return;
        yield event;
      }
      after = Math.max(after, until);
      await wakeUps.sleep(pollInterval, count, signal);
    }
  } finally {
    release?.();
    stop();
  }
}
