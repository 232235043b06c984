/**
 * Proves drivers, and tests aggregates and deciders. Needs no test runner, and works with any.
 *
 * @module
 */
export { type ContractCase, driverContract, type OpenedDriver } from "./contract.ts";
export { type ExpectedError, type ExpectedEvent, type HasState, type Then } from "./outcome.ts";
export { checkSnapshots } from "./snapshots.ts";
export type { GivenEvent, GivenProcess } from "./process.ts";
export { given } from "./given.ts";
export type { GivenAggregate, GivenDecider, GivenDecision, GivenOptions } from "./given.ts";
