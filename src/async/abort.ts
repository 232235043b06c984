/** What is to be done when a signal aborts. */
const actions: WeakMap<AbortSignal, Set<() => void>> = new WeakMap();

/**
 * Does something when a signal aborts, which it has not yet.
 *
 * A signal gets one listener however many wait for it: Node warns of more than ten, as for a leak. `AbortSignal.any`
 * would keep a little of each call as long as the signal lives, and on Node 20 a timeout that nobody listens to may be
 * collected before it comes.
 *
 * @returns Takes it back.
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  const waiting = actions.get(signal) ?? listen(signal);
  waiting.add(action);
  return () => void waiting.delete(action);
}

function listen(signal: AbortSignal): Set<() => void> {
  const waiting = new Set<() => void>();
  actions.set(signal, waiting);
  signal.addEventListener("abort", () => {
    for (const action of [...waiting]) action();
  });
  return waiting;
}
