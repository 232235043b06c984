/**
 * Events, event store, aggregates, outbox, subscriptions and projections. The core has no dependency; a driver stores.
 *
 * An event goes this way: `defineEvent` makes it, `EventStore` checks and encodes it, a `Driver` stores it, and what is
 * read comes back the same way. From the log, consumers take it further: an `Outbox` to a broker, a `Subscription` to a
 * handler, a `Projection` to a read model, each from a checkpoint of its own.
 *
 * @module
 */

// Events.
export { defineEvent } from "./src/event/define.ts";
export type {
  Event,
  EventIdentity,
  Metadata,
  Recorded,
  RecordedEvent,
  RetiredEvent,
  UnknownEvent,
} from "./src/event/event.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "./src/event/schema.ts";
export type {
  Sensitive,
  SensitiveFields,
  SensitiveLeaf,
  SensitivePath,
  SensitiveValue,
} from "./src/event/sensitive.ts";
export type {
  AnyEventType,
  EventInit,
  EventOf,
  EventType,
  EventTypeOptions,
  Upcast,
} from "./src/event/type.ts";

// The event store.
export type { Forgetter, ForgottenSubject, SubjectKeys } from "./src/codec/sealer.ts";
export type {
  HandledEvent,
  HandlerErrorContext,
  InboxErrorContext,
  SnapshotErrorContext,
  StoreErrorContext,
} from "./src/store/handler.ts";
export type {
  AppendCondition,
  EventQuery,
  MatchOf,
  QueryItem,
  QueryResult,
} from "./src/query/query.ts";
export type {
  EventReader,
  FoldOptions,
  FollowOptions,
  LoadOptions,
  ReadAllOptions,
  StreamInfo,
  StreamList,
  StreamsOptions,
  Trace,
  TraceNode,
} from "./src/store/reader.ts";
export type { ScopeOptions } from "./src/store/scope.ts";
export {
  EventStore,
  type EventStoreConstructor,
  type EventStoreOptions,
  type Handler,
  type HandlerContext,
  type HandlerEntry,
  type HandlerMap,
  type JoinedStore,
  type TransactionContext,
} from "./src/store/store.ts";
export type {
  AppendAllOptions,
  AppendOptions,
  AppendResult,
  AppendResults,
  EventWriter,
  Scheduled,
  ScheduleOptions,
  StreamAppend,
} from "./src/store/writer.ts";

// Observing.
export type {
  AppendOperation,
  CommandOperation,
  HandledIdentity,
  HandleOperation,
  LoadOperation,
  Notice,
  Observer,
  Operation,
  PassOperation,
  PassOutcome,
  RebuildOperation,
} from "./src/observe/observer.ts";

// Import.
export { type ImportedEvent, importEvents, type ImportOptions } from "./src/import/import.ts";
export type { ImportResult } from "./src/import/result.ts";

// Aggregates: loading, deciding, saving.
export { Aggregate, type AggregateClass, type AggregateEvent } from "./src/aggregate/aggregate.ts";
export {
  type Decided,
  type Decider,
  decider,
  type DeciderOptions,
  type HandleOptions,
} from "./src/aggregate/decider.ts";
export {
  type DecidedStream,
  type Decision,
  decision,
  type DecisionOptions,
  type DecisionResult,
} from "./src/aggregate/decision.ts";
export type { AsOf } from "./src/aggregate/load.ts";
export type { CommandContext } from "./src/aggregate/run.ts";
export { Repository, type RepositoryOptions } from "./src/aggregate/repository.ts";
export type {
  ExecuteOptions,
  ExecuteResult,
  SaveOptions,
  SaveResult,
} from "./src/aggregate/save.ts";
export type { CacheOptions } from "./src/aggregate/cache.ts";
export type { SnapshotOptions } from "./src/aggregate/snapshot.ts";

// Consumers: what users make and run, and their options.
export { Consumer } from "./src/consumer/consumer.ts";
export type { Disposal } from "./src/consumer/disposal.ts";
export {
  type OnceOptions,
  runAll,
  type RunAllOptions,
  type RunOptions,
} from "./src/consumer/run.ts";
export {
  type ConsumerInfo,
  type ConsumerName,
  consumers,
  forgetConsumer,
} from "./src/consumer/list.ts";
export {
  Outbox,
  type OutboxOptions,
  type Publisher,
  type PublisherContext,
} from "./src/consumer/outbox.ts";
export type { CompareOptions, Comparison, RowDifference, RowKey } from "./src/consumer/compare.ts";
export type {
  ProjectionHandlers,
  ProjectionOptions,
  ResetContext,
} from "./src/consumer/options.ts";
export { Projection } from "./src/consumer/projection.ts";
export type { RebuildOptions, RebuildProgress } from "./src/consumer/rebuild.ts";
export type { GroupOptions, ParkedGroup, ParkedStream } from "./src/consumer/parked.ts";
export type { ConsumerStatus, LaneStatus } from "./src/consumer/status.ts";
export { Subscription, type SubscriptionOptions } from "./src/consumer/subscription.ts";
export type {
  ConsumerContext,
  DbOf,
  ErrorContext,
  ProjectionContext,
} from "./src/engine/context.ts";
export type { ConsumerOptions, ConsumerStart } from "./src/engine/options.ts";
export type { RetryOptions } from "./src/engine/retry.ts";
export type { RunResult } from "./src/engine/worker.ts";

