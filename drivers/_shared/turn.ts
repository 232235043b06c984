import { sharesNothing } from "./isolate.ts";

// As they are when this is loaded: a test may replace them later, by timers that do not run by themselves.
const { setTimeout } = globalThis;
const now = performance.now.bind(performance);
const immediate: (work: () => void) => unknown = Reflect.get(globalThis, "setImmediate") ??
  ((work: () => void) => setTimeout(work, 0));

/** Waits for the event loop to go round; undefined if it has lately, so that there is nothing to wait for. */
export type Turn = () => Promise<void> | undefined;

const known: WeakMap<object, Turn> = new WeakMap();

/**
 * Returns what lets the event loop go round, for a database in this process, which answers without it: while a consumer
 * caught up with 500,000 events of a file, no timer, signal or request came through for 8 seconds, and what the client
 * frees on the way stayed, in pages of 10 events 2.7 GB. Each client waits by itself: fifty that went on at the same time
 * would find a file locked by the first of them.
 *
 * @param longest How long a program may go on without its event loop, in milliseconds.
 */
export function turnOf(client: object, longest: number = 10): Turn {
  const turn = known.get(client) ?? makeTurn(longest);
  known.set(client, turn);
  return turn;
}

function makeTurn(longest: number): Turn {
  let next: Promise<void> | undefined;
  let since = 0;
  return () => {
    if (sharesNothing()) return undefined; // a promise of one request must not wait for another's
    if (next === undefined) {
      since = now();
      next = new Promise((resolve) =>
        immediate(() => {
          next = undefined;
          resolve();
        })
      );
    }
    return now() - since < longest ? undefined : next;
  };
}
