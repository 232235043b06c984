import { type AppendOutcome, type AppendRequest, BusyError } from "../../../mod.ts";
import {
  isConditional,
  type Lane,
  type Limits,
  streamOf,
  type Waiter,
  Waiting,
} from "./waiting.ts";

/** How appends are sent. */
interface Sending {
  /** How long a request waits, in milliseconds. */
  readonly busyTimeout: number;
  readonly limits: Limits;
  /** The most statements of a lane under way. */
  readonly flights: () => number;
  /** The lane of a request. */
  readonly lane: (request: AppendRequest) => Lane;
  /**
   * Sends several requests in one statement.
   *
   * @param patience How long it waits for locks, in milliseconds.
   * @returns For each its outcome, or the error for its caller.
   * @throws What failed for all of them: nothing of them is stored.
   */
  readonly together: (
    requests: readonly AppendRequest[],
    patience: number,
  ) => Promise<readonly (AppendOutcome | Error)[]>;
  /** Sends one request. @throws {BusyError} If its patience ends. */
  readonly alone: (request: AppendRequest, patience: number) => Promise<AppendOutcome>;
  /** Whether only another writer was in the way for a moment. */
  readonly raced: (error: unknown) => boolean;
}

/** How long a statement waits for locks before its requests get out of the way of others, in milliseconds. */
const patience = 150;
/** How long the parts of such a statement do, in milliseconds. */
const shortPatience = 30;
/** The parts that a failed group is sent in, before each of its requests is sent by itself. */
const parts = 16;
/** The most requests that wait for locks as long as they may. */
const mostPatient = 4;
/** The microtasks in which the callers of a group come back with their next requests; some 2 µs. */
const hop = 40;
/** The times that a request is sent again because another append was faster, before its caller learns of it. */
const mostRaces = 3;

/** What is under way of a lane. */
interface LaneState {
  /** The statements under way. */
  flights: number;
  /** The requests in them. */
  underWay: number;
  /** Whether the callers of a group are coming back. */
  hopping: boolean;
}

/**
 * Sends the appends that arrive while others are under way together, each with its own outcome (group commit).
 *
 * A lone request leaves at once, by itself. What fails for a group is found out apart from the others: it costs them
 * milliseconds and never their outcome. Until then only the group's own streams wait.
 */
