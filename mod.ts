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
  DbOf,
  EventStoreConstructor,
  EventStoreOptions,
  JoinedStore,
  ScopeOptions,
  StoreErrorContext,
  TransactionContext,
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
  HandledEvent,
  Handler,
  HandlerContext,
  HandlerEntry,
  HandlerMap,
} from "./src/store/store.ts";
export { Aggregate, type AggregateEvent } from "./src/aggregate/aggregate.ts";
export {
  type AggregateClass,
  type AsOf,
  type CommandContext,
  Repository,
} from "./src/aggregate/repository.ts";
export type { RepositoryOptions } from "./src/aggregate/repository.ts";
export type {
  ExecuteOptions,
  ExecuteResult,
  SaveOptions,
  SaveResult,
} from "./src/aggregate/save.ts";
export {
  type Decided,
  type Decider,
  decider,
  type DeciderOptions,
  type HandleOptions,
} from "./src/aggregate/decider.ts";
export { Outbox, type OutboxOptions } from "./src/consumer/outbox.ts";
export type { PublisherContext } from "./src/consumer/outbox.ts";
export { Subscription, type SubscriptionOptions } from "./src/consumer/subscription.ts";
export {
  Projection,
  type ProjectionHandlers,
  type ProjectionOptions,
} from "./src/consumer/projection.ts";
export type { ResetContext } from "./src/consumer/projection.ts";
export { Consumer, type Disposal } from "./src/consumer/consumer.ts";
export type { ParkedStream, RunOptions } from "./src/consumer/consumer.ts";
export type { ConsumerStatus, LaneStatus } from "./src/consumer/status.ts";
export { consumers, forgetConsumer } from "./src/consumer/list.ts";
export type { ConsumerInfo, ConsumerName } from "./src/consumer/list.ts";
export type { ConsumerOptions, ConsumerStart } from "./src/engine/options.ts";
export type { ConsumerContext, ProjectionContext } from "./src/engine/context.ts";
export type { ErrorContext, EventIdentity } from "./src/engine/context.ts";
export type { RunResult } from "./src/engine/worker.ts";
export type { RetryOptions } from "./src/engine/retry.ts";
export type { FollowOptions } from "./src/store/reader.ts";
export type {
  Checkpoints,
  ClaimedLane,
  ConsumerDefinition,
  ConsumerFailure,
  ConsumerKey,
  ConsumerState,
  LaneFilter,
  LaneKey,
  LaneState,
  ParkedEntry,
  Progress,
  StoredParking,
  StreamKey,
} from "./src/driver/checkpoints.ts";
export type {
  AppendConflict,
  AppendOutcome,
  AppendRefused,
  AppendRequest,
  AppendStored,
  ExistingEvent,
  IdConflict,
  NewEvent,
  RaceConflict,
  StreamWrite,
  VersionConflict,
} from "./src/driver/append.ts";
export type { Capabilities, Driver, Notifier, Session } from "./src/driver/driver.ts";
export type {
  LogPage,
  LogQuery,
  StoredEvent,
  StoredStream,
  StreamPage,
  StreamQuery,
  StreamsQuery,
} from "./src/driver/read.ts";
export { EventSourceryError, type EventSourceryErrorCode } from "./src/errors/base.ts";
export {
  BusyError,
  ConnectionError,
  DriverError,
  MissingSchemaError,
  NewerSchemaError,
  OutdatedSchemaError,
  StoreRewoundError,
  TransactionAbortedError,
  UnknownOutcomeError,
  UnsupportedError,
} from "./src/errors/driver.ts";
export {
  type ConsumerFilter,
  FilterMismatchError,
  HandlerTimeoutError,
  LanesMismatchError,
  LeaseLostError,
  PermanentError,
} from "./src/errors/consumer.ts";
export {
  AggregateDiscardedError,
  ConcurrencyError,
  DuplicateEventError,
} from "./src/errors/store.ts";
export { type AnyEventSourceryError, isEventSourceryError } from "./src/errors/guard.ts";
export {
  CorruptEventError,
  DuplicateEventTypeError,
  InvalidEventError,
  type Issue,
  UnknownEventTypeError,
} from "./src/errors/event.ts";
export { type ExpectedVersion, fits } from "./src/driver/version.ts";
