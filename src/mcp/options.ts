import type { Event, EventStore } from "../../mod.ts";
import { inspect, type InspectOptions } from "../inspect/mod.ts";
import type { Context } from "./tool.ts";

/**
 * What agents may look into.
 *
 * @category Agents
 */
export interface AgentOptions extends
  Pick<
    InspectOptions,
    "aggregates" | "consumers" | "budget" | "data" | "maxAge" | "toJsonSchema"
  > {
  /** The only tenant that is shown; of a store that is scoped already, its own. @default all of the store's */
  readonly tenant?: string | undefined;
  /** How long a call may take, in milliseconds. @default 5000 */
  readonly timeout?: number | undefined;
  /** Receives what made a call fail and is not told to the agent. @default prints it with `console.error` */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Checks the options, and makes what the tools work with. */
export function contextOf<E extends Event, Db>(
  store: EventStore<E, Db>,
  options: AgentOptions,
): Context {
  const { tenant, timeout = 5000, onError, budget = 100_000, ...views } = options;
  if (onError !== undefined && typeof onError !== "function") {
    throw new TypeError("onError must be a function");
  }
  if (!Number.isSafeInteger(timeout) || timeout < 1 || timeout > 2 ** 31 - 1) {
    throw new RangeError("timeout must be a whole number from 1 to 2147483647");
  }
  const { aggregates, consumers, data, maxAge, toJsonSchema } = views;
  // Checks that it is a store before it is scoped.
  inspect(store);
  const shown = tenant === undefined ? store : store.scope({ tenantId: tenant });
  const inspector = inspect(shown, {
    ...{ aggregates, consumers, data, maxAge, toJsonSchema, budget, sensitive: "mask" },
  });
  return { inspector, tenant, budget };
}
