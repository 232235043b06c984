import { onAbort } from "./abort.ts";
import { maxInt32 } from "../errors/check.ts";

/**
 * Waits until the time is over, until it is woken, or until the signal aborts.
 *
 * @param milliseconds The longest wait; 0 or less returns immediately.
 * @param sleepers Receives a function that wakes this sleeper, until the wait has ended. @default nothing wakes it
 * @param signal Ends the wait as well, without an error. @default none
 */
export async function sleep(
  milliseconds: number,
  sleepers: Set<() => void> = new Set(),
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted || milliseconds <= 0) return;
  await new Promise<void>((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      sleepers.delete(wake);
      cancel?.();
      resolve();
    };
    const timer = setTimeout(wake, Math.min(milliseconds, maxInt32));
    sleepers.add(wake);
    const cancel = signal && onAbort(signal, wake);
  });
}
