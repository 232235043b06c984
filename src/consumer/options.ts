import type { ProjectionContext } from "../engine/context.ts";
import type { ConsumerOptions, ConsumerStart } from "../engine/options.ts";
import type { Event, RecordedEvent } from "../event/event.ts";

/**
 * Handlers by event type; events without one are passed over.
 *
 * @category Consumers
 */
export type ProjectionHandlers<E extends Event, Db> = {
  readonly [Type in E["type"]]?:
    | ((
      event: RecordedEvent<Extract<E, { readonly type: Type }>>,
      context: ProjectionContext<E, Db>,
    ) => unknown)
    | undefined;
};

/**
 * The argument of `reset`.
 *
 * @category Consumers
 */
export interface ResetContext<Db = unknown> {
  /** The handle of the transaction that also sets the checkpoint back. */
  readonly db: Db;
  /** The projection's version. */
  readonly projectionVersion: number;
}

/**
 * Options of a projection.
 *
 * @category Consumers
 */
export interface ProjectionOptions<E extends Event, Db>
  extends Omit<ConsumerOptions, "concurrency" | "onFilterChange"> {
  /** Its name: two projections of one name and version share the work. */
  readonly name: string;
  /** The handlers, which run in a transaction that also moves the checkpoint: exactly once for each event. */
  readonly handlers: ProjectionHandlers<E, Db>;
  /**
   * The version, at most 2^31 - 1: each has a checkpoint of its own, so that a new one builds its read model beside the
   * old.
   * @default 1
   */
  readonly version?: number | undefined;
  /** Only events of streams of these categories. @default all */
  readonly categories?: readonly string[] | undefined;
  /** Where it starts when it first runs. @default "start" */
  readonly from?: ConsumerStart | undefined;
  /** Empties the read model; `rebuild` and `onFilterChange: "rebuild"` need it. @default none */
  readonly reset?: ((context: ResetContext<Db>) => unknown) | undefined;
  /**
   * Whether the handlers run inside the append instead, from its creation on and in this process; a later one of the
   * same name and version replaces it. @default false
   */
  readonly inline?: boolean | undefined;
  /**
   * The policy for a projection with other handlers or categories than before, whose events it has passed over: to
   * refuse with a `FilterMismatchError`, to accept the new filter from here on, or to rebuild the read model with
   * `reset`. Only the first run of a worker rebuilds; one whose filter is changed by another release afterwards ends
   * with that error, so that two releases that run in parallel do not rebuild each other's read model endlessly.
   * @default "refuse"
   */
  readonly onFilterChange?: "refuse" | "accept" | "rebuild" | undefined;
  /** Not available: a projection handles events in order; use `lanes` to run it in parallel. */
  readonly concurrency?: 1 | undefined;
}
