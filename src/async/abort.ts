/** The actions to run when a signal aborts. */
const actions: WeakMap<AbortSignal, Set<() => void>> = new WeakMap();

/**
 * Runs an action when a signal aborts; the signal must not be aborted yet.
 *
 * A signal gets one listener for all actions: Node warns of a leak at more than ten listeners. `AbortSignal.any` would
 * retain some memory for each call as long as the signal lives, and on Node 20 a timeout signal without a listener may
 * be collected before it fires.
 *
 * @returns A function that cancels the action.
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  const registered = actions.get(signal) ?? listen(signal);
  registered.add(action);
  return () => void registered.delete(action);
}

function listen(signal: AbortSignal): Set<() => void> {
  const registered = new Set<() => void>();
  actions.set(signal, registered);
  signal.addEventListener("abort", () => {
    for (const action of [...registered]) action();
  });
  return registered;
}
