import {
  type AppendOutcome,
  type AppendRequest,
  BusyError,
  type MatchCondition,
} from "../../../mod.ts";

/** A request that is not answered yet. */
export interface Waiter {
  readonly request: AppendRequest;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** The time until which it waits to be sent, and once it was sent, for locks. */
  deadline: number;
  /** How often it was sent while another append was faster. */
  races: number;
  /** Which statements take it. */
  readonly lane: Lane;
}

/**
 * Requests of one lane are sent together: those whose condition waits for locks must not hold up those without one.
 */
export type Lane = "plain" | "checked";

/** What one statement takes; always at least one request. */
export interface Limits {
  readonly requests: number;
  readonly events: number;
  /** The types and tags of the events. */
  readonly keys: number;
}

/** The most characters of data and metadata in one statement. */
const mostText = 1_000_000;

/** The requests that wait to be sent, in call order, and the streams of those that are under way. */
export class Waiting {
  readonly #limits: Limits;
  readonly #busyTimeout: number;
  readonly #underWay: Map<string, number> = new Map();
  readonly #watched: WeakSet<AbortSignal> = new WeakSet();
  #waiters: Waiter[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limits: Limits, busyTimeout: number) {
    this.#limits = limits;
    this.#busyTimeout = busyTimeout;
  }

  /** How many requests of a lane wait. */
  size(lane: Lane): number {
    return this.#waiters.reduce((count, waiter) => count + Number(waiter.lane === lane), 0);
  }

  add(waiter: Waiter): void {
    this.#waiters.push(waiter);
  }

  /** Puts requests that were sent in vain back to their place, before all others. */
  again(waiters: readonly Waiter[]): void {
    this.#waiters.unshift(...waiters);
  }

  /** Ends the way of a request: later ones of its stream may be sent. */
  done({ request }: Waiter): void {
    const stream = streamOf(request);
    const left = this.#underWay.get(stream)! - 1;
    if (left === 0) this.#underWay.delete(stream);
    else this.#underWay.set(stream, left);
  }

  /**
   * Takes out what one statement sends: in call order, all that limits and streams allow. Of a stream, a request with an
   * expectation comes first and alone; those for any version follow it. A statement sees nothing of itself, so no
   * request of it may match another's condition. Whoever stays back holds up its stream.
   */
  take(lane: Lane, most: number): readonly Waiter[] {
    const group: Waiter[] = [];
    const back: Waiter[] = [];
    const [joined, held, types] = [new Set<string>(), new Set<string>(), new Set<string>()];
    let [events, text, tags] = [0, 0, 0];
    const limits = this.#limits;
    for (const [index, waiter] of this.#waiters.entries()) {
      const { tenantId, writes } = waiter.request;
      const write = writes[0]!;
      const stream = streamOf(waiter.request);
      if (
        waiter.lane !== lane || held.has(stream) || this.#underWay.has(stream) ||
        (joined.has(stream) && isConditional(waiter.request)) || touches(waiter.request, group)
      ) {
        held.add(stream);
        back.push(waiter);
        continue;
      }
      for (const event of write.events) {
        events++;
        text += event.metadata.length + (event.data?.length ?? 0);
        tags += event.tags.length;
        types.add(`${tenantId}\0${event.type}`);
      }
      for (const item of waiter.request.condition?.items ?? []) {
        tags += Math.max(1, item.types?.length ?? 0);
      }
      const full = group.length >= Math.min(most, limits.requests) || events > limits.events ||
        text > mostText || tags + types.size > limits.keys;
      if (full && group.length > 0) {
        back.push(...this.#waiters.slice(index));
        break;
      }
      joined.add(stream);
      // What follows one that may be refused for more than its version would hide which of the two it was.
      if (waiter.request.condition !== undefined) held.add(stream);
      group.push(waiter);
    }
    this.#waiters = back;
    for (const stream of group.map(({ request }) => streamOf(request))) {
      this.#underWay.set(stream, (this.#underWay.get(stream) ?? 0) + 1);
    }
    return group;
  }

  /** Looks after those who go on waiting: ends their wait at their deadline, or when their signal aborts. */
  watch(): void {
    const [first] = this.#waiters;
    if (first === undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#timer ??= setTimeout(() => this.#expire(), first.deadline - performance.now());
    const { signal } = this.#waiters.at(-1)!.request;
    if (signal === undefined || this.#watched.has(signal)) return;
    // One listener for all requests of a signal: Node warns of a leak at more than ten.
    this.#watched.add(signal);
    signal.addEventListener("abort", () => {
      this.#reject(({ request }) => request.signal === signal, signal.reason);
    }, { once: true });
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    this.#reject(({ deadline }) => deadline <= now, new BusyError(this.#busyTimeout));
    this.watch();
  }

  #reject(chosen: (waiter: Waiter) => boolean, error: unknown): void {
    const rejected = this.#waiters.filter(chosen);
    this.#waiters = this.#waiters.filter((waiter) => !chosen(waiter));
    for (const { reject } of rejected) reject(error);
  }
}

/** The stream of a request for one, with its tenant. */
export function streamOf({ tenantId, writes }: AppendRequest): string {
  return `${tenantId}\0${writes[0]!.streamId}`;
}

/** Whether a request is stored only if something holds. */
export function isConditional({ writes, condition }: AppendRequest): boolean {
  return condition !== undefined || writes[0]!.expectedVersion !== "any";
}

/** Whether a request matches the condition of one in the group, or one of them the condition of this. */
function touches(request: AppendRequest, group: readonly Waiter[]): boolean {
  return group.some(({ request: other }) =>
    other.tenantId === request.tenantId &&
    (matches(request.condition, other) || matches(other.condition, request))
  );
}

function matches(condition: MatchCondition | undefined, { writes }: AppendRequest): boolean {
  if (condition === undefined) return false;
  return condition.items.some(({ types, tags = [] }) =>
    writes[0]!.events.some((event) =>
      (types === undefined || types.includes(event.type)) &&
      tags.every((tag) => event.tags.includes(tag))
    )
  );
}
