/**
 * A browser for a store, as a handler of HTTP requests: its log, streams and their states in time, traces, consumers and
 * what is parked. It only reads unless actions are allowed.
 *
 * @module
 */
export { basicAuth, type BasicAuthOptions } from "./auth.ts";
export type { Authorize, StudioAction, StudioOptions, StudioRole } from "./options.ts";
export { studio } from "./studio.ts";
export type { ActionName, StudioLink } from "./view/view.ts";
