import { onAbort } from "./abort.ts";
import { maxInt32 } from "../errors/check.ts";

/**
 * Waits, at most for some milliseconds.
 *
 * @param sleepers Where to leave what ends the waiting early.
 * @param signal Ends the waiting, too; nothing is thrown.
 */
export async function sleep(
  milliseconds: number,
  sleepers: Set<() => void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted || milliseconds <= 0) return;
  await new Promise<void>((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      sleepers.delete(wake);
      forget?.();
      resolve();
    };
    const timer = setTimeout(wake, Math.min(milliseconds, maxInt32));
    sleepers.add(wake);
    const forget = signal && onAbort(signal, wake);
  });
}