export class Groups {
  readonly #sending: Sending;
  readonly #waiting: Waiting;
  readonly #lanes: Readonly<Record<Lane, LaneState>> = {
    plain: { flights: 0, underWay: 0, hopping: false },
    checked: { flights: 0, underWay: 0, hopping: false },
  };
  #patient = 0;
  readonly #queued: (() => void)[] = [];

  constructor(sending: Sending) {
    this.#sending = sending;
    this.#waiting = new Waiting(sending.limits, sending.busyTimeout);
  }

  /**
   * Appends.
   *
   * @throws {BusyError} If it could not be sent within `busyTimeout`.
   * @throws The reason of the request's signal, if that aborts before it is sent.
   */
  append(request: AppendRequest): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      request.signal?.throwIfAborted();
      const deadline = performance.now() + this.#sending.busyTimeout;
      const lane = this.#sending.lane(request);
      this.#waiting.add({ request, resolve, reject, deadline, races: 0, lane });
      this.#send(lane);
    });
  }

  /** Sends what may leave now. */
  #send(lane: Lane): void {
    const state = this.#lanes[lane];
    const flights = this.#sending.flights();
    while (!state.hopping && state.flights < flights) {
      const size = this.#waiting.size(lane);
      const enough = state.flights === 0 ? 1 : Math.max(16, state.underWay / 2);
      if (size < enough) break;
      // With two flights, each has at most half of all: JavaScript and database work at the same time.
      const most = flights === 1 ? Infinity : Math.max(32, Math.ceil((size + state.underWay) / 2));
      const group = this.#waiting.take(lane, most);
      if (group.length === 0) break;
      void this.#fly(group, lane);
    }
    this.#waiting.watch();
  }

  async #fly(group: readonly Waiter[], lane: Lane): Promise<void> {
    const state = this.#lanes[lane];
    state.flights++;
    state.underWay += group.length;
    const deadline = performance.now() + this.#sending.busyTimeout;
    for (const waiter of group) waiter.deadline = deadline;
    await (group.length === 1 ? this.#leave(group[0]!) : this.#leaveTogether(group));
    state.flights--;
    state.underWay -= group.length;
    if (group.length > 1 && !state.hopping) {
      // Whoever was answered comes back some microtasks later; else groups of one and of all others would alternate.
      state.hopping = true;
      for (let microtask = 0; microtask < hop; microtask++) await undefined;
      state.hopping = false;
    }
    this.#send("plain");
    this.#send("checked");
  }

  async #leave(waiter: Waiter): Promise<void> {
    const outcome = await this.#sendAlone(waiter, patience);
    if (outcome instanceof BusyError && inTime(waiter)) void this.#patiently([waiter]);
    else this.#settle([waiter], [outcome]);
  }

  async #leaveTogether(group: readonly Waiter[]): Promise<void> {
    while (true) {
      try {
        return this.#settle(group, await this.#sendTogether(group, patience));
      } catch (error) {
        const raced = this.#sending.raced(error);
        if (!raced && !(error instanceof BusyError)) break;
        if (!inTime(group[0]!)) {
          const busy = new BusyError(this.#sending.busyTimeout, { cause: error });
          return this.#settle(group, group.map(() => busy));
        }
        if (!raced) break;
        await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 15));
      }
    }
    void this.#takeApart(group);
  }

  /** Sends a failed group in parts, and a failed part stream by stream, so that only those fail who must. */
  async #takeApart(group: readonly Waiter[]): Promise<void> {
    const streams = new Map<string, Waiter[]>();
    for (const waiter of group) {
      const stream = streamOf(waiter.request);
      streams.set(stream, [...streams.get(stream) ?? [], waiter]);
    }
    const lists = [...streams.values()];
    const size = Math.ceil(lists.length / parts);
    for (let from = 0; from < lists.length; from += size) {
      const part = lists.slice(from, from + size);
      try {
        if (part.length === 1) throw part;
        this.#settle(part.flat(), await this.#sendTogether(part.flat(), shortPatience));
      } catch {
        for (const stream of part) await this.#oneByOne(stream);
      }
    }
  }

  async #oneByOne(stream: readonly Waiter[]): Promise<void> {
    for (const [index, waiter] of stream.entries()) {
      const outcome = await this.#sendAlone(waiter, shortPatience);
      if (outcome instanceof BusyError && inTime(waiter)) {
        return void this.#patiently(stream.slice(index));
      }
      this.#settle([waiter], [outcome]);
    }
  }

  /** Sends the requests of a stream that is locked, one after the other, apart from all flights. */
  async #patiently(stream: readonly Waiter[]): Promise<void> {
    while (this.#patient === mostPatient) {
      await new Promise<void>((resolve) => this.#queued.push(resolve));
    }
    this.#patient++;
    for (const waiter of stream) {
      const left = Math.max(1, Math.ceil(waiter.deadline - performance.now()));
      this.#settle([waiter], [await this.#sendAlone(waiter, left)]);
    }
    this.#patient--;
    this.#queued.shift()?.();
  }

  async #sendAlone({ request }: Waiter, patience: number): Promise<AppendOutcome | Error> {
    const wait = Math.min(patience, this.#sending.busyTimeout);
    try {
      let outcome = await this.#sending.alone(request, wait);
      // Sent again here, it keeps its place before later requests of its stream.
      for (let races = 0; lostRace(request, outcome) && races < mostRaces; races++) {
        outcome = await this.#sending.alone(request, wait);
      }
      return outcome;
    } catch (error) {
      return error as Error;
    }
  }

  #sendTogether(
    group: readonly Waiter[],
    patience: number,
  ): Promise<readonly (AppendOutcome | Error)[]> {
    const requests = group.map(({ request }) => request);
    return this.#sending.together(requests, Math.min(patience, this.#sending.busyTimeout));
  }

  /** Answers requests; those for any version that lost a race go again before all others, in their order. */
  #settle(group: readonly Waiter[], outcomes: readonly (AppendOutcome | Error)[]): void {
    const again: Waiter[] = [];
    for (const [index, waiter] of group.entries()) {
      const outcome = outcomes[index]!;
      this.#waiting.done(waiter);
      if (outcome instanceof Error) waiter.reject(outcome);
      else if (lostRace(waiter.request, outcome) && ++waiter.races <= mostRaces) again.push(waiter);
      else waiter.resolve(outcome);
    }
    this.#waiting.again(again);
    for (const lane of ["plain", "checked"] as const) {
      // Else the statement that is under way sends when it is back.
      if (this.#lanes[lane].flights === 0) this.#send(lane);
    }
  }
}

function inTime({ deadline }: Waiter): boolean {
  return performance.now() < deadline;
}

function lostRace(request: AppendRequest, outcome: AppendOutcome): boolean {
  return outcome.status === "refused" && outcome.conflict.kind === "race" &&
    !isConditional(request);
}
