import type { Observer, PassOperation, PassOutcome } from "./observer.ts";
import { isEventSourceryError } from "../errors/guard.ts";
import { around, notify } from "./around.ts";

/** What a pass tells of itself. */
interface Passed extends PassOutcome {
  /** The last error of a handler, or that of a lost lease. */
  readonly error: unknown;
  /** The pause before the next pass, in milliseconds. */
  readonly pause: number | undefined;
}

/**
 * Runs a pass inside an observer, and tells it of a lease that was lost, of an outage and its end.
 *
 * @param outage Whether nothing succeeds at present; it is read before the pass and after it.
 */
export async function aroundPass<R extends Passed>(
  observer: Observer,
  { consumer, version, lane }: Pick<PassOperation, "consumer" | "version" | "lane">,
  outage: { readonly stalled: boolean },
  run: () => Promise<R>,
): Promise<R> {
  const { stalled } = outage;
  const result = await around(observer, { name: "pass", consumer, version, lane }, run);
  const { error, pause } = result;
  if (isEventSourceryError(error, "LEASE_LOST")) {
    notify(observer, { name: "lease-lost", consumer, error });
  }
  if (stalled && !outage.stalled) notify(observer, { name: "recovered", consumer });
  if (!stalled && outage.stalled) {
    const retryAt = pause === undefined ? undefined : new Date(Date.now() + pause);
    notify(observer, { name: "outage", consumer, error, retryAt });
  }
  return result;
}
