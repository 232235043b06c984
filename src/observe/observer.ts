import type { ExpectedVersion } from "../driver/version.ts";
import type { EventIdentity, Metadata, RecordedEvent } from "../event/event.ts";

/**
 * Watches what a store does, and its repositories and consumers. It never changes what they do: an observer that throws,
 * or does not keep to its contract, is reported once with `console.error` and otherwise ignored.
 *
 * @category Observing
 *
 * @example Count appends, and add the user to what is appended
 * ```ts
 * import { defineEvent, EventStore, type Observer } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Paid = defineEvent("Paid");
 * const appended: string[] = [];
 * const observer: Observer = {
 *   async around(operation, run) {
 *     const result = await run();
 *     if (operation.name === "append") appended.push(operation.streamId);
 *     return result;
 *   },
 *   metadata: () => ({ userId: "ada" }),
 * };
 * const store = new EventStore(memory(), { events: [Paid], observer });
 *
 * const { events } = await store.append("order:1", Paid());
 * assert.deepEqual(appended, ["order:1"]);
 * assert.equal(events[0].metadata.userId, "ada");
 * ```
 */
export interface Observer {
  /**
   * Runs around an operation. It calls `run` once, before it waits for anything, and returns what that returns; the
   * operation's caller gets the result of `run` in any case, and does not wait for the observer.
   *
   * @param operation What is done; its `outcome` is there once `run` has resolved.
   * @param run Begins the operation.
   */
  around?<R>(operation: Operation, run: () => Promise<R>): Promise<R>;

  /**
   * Hears of what has no duration: all that `onError` of consumers hears, and more. It takes the place of what consumers
   * print where they have no `onError`.
   */
  notice?(notice: Notice): void;

  /**
   * Returns metadata for what is appended or scheduled now, such as the trace context or the user. That of a scope, and
   * an event's own, take precedence. It is called inside `around`.
   */
  metadata?(): Metadata | undefined;
}

/**
 * An operation that an observer runs around.
 *
 * @category Observing
 */
export type Operation =
  | AppendOperation
  | LoadOperation
  | CommandOperation
  | HandleOperation
  | PassOperation
  | RebuildOperation;

/**
 * Appends events, with the handlers inside the append.
 *
 * @category Observing
 */
export interface AppendOperation {
  /** What is done. */
  readonly name: "append";
  /** The tenant; `""` outside of any. */
  readonly tenantId: string;
  /** The stream; of an append to several, the first. */
  readonly streamId: string;
  /** The category of that stream; `""` if it has none. */
  readonly category: string;
  /** The events of all streams. */
  readonly events: readonly { readonly type: string; readonly id: string }[];
  /** The version that is expected of that stream. */
  readonly expected: ExpectedVersion;
  /** For each stream, the version and position of its last event; undefined until it has succeeded. */
  readonly outcome?: readonly { readonly version: number; readonly position: number }[] | undefined;
}

/**
 * Reads a page of a stream, of at most 1024 events: for `load`, `read` and `fold` of a store, and for the state of an
 * aggregate, decider or process.
 *
 * @category Observing
 */
export interface LoadOperation {
  /** What is done. */
  readonly name: "load";
  /** The tenant; `""` outside of any. */
  readonly tenantId: string;
  /** The stream. */
  readonly streamId: string;
  /** Its category; `""` if it has none. */
  readonly category: string;
  /** The events that were read, in stored form; undefined until it has succeeded. */
  readonly outcome?: { readonly events: readonly unknown[] } | undefined;
}

/**
 * Runs a command of a repository or decider: loads, decides and saves. After a conflict with another writer it fails with
 * a `ConcurrencyError`, and the next attempt is an operation of its own.
 *
 * @category Observing
 */
export interface CommandOperation {
  /** What is done. */
  readonly name: "command";
  /** The name of the class, or the category of the decider. */
  readonly aggregate: string;
  /** The aggregate's id, without the category. */
  readonly id: string;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** The version after it, and the events that it has appended; undefined until it has succeeded. */
  readonly outcome?: { readonly version: number; readonly events: readonly unknown[] } | undefined;
}

/**
 * Has a consumer handle one event, or several that it takes together. It rejects with what the handler threw.
 *
 * @category Observing
 */
export interface HandleOperation {
  /** What is done. */
  readonly name: "handle";
  /** The consumer's name. */
  readonly consumer: string;
  /** The version of the consumer. */
  readonly version: number;
  /** The lane, from 0. */
  readonly lane: number;
  /** The events, by position. */
  readonly events: readonly HandledIdentity[];
  /** The number of the attempt at them, from 1. */
  readonly attempt: number;
}

/**
 * What is known of an event before it is decoded.
 *
 * @category Observing
 */
export interface HandledIdentity extends EventIdentity {
  /** When it was created, a UTC instant. */
  readonly createdAt: Date;
  /** Its metadata, as stored. */
  readonly metadata: Metadata;
}

/**
 * One pass of a consumer over one of its lanes.
 *
 * @category Observing
 */
export interface PassOperation {
  /** What is done. */
  readonly name: "pass";
  /** The consumer's name. */
  readonly consumer: string;
  /** The version of the consumer. */
  readonly version: number;
  /** The lane, from 0. */
  readonly lane: number;
  /** What it did; undefined until it has ended. */
  readonly outcome?: PassOutcome | undefined;
}

/**
 * What a pass did.
 *
 * @category Observing
 */
export interface PassOutcome {
  /** The number of events that were handled. */
  readonly handled: number;
  /** The number of attempts that failed. */
  readonly failed: number;
  /** The number of events that were skipped, by `onFailure: "skip"`. */
  readonly skipped: number;
  /** The number of streams of the lane that are parked now. */
  readonly parked: number;
  /** The checkpoint after it. */
  readonly position: number;
}

/**
 * Rebuilds a projection: `reset`, then a replay.
 *
 * @category Observing
 */
export interface RebuildOperation {
  /** What is done. */
  readonly name: "rebuild";
  /** The projection's name. */
  readonly consumer: string;
  /** The version of the projection. */
  readonly version: number;
  /** What was replayed; undefined until it has ended. */
  readonly outcome?: { readonly handled: number; readonly failed: number } | undefined;
}

/**
 * Something that happened and has no duration.
 *
 * @category Observing
 */
export interface Notice {
  /**
   * What happened:
   *
   * - `"retry"`: an event failed, and is tried again at `retryAt`; `"parked"`: it is not, and its stream waits for a
   *   person; `"skipped"`: it was given up.
   * - `"outage"`: a pass failed, or nothing that the consumer tries succeeds; `"recovered"`: something succeeded again.
   * - `"lease-lost"`: another worker has taken over a lane; `"waiting-for-lease"`: a lane waits for the lease of a worker
   *   that seems to have vanished.
   * - `"misconfigured"`: an error that no retry mends has ended the run, or an outbox passed 10 events of which none was
   *   published.
   */
  readonly name:
    | "parked"
    | "retry"
    | "skipped"
    | "outage"
    | "recovered"
    | "lease-lost"
    | "waiting-for-lease"
    | "misconfigured";
  /** The consumer's name. */
  readonly consumer: string;
  /** The cause. */
  readonly error?: unknown;
  /** The event; where it cannot be decoded, only what identifies it. */
  readonly event?: RecordedEvent | EventIdentity | undefined;
  /** The number of the attempt that failed, from 1: at the event, or at a pass in a row. */
  readonly attempt?: number | undefined;
  /** When it is tried again, by this process's clock. */
  readonly retryAt?: Date | undefined;
}
