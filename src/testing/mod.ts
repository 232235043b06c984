/**
 * Proves drivers, and tests aggregates and deciders. Needs no test runner, and works with any.
 *
 * @module
 */
export { type ContractCase, driverContract, type OpenedDriver } from "./contract.ts";