// Processes: messages, time, and what is decided over several streams.
export type { Delivered } from "./src/process/delivery.ts";
export type {
  FailedSchedule,
  ScheduleKey,
  SchedulerErrorContext,
  SchedulerOptions,
  SchedulerRunOptions,
  SchedulerStatus,
} from "./src/process/options.ts";
export { Process, type ProcessOptions } from "./src/process/process.ts";
export type { ProcessContext, ProcessHandler } from "./src/process/reaction.ts";
export { Scheduler } from "./src/process/scheduler.ts";
export { Inbox, type InboxOptions, type Once } from "./src/process/inbox.ts";

// Errors.
export { EventSourceryError, type EventSourceryErrorCode } from "./src/errors/base.ts";
export {
  type ConsumerFilter,
  FilterMismatchError,
  HandlerTimeoutError,
  LanesMismatchError,
  LeaseLostError,
  PermanentError,
  RetryLaterError,
} from "./src/errors/consumer.ts";
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
  CorruptEventError,
  DuplicateEventTypeError,
  InvalidEventError,
  type Issue,
  KeyUnavailableError,
  NewerEventError,
  UnknownEventTypeError,
} from "./src/errors/event.ts";
export { type AnyEventSourceryError, isEventSourceryError } from "./src/errors/guard.ts";
export {
  AggregateDiscardedError,
  ConcurrencyError,
  DuplicateEventError,
  SnapshotError,
} from "./src/errors/store.ts";

// The seam, for drivers.
export type {
  AppendConflict,
  AppendOutcome,
  AppendRefused,
  AppendRequest,
  AppendStored,
  ConditionConflict,
  ExistingEvent,
  IdConflict,
  MatchedEvent,
  NewEvent,
  RaceConflict,
  StreamWrite,
  VersionConflict,
} from "./src/driver/append.ts";
export type {
  Checkpoints,
  ClaimedLane,
  ConsumerDefinition,
  ConsumerFailure,
  ConsumerState,
  LaneState,
} from "./src/driver/checkpoints.ts";
export type { MatchCondition, MatchItem } from "./src/driver/condition.ts";
export type {
  NewSnapshot,
  SnapshotKey,
  SnapshotPage,
  SnapshotQuery,
  Snapshots,
  StoredSnapshot,
} from "./src/driver/snapshots.ts";
export type { HandledMessages, MessageKey } from "./src/driver/inbox.ts";
export type {
  DeliveryFailure,
  DueEvent,
  DueQuery,
  FailedEvent,
  NewScheduledEvent,
  Schedule,
} from "./src/driver/schedule.ts";
export type {
  Capabilities,
  Driver,
  LogState,
  Notifier,
  Schema,
  Session,
} from "./src/driver/driver.ts";
export type {
  ExaminedEvent,
  ExaminedPage,
  ExaminedRange,
  ExaminedRole,
  ExaminedState,
  ExaminedTables,
  ExaminedTag,
  ExaminedTagRange,
  ExaminedTags,
  ExaminedType,
  ExaminedWriter,
  Examiner,
} from "./src/driver/examiner.ts";
export type { Forgotten, StoredSubject, Subjects } from "./src/driver/subjects.ts";
export type { ConsumerKey, LaneFilter, LaneKey, StreamKey } from "./src/driver/keys.ts";
export type {
  ParkedEntry,
  ParkedQuery,
  Progress,
  StoredGroup,
  StoredParking,
} from "./src/driver/progress.ts";
export type {
  CorrelationQuery,
  LogPage,
  LogQuery,
  MatchPage,
  MatchQuery,
  ProbedEvent,
  StoredEvent,
  StoredStream,
  StreamPage,
  StreamQuery,
  StreamsQuery,
} from "./src/driver/read.ts";
export { type ExpectedVersion, fits } from "./src/driver/version.ts";
