import type { ErrorContext } from "../engine/context.ts";
import { onAbort } from "../async/abort.ts";
import { checkFunction, checkNumber, checkObject, maxInt32 } from "../errors/check.ts";

/**
 * Options of `Consumer.run`.
 *
 * @category Consumers
 */
export interface RunOptions {
  /** Ends the run, once the events in flight are finished. @default it runs until the consumer is disposed of */
  readonly signal?: AbortSignal | undefined;
  /**
   * The longest pause before it looks for work again, in milliseconds, or `Infinity`: pauses begin at a second and double
   * as long as there is none. What this process appends, a notification, `wake()` and what is due end one at once.
   *
   * @default 60_000 while notifications arrive, else 1000
   */
  readonly pollInterval?: number | undefined;
  /**
   * Receives errors of handlers and of passes, and notices; the consumer keeps running. The context names the event and
   * the time of its retry.
   * @default prints a line of text, the same error of a consumer at most once a minute
   */
  readonly onError?: ((error: unknown, context: ErrorContext) => void) | undefined;
}

/**
 * Options of `Consumer.runOnce` and `drain`.
 *
 * @category Consumers
 */
export interface OnceOptions {
  /** Ends it early, once the events in flight are finished. @default it ends by itself */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long it may begin to handle events, in milliseconds, such as a minute of a cron trigger's. An event that is being
   * handled then is finished, which takes the consumer's `timeout` at most; others are left to the next call.
   *
   * @default as long as there are any
   */
  readonly maxDuration?: number | undefined;
}

/** Runs work with the caller's signal, which aborts after `maxDuration`, too. */
export async function within<R>(
  { signal, maxDuration }: OnceOptions,
  work: (signal: AbortSignal | undefined) => Promise<R>,
): Promise<R> {
  if (maxDuration === undefined) return await work(signal);
  checkNumber("maxDuration", maxDuration, 1, maxInt32);
  const stop = new AbortController();
  const end = () => stop.abort();
  const timer = setTimeout(end, maxDuration);
  if (signal?.aborted) end();
  const cancel = signal && !signal.aborted ? onAbort(signal, end) : undefined;
  try {
    return await work(stop.signal);
  } finally {
    clearTimeout(timer);
    cancel?.();
  }
}

/**
 * Options of `runAll`.
 *
 * @category Consumers
 */
export interface RunAllOptions extends Pick<RunOptions, "signal" | "pollInterval"> {
  /** Receives errors, with the context that each of them gives. @default each prints a line of text */
  readonly onError?: ((error: unknown, context: object) => void) | undefined;
}

/**
 * Runs several consumers, and schedulers beside them, until the signal aborts: then all finish what is in flight. Where one
 * cannot run at all, such as with another number of lanes than it was registered with, the others stop, too.
 *
 * @param runs Consumers, or others that have a `run`.
 * @param options Those of their `run`.
 * @throws {EventSourceryError} The first error that ended one, once all have stopped.
 *
 * @category Consumers
 *
 * @example All of a process
 * ```ts
 * import { defineEvent, EventStore, Outbox, runAll, Subscription } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Placed = defineEvent("Placed");
 * const store = new EventStore(memory(), { events: [Placed], publishes: true });
 * const stop = new AbortController();
 * const seen: string[] = [];
 * const outbox = new Outbox(store, { publisher: () => seen.push("published") });
 * const reader = new Subscription(store, { name: "reader", handler: () => seen.push("read") });
 *
 * const running = runAll([outbox, reader], { signal: stop.signal });
 * const { position } = await store.append("order:42", Placed());
 * await Promise.all([outbox.waitFor(position), reader.waitFor(position)]);
 * stop.abort();
 * await running;
 * assert.deepEqual(seen.sort(), ["published", "read"]);
 * ```
 */
export async function runAll(
  runs: readonly { run(options: RunAllOptions): Promise<void> }[],
  options: RunAllOptions = {},
): Promise<void> {
  const { signal, ...rest } = checkObject("options", options);
  if (!Array.isArray(runs)) throw new TypeError("runs must be a list of consumers");
  for (const one of runs) checkFunction("run of a consumer", one?.run);
  const stop = new AbortController();
  const end = () => stop.abort();
  if (signal?.aborted) end();
  const cancel = signal && !signal.aborted ? onAbort(signal, end) : undefined;
  let failed: { readonly error: unknown } | undefined;
  await Promise.all(runs.map(async (one) => {
    try {
      await one.run({ ...rest, signal: stop.signal });
    } catch (error) {
      failed ??= { error };
      end();
    }
  }));
  cancel?.();
  if (failed !== undefined) throw failed.error;
}
