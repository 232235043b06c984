import type { Checkpoints, ConsumerKey } from "../driver/checkpoints.ts";
import type { Session } from "../driver/driver.ts";
import type { LogQuery } from "../driver/read.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { Internals } from "../store/internals.ts";
import type { ProjectionContext, Report } from "./context.ts";
import type { Retry } from "./retry.ts";
import { UnsupportedError } from "../errors/driver.ts";

/** A session of a driver that serves consumers. */
type ConsumerSession<Db> = Session<Db> & { readonly checkpoints: Checkpoints };

/**
 * Makes sure that a session serves consumers.
 *
 * @throws {UnsupportedError} If it does not.
 */
export function checkSession<Db>(session: Session<Db>): asserts session is ConsumerSession<Db> {
  if (session.checkpoints !== undefined) return;
  throw new UnsupportedError("make a consumer", "this driver keeps no checkpoints");
}

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
export interface PassSettings<E extends Event, Db> {
  readonly internals: Internals<E, Db>;
  readonly checkpoints: Checkpoints;
  readonly key: ConsumerKey;
  readonly lanes: number;
  /** Which events it wants. */
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
  /** How long a lease is held without being renewed, in milliseconds. */
  readonly lease: number;
  /** Receives what handlers throw; undefined where it is not reported. */
  readonly report: Report | undefined;
}

/** The outcome of a pass. */
export interface PassResult {
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
  /** How long to rest before anything else is tried, in milliseconds; undefined where all may go on. */
  readonly rest: number | undefined;
}
