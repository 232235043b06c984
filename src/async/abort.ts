/** The actions to run when a signal aborts, and the one listener that runs them. */
interface Registered {
  readonly actions: Set<() => void>;
  readonly listener: () => void;
}

const signals: WeakMap<AbortSignal, Registered> = new WeakMap();

/**
 * Runs an action when a signal aborts; the signal must not be aborted yet.
 *
 * A signal gets one listener for all actions: Node warns of a leak at more than ten listeners. `AbortSignal.any` would
 * retain some memory for each call as long as the signal lives. Without an action, the signal has no listener: with one,
 * a timeout signal keeps a process of Deno running until it fires. Yet on Node 20 one without a listener may be collected
 * before it fires, so code that waits several times keeps an action registered throughout.
 *
 * @returns A function that cancels the action.
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  const { actions, listener } = signals.get(signal) ?? listen(signal);
  actions.add(action);
  return () => {
    if (!actions.delete(action) || actions.size > 0) return;
    signal.removeEventListener("abort", listener);
    signals.delete(signal);
  };
}

function listen(signal: AbortSignal): Registered {
  const actions = new Set<() => void>();
  const listener = () => {
    for (const action of [...actions]) action();
  };
  const registered = { actions, listener };
  signals.set(signal, registered);
  signal.addEventListener("abort", listener);
  return registered;
}
