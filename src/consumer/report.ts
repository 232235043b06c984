import type { ErrorContext, Report } from "../engine/context.ts";
import { describe } from "../errors/describe.ts";

/** How long the same error of a consumer is not printed again, in milliseconds. */
const quiet = 60_000;

/** More errors than that are not told apart: the oldest are forgotten. */
const most = 1000;

/** What was printed when, and how often it was left out since. */
const printed: Map<string, { readonly at: number; left: number }> = new Map();

/** Returns the report of a consumer's errors to a user's `onError`, which cannot end the run; without one it prints. */
export function reporter(
  consumer: string,
  onError: ((error: unknown, context: ErrorContext) => void) | undefined,
): Report {
  return (error, context) => {
    try {
      (onError ?? print)(error, { consumer, ...context });
    } catch (second) {
      console.error(second);
    }
  };
}

/** Prints an error in one line, without any event data, unless the same was printed within the last minute. */
function print(error: unknown, context: ErrorContext): void {
  const { consumer, phase } = context;
  const notice = phase === "lease" || phase === "outbox";
  const text = notice && error instanceof Error ? error.message : describe(error);
  const key = JSON.stringify([consumer, phase, text]);
  const now = performance.now();
  const before = printed.get(key);
  if (before !== undefined && now - before.at < quiet) {
    before.left++;
    return;
  }
  printed.delete(key);
  printed.set(key, { at: now, left: 0 });
  for (const oldest of printed.keys()) {
    if (printed.size <= most) break;
    printed.delete(oldest);
  }
  const left = before === undefined || before.left === 0
    ? ""
    : ` (and ${before.left} more like this in the meantime)`;
  const line = `event-sourcery: consumer ${JSON.stringify(consumer)}${
    placeOf(context)
  }: ${text}${left}`;
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
