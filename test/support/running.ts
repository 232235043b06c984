import type { Consumer, RunOptions } from "event-sourcery";

/** Runs consumers while something is done; then stops them and waits for what is in flight. */
export async function running<R>(
  consumers: readonly Consumer[],
  work: () => Promise<R>,
  options: Omit<RunOptions, "signal"> = {},
): Promise<R> {
  const { signal, abort } = stopping();
  const given = { pollInterval: 10, onError: () => {}, ...options, signal };
  const runs = consumers.map((consumer) => consumer.run(given));
  try {
    return await work();
  } finally {
    abort();
    await Promise.all(runs);
  }
}

function stopping() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
