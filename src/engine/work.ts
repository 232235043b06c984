import type { ProjectionContext } from "./call.ts";
import type { Checkpoints, ConsumerKey } from "../driver/checkpoints.ts";
import type { LogQuery, StoredEvent } from "../driver/driver.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { Inside } from "../store/internals.ts";
import type { Retry } from "./retry.ts";
import { EventSourceryError } from "../errors/base.ts";

/** What a consumer does with events. */
export interface Work<E extends Event, Db> {
  /**
   * How: `each` event by itself, or a whole `batch`, both outside of transactions; or each event in a `transaction`,
   * together with the checkpoint, as many in one as possible.
   */
  readonly mode: "each" | "batch" | "transaction";
  /** Handles one event, or in `batch` mode one or more. */
  readonly handle: (
    events: readonly RecordedEvent<E>[],
    context: ProjectionContext<E, Db>,
  ) => unknown;
}

/** Everything that a pass over a lane has to know. */
export interface Job<E extends Event, Db> {
  readonly inside: Inside<E, Db>;
  readonly checkpoints: Checkpoints;
  readonly key: ConsumerKey;
  readonly lanes: number;
  /** Which events it wants. */
  readonly query: Pick<LogQuery, "tenantId" | "categories" | "types" | "tags" | "published">;
  readonly work: Work<E, Db>;
  /** Who works, for people to read. */
  readonly owner: string;
  readonly concurrency: number;
  readonly batchSize: number;
  readonly retry: Retry;
  readonly onFailure: "park" | "skip" | "halt";
  /** How long a handler may take, in milliseconds. */
  readonly timeout: number;
  /** How long a lease holds that nobody renews, in milliseconds. */
  readonly lease: number;
  /** Is told what a handler threw. */
  readonly report: (error: unknown, event: StoredEvent) => void;
}

/** What came of a pass. */
export interface Passed {
  /** How many events were handled. */
  readonly handled: number;
  /** How many calls failed. */
  readonly failed: number;
  /** How many streams are parked now. */
  readonly parked: number;
  /** The checkpoint now. */
  readonly position: number;
  /** When the next parked stream is due, in milliseconds from now; undefined where none is. */
  readonly due: number | undefined;
  /** How many failures are to be backed off from before anything else is tried; 0 where all may go on. */
  readonly failures: number;
}

const longest = 1000;

/**
 * Says in one line what went wrong, to be stored. Database toolkits put statements and their parameters into messages: of
 * such errors only the cause, which the database itself gave, is told.
 */
export function describe(error: unknown): string {
  let told = error;
  while (told instanceof Error && told.cause instanceof Error && isFailedQuery(told)) {
    told = told.cause;
  }
  if (told instanceof EventSourceryError) return told.message;
  return textOf(told).slice(0, longest).replace(/[\0\p{Surrogate}]/gu, "\ufffd");
}

/** Whatever was thrown: not all of it can be made a text of. */
function textOf(told: unknown): string {
  try {
    return told instanceof Error ? `${told.name}: ${told.message}` : `threw ${String(told)}`;
  } catch {
    return "threw something that has no text";
  }
}

function isFailedQuery(error: Error): boolean {
  return "query" in error || "params" in error;
}
