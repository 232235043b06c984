import type { Checkpoints } from "../driver/checkpoints.ts";
import type { Session } from "../driver/driver.ts";
import type { ConsumerKey } from "../driver/keys.ts";
import type { LogQuery } from "../driver/read.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { Internals } from "../store/internals.ts";
import type { ProjectionContext, Report } from "./context.ts";
import type { Retry } from "./retry.ts";
import { UnsupportedError } from "../errors/driver.ts";

/** A session of a driver that supports consumers. */
export type ConsumerSession<Db> = Session<Db> & { readonly checkpoints: Checkpoints };

/**
 * Checks that a session supports consumers.
 *
 * @throws {UnsupportedError} If it does not.
 */
export function checkSession<Db>(session: Session<Db>): asserts session is ConsumerSession<Db> {
  if (session.checkpoints !== undefined) return;
  throw new UnsupportedError("make a consumer", "this driver keeps no checkpoints");
}

/** The handling of events by a consumer. */
export interface Work<E extends Event, Db> {
  /**
   * How events are handed over: `each` on its own, or a whole `batch`, both outside of transactions; or each event in a
   * `transaction` with the checkpoint, as many in one transaction as possible.
   */
  readonly mode: "each" | "batch" | "transaction";
  /** Whether sealed fields are handed over as their masks. */
  readonly masked?: boolean | undefined;
  /** Handles one event, or in `batch` mode one or more. */
  readonly handle: (
    events: readonly RecordedEvent<E>[],
    context: ProjectionContext<E, Db>,
  ) => unknown;
}

/** The settings of a pass over a lane. */
export interface PassSettings<E extends Event, Db> {
  readonly internals: Internals<E, Db>;
  readonly checkpoints: Checkpoints;
  readonly key: ConsumerKey;
  readonly lanes: number;
  /** The lane of the pass. */
  readonly lane: number;
  /** The filter of the events that it handles. */
  readonly query: Pick<LogQuery, "tenantId" | "categories" | "types" | "tags" | "published">;
  readonly work: Work<E, Db>;
  /** The worker's name, for logs. */
  readonly owner: string;
  readonly concurrency: number;
  readonly batchSize: number;
  readonly retry: Retry;
  readonly onFailure: "park" | "skip" | "stop";
  /** How long a handler may take, in milliseconds. */
  readonly timeout: number;
  /** The length of a lease, in milliseconds; it is renewed after each third. */
  readonly lease: number;
  /** Returns the position up to which events are history to the consumer. */
  readonly replay: () => number;
  /** Receives what handlers throw; undefined where nothing is reported. */
  readonly report: Report | undefined;
}

/** The outcome of a pass. */
export interface PassResult {
  /** The number of events that were handled. */
  readonly handled: number;
  /** The number of handler calls that failed. */
  readonly failed: number;
  /** The number of events that were skipped, by the policy for failures. */
  readonly skipped: number;
  /** The number of streams of the lane that are parked now. */
  readonly parked: number;
  /** The checkpoint after the pass. */
  readonly position: number;
  /** When the next parked stream is due, in milliseconds from now; undefined where none is. */
  readonly due: number | undefined;
  /** The last error of a handler, or that of a lost lease; undefined where there was none. */
  readonly error: unknown;
  /** The pause before the next pass, in milliseconds; undefined where none is needed. */
  readonly pause: number | undefined;
}
