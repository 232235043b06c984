/**
 * Events, event store, aggregates, outbox, subscriptions and projections. The core has no dependency; a driver stores.
 *
 * An event goes this way: `defineEvent` makes it, `EventStore` checks and encodes it, a `Driver` stores it, and what is
 * read comes back the same way. From the log, consumers take it on: an `Outbox` to a broker, a `Subscription` to whoever
 * reacts, a `Projection` to a read model, each from a checkpoint of its own.
 *
 * @module
 */
export { defineEvent } from "./src/event/define.ts";
export type { AnyEventType, EventInit, EventOf, EventType } from "./src/event/type.ts";
export type { EventTypeOptions, Upcast } from "./src/event/type.ts";
export type { Event, Metadata, Recorded, RecordedEvent, UnknownEvent } from "./src/event/event.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "./src/event/schema.ts";
export { EventStore } from "./src/store/store.ts";
export type {
  EventStoreConstructor,
  EventStoreOptions,
  ScopeOptions,
  TransactionContext,
  UsingStore,
} from "./src/store/store.ts";
export type {
  AppendOptions,
  AppendResult,
  AppendResults,
  EventWriter,
} from "./src/store/writer.ts";
export type { StreamAppend } from "./src/store/writer.ts";
export type { EventReader, FoldOptions, LoadOptions, ReadAllOptions } from "./src/store/reader.ts";
export type { StreamInfo, StreamList, StreamsOptions } from "./src/store/reader.ts";
export type {
  Handler,
  HandlerContext,
  Subscribed,
  SubscriptionEntry,
  SubscriptionMap,
} from "./src/store/handler.ts";
export { Aggregate } from "./src/aggregate/aggregate.ts";
export {
  type AggregateClass,
  type AsOf,
  type CommandContext,
  type EventsOf,
  Repository,
} from "./src/aggregate/repository.ts";
export type { RepositoryOptions } from "./src/aggregate/repository.ts";
export {
  type Decided,
  type Decider,
  decider,
  type DeciderOptions,
} from "./src/aggregate/decider.ts";
export { Outbox, type OutboxConstructor, type OutboxOptions } from "./src/consumer/outbox.ts";
export type { PublisherContext } from "./src/consumer/outbox.ts";
export { Subscription } from "./src/consumer/subscription.ts";
export type { SubscriptionConstructor, SubscriptionOptions } from "./src/consumer/subscription.ts";
export {
  Projection,
  type ProjectionHandlers,
  type ProjectionOptions,
} from "./src/consumer/projection.ts";
export type { ResetContext } from "./src/consumer/projection.ts";
export { Consumer, type ConsumerStatus, type Disposal } from "./src/consumer/consumer.ts";
export type { ParkedInfo, RunOptions } from "./src/consumer/consumer.ts";
export type { ConsumerOptions, ConsumerStart } from "./src/engine/options.ts";
export type { ConsumerContext, ProjectionContext } from "./src/engine/call.ts";
export type { RunResult } from "./src/engine/worker.ts";
export type { RetryOptions } from "./src/engine/retry.ts";
export type { FollowOptions } from "./src/store/follow.ts";
export type {
  Checkpoints,
  ClaimedLane,
  ConsumerDefinition,
  ConsumerKey,
  LaneFilter,
  LaneKey,
  LaneState,
  Park,
  ParkedStream,
  Progress,
  StreamKey,
} from "./src/driver/checkpoints.ts";
export type {
  AppendOutcome,
  AppendRefused,
  AppendRequest,
  AppendStored,
  Capabilities,
  Doorbell,
  Driver,
  KnownEvent,
  LogPage,
  LogQuery,
  NewEvent,
  Session,
  StoredEvent,
  StoredStream,
  StreamQuery,
  StreamsQuery,
  StreamWrite,
} from "./src/driver/driver.ts";
export { EventSourceryError, type EventSourceryErrorCode } from "./src/errors/base.ts";
export {
  BusyError,
  ConnectionError,
  DriverError,
  MissingSchemaError,
  NewerSchemaError,
  StoreRewoundError,
  TransactionAbortedError,
  UnknownOutcomeError,
  UnsupportedError,
} from "./src/errors/driver.ts";
export {
  FilterMismatchError,
  HandlerTimeoutError,
  LanesMismatchError,
  LeaseLostError,
  PermanentError,
} from "./src/errors/consumer.ts";
export {
  AggregateDiscardedError,
  type AnyEventSourceryError,
  ConcurrencyError,
  CorruptEventError,
  DuplicateEventError,
  DuplicateEventTypeError,
  type ExpectedVersion,
  InvalidEventError,
  isEventSourceryError,
  type Issue,
  UnknownEventTypeError,
} from "./src/errors/event.ts";
