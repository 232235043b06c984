import { isEventSourceryError } from "../../mod.ts";
import type { Shared } from "./connection.ts";
import { type Failure, UserError } from "./failure.ts";
import { translate } from "./translate.ts";

/**
 * Retries work until `busyTimeout` has passed, while it fails only because of another writer, or of `also`; never
 * inside a transaction, which the failure has ended.
 *
 * @param action The attempted action, for the message.
 * @param bound Whether it happens inside a transaction.
 */
export async function retrying<R>(
  shared: Shared,
  bound: boolean,
  action: string,
  work: () => Promise<R>,
  also?: Failure,
): Promise<R> {
  const deadline = performance.now() + shared.busyTimeout;
  while (true) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UserError) throw error.error;
      const again = !isEventSourceryError(error) && !bound &&
        ["raced", also].includes(shared.classify(error).failure);
      if (!again || performance.now() > deadline) throw translate(error, action, bound, shared);
    }
    await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 15));
  }
}
