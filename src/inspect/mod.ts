/**
 * Shows what a store holds and how its consumers are: a log, streams, flows, states in the past, health. It only reads, and
 * each of its queries has a budget. On it stand metrics for Prometheus, health checks and lines for a logger.
 *
 * @module
 */
export { inspect, type InspectOptions } from "./inspect.ts";
export type { Inspector } from "./inspector.ts";
export type { InspectedCatalogue, InspectedType, Taker, UnknownType } from "./catalogue.ts";
export type { ConsumerHealth, InspectedConsumer, InspectedDelivery } from "./consumers.ts";
export type { DiffLine } from "./diff.ts";
export type { InspectedEvent, Problem } from "./event.ts";
export type { EventPage, LogResult, LogSearch } from "./log.ts";
export type {
  GroupSearch,
  InspectedGroup,
  InspectedParking,
  ParkedCursor,
  ParkedResult,
  ParkedSearch,
} from "./parked.ts";
export type { RateBucket, RateSearch } from "./rate.ts";
export type { InspectedState, StateDiff, StateSearch, StateSource } from "./state.ts";
export type {
  StreamEvents,
  StreamResult,
  StreamSearch,
  TouchedResult,
  TouchedSearch,
  TouchedStream,
} from "./stream.ts";
export type { FlowSearch, InspectedNode, InspectedTrace } from "./trace.ts";
export type { TypeCount, TypeSearch, TypesResult, VersionCount } from "./types.ts";
export {
  type Health,
  health,
  type HealthCheck,
  type HealthOptions,
  type HealthReport,
} from "./report/health.ts";
export { type LogFields, type Logger, logger, type LogWriter } from "./report/logger.ts";
export { metrics, type MetricsOptions } from "./report/metrics.ts";
