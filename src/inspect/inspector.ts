import type { Event, LoadOptions, StoredEvent } from "../../mod.ts";
import type { InspectedCatalogue } from "./catalogue.ts";
import type { InspectedConsumer, InspectedDelivery } from "./consumers.ts";
import type { InspectedEvent } from "./event.ts";
import type { EventPage, LogResult, LogSearch } from "./log.ts";
import type { GroupSearch, InspectedGroup, ParkedResult, ParkedSearch } from "./parked.ts";
import type { RateBucket, RateSearch } from "./rate.ts";
import type { InspectedState, StateDiff, StateSearch } from "./state.ts";
import type {
  StreamEvents,
  StreamResult,
  StreamSearch,
  TouchedResult,
  TouchedSearch,
} from "./stream.ts";
import type { FlowSearch, InspectedTrace } from "./trace.ts";
import type { TypeSearch, TypesResult } from "./types.ts";

/**
 * Shows what a store holds and how its consumers are. It only reads. A search ends at its limit or its budget, and says
 * how far it has looked; a value out of range is a `RangeError`, what the driver cannot an `UnsupportedError`.
 *
 * @category Inspect
 */
export interface Inspector<out E extends Event = Event> {
  /**
   * Searches the settled log, the newest events first unless `after` is given.
   *
   * @returns The events; the next search goes on from `searchedTo`, unless it is `complete`.
   */
  readonly log: (search?: LogSearch) => Promise<LogResult<E>>;

  /**
   * Finds an event by its id, whether it is settled or not.
   *
   * @returns The event; undefined if the tenant has none with this id.
   */
  readonly event: (id: string) => Promise<InspectedEvent<E> | undefined>;

  /** Lists streams by their ids; the next page begins after the last of them. */
  readonly streams: (search?: StreamSearch) => Promise<StreamResult>;

  /** Finds the streams that were changed last, among the newest 2,000 events and the inspector's budget of positions. */
  readonly touched: (search?: TouchedSearch) => Promise<TouchedResult>;

  /**
   * Reads events of a stream by version, settled or not.
   *
   * @param range Which versions, as `EventReader.load` takes them; at most 1,000 events. @default the first 50
   * @returns The events; undefined if the stream has none at all.
   */
  readonly stream: (streamId: string, range?: LoadOptions) => Promise<StreamEvents<E> | undefined>;

  /**
   * Reads a flow: the events that share a correlation id, each below its cause. It shows what is committed, settled or
   * not.
   *
   * @returns The flow; undefined if no event has this correlation id.
   */
  readonly trace: (
    correlationId: string,
    search?: FlowSearch,
  ) => Promise<InspectedTrace<E> | undefined>;

  /**
   * Finds the events that name an event as their cause, among those of its flow that come after it.
   *
   * @returns The events by position; undefined if there is no event with this id.
   */
  readonly caused: (id: string, search?: FlowSearch) => Promise<EventPage<E> | undefined>;

  /**
   * Shows the state of a stream, now or in the past, made by the `aggregates` of its category.
   *
   * @returns The state, or why it cannot be shown; undefined if the stream has no events.
   */
  readonly state: (streamId: string, asOf?: StateSearch) => Promise<InspectedState | undefined>;

  /**
   * Compares the states of a stream at two versions; 0 is the one before its first event.
   *
   * @returns The lines of their JSON; undefined if the stream has no events.
   */
  readonly diff: (streamId: string, from: number, to: number) => Promise<StateDiff | undefined>;

  /**
   * Measures how fast the log of all tenants grew, in parts of about as many events each: a busy minute has many parts,
   * a quiet night one. It looks at one event a part, however large the window is.
   *
   * @returns The parts, in order and without gaps: from `since` to `until`.
   */
  readonly rate: (search: RateSearch) => Promise<readonly RateBucket[]>;

  /** Counts the newest events by type, unsettled ones not included. */
  readonly types: (search?: TypeSearch) => Promise<TypesResult>;

  /**
   * Describes the event types of the store, and what of them is stored: about how many events, when the last one came,
   * one of them with masks, which consumers take it; and the types in the log that the store was not made with. It counts
   * at most 10,000 positions, and searches for the newest of each type within the budget.
   */
  readonly catalogue: () => Promise<InspectedCatalogue>;

  /** Returns the settled position of the log. */
  readonly position: () => Promise<number>;

  /** Finds the position of an instant, as `EventReader.positionAt` does. */
  readonly positionAt: (date: Date) => Promise<number>;

  /** Lists the registered consumers with how they are, whether any process runs them or not. */
  readonly consumers: () => Promise<readonly InspectedConsumer[]>;

  /** Tells what became of a stored event at each registered consumer that takes such events. */
  readonly deliveries: (
    event: Pick<StoredEvent, "tenantId" | "streamId" | "type" | "position" | "published">,
  ) => Promise<readonly InspectedDelivery[]>;

  /** Lists the parked streams of all consumers, or of one. */
  readonly parked: (search?: ParkedSearch) => Promise<ParkedResult>;

  /** Groups the parked streams of each consumer by what their failures have in common, the largest group first. */
  readonly parkedGroups: (search?: GroupSearch) => Promise<readonly InspectedGroup[]>;
}
