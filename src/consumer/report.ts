import type { ErrorContext, Report } from "../engine/context.ts";
import type { ConsumerPlan } from "../engine/plan.ts";
import type { Notice } from "../observe/observer.ts";
import { describe } from "../errors/describe.ts";
import { notify } from "../observe/around.ts";

/** The shortest time between two prints of the same error of a consumer, in milliseconds. */
const minInterval = 60_000;

/** The most distinct errors that are remembered; beyond that, the oldest are forgotten. */
const maxRemembered = 1000;

/** By error: when it was last printed, and how often it was suppressed since. */
const printed: Map<string, { readonly at: number; suppressed: number }> = new Map();

/**
 * Returns a function that passes a consumer's errors to the observer, and to `onError`, whose own errors do not end the
 * run; where neither listens, prints them.
 */
export function reporter(
  plan: ConsumerPlan,
  onError: ((error: unknown, context: ErrorContext) => void) | undefined,
): Report {
  const { name: consumer } = plan.key;
  const told = noticer(plan);
  const other = onError ?? (told === undefined ? print : undefined);
  return (error, context) => {
    told?.(error, context);
    try {
      other?.(error, { consumer, ...context });
    } catch (second) {
      console.error(second);
    }
  };
}

/** Returns a function that passes a consumer's errors to the observer; undefined without one that listens. */
export function noticer({ key, observer, onFailure }: ConsumerPlan): Report | undefined {
  if (observer?.notice === undefined) return undefined;
  return (error, { phase, event, attempt, retryAt }) => {
    const names = {
      handle: retryAt !== undefined ? "retry" : onFailure === "skip" ? "skipped" : "parked",
      pass: "outage",
      lease: "waiting-for-lease",
      outbox: "misconfigured",
    } as const satisfies Record<typeof phase, Notice["name"]>;
    const name = names[phase];
    notify(observer, { name, consumer: key.name, error, event, attempt, retryAt });
  };
}

/** Prints an error in one line, without event data, unless the same one was printed within the last minute. */
function print(error: unknown, context: ErrorContext): void {
  const { consumer, phase } = context;
  const notice = phase === "lease" || phase === "outbox";
  const text = notice && error instanceof Error ? error.message : describe(error);
  const key = JSON.stringify([consumer, phase, text]);
  const now = performance.now();
  const before = printed.get(key);
  if (before !== undefined && now - before.at < minInterval) {
    before.suppressed++;
    return;
  }
  printed.delete(key);
  printed.set(key, { at: now, suppressed: 0 });
  for (const oldest of printed.keys()) {
    if (printed.size <= maxRemembered) break;
    printed.delete(oldest);
  }
  const suppressed = before === undefined || before.suppressed === 0
    ? ""
    : ` (and ${before.suppressed} more like this in the meantime)`;
  const line = `event-sourcery: consumer ${JSON.stringify(consumer)}${
    placeOf(context)
  }: ${text}${suppressed}`;
  (notice ? console.warn : console.error)(line.replace(/\s*[\r\n]+\s*/g, " "));
}

function placeOf({ phase, event, attempt, retryAt }: ErrorContext): string {
  if (phase === "lease" || phase === "outbox") return "";
  const again = retryAt === undefined
    ? "it is not tried again by itself"
    : `it is tried again at ${retryAt.toISOString()}`;
  const what = event === undefined
    ? "pass"
    : `event ${JSON.stringify(event.type)} at position ${event.position} of stream ${
      JSON.stringify(event.streamId)
    }`;
  return `, ${what}, attempt ${attempt}, ${again}`;
}
