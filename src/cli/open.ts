import { basename } from "node:path";
import { type Consumer, type Driver, EventStore } from "../../mod.ts";
import { inspect, type InspectOptions, type Inspector } from "../inspect/mod.ts";
import { internalsOf } from "../store/internals.ts";
import { type Config, findConfig, loadConfig } from "./source/config.ts";
import { connect } from "./source/connect.ts";
import { exit, Stop } from "./exit.ts";

/** How a command was told to find its store. */
interface Source {
  readonly url: string | undefined;
  readonly config: string | undefined;
  readonly schema: string | undefined;
  readonly prefix: string | undefined;
  readonly tenant: string | undefined;
  readonly creates: boolean;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A store that was opened for a command. */
export interface Opened {
  /** The application's store where there is a configuration, else one that reads everything, and appends nothing. */
  readonly store: EventStore;
  readonly driver: Driver;
  /**
   * Shows what the store holds, with sensitive fields masked.
   *
   * @param tenantId Only this tenant. @default that of the store
   */
  readonly inspect: (
    options?: Pick<InspectOptions, "budget" | "maxAge">,
    tenantId?: string,
  ) => Inspector;
  /** The consumers of the configuration. */
  readonly consumers: readonly Consumer[];
  /** How the states of streams are made, by the configuration. */
  readonly aggregates: NonNullable<InspectOptions["aggregates"]>;
  /** Whether there is a configuration, so that events are decoded by their types. */
  readonly configured: boolean;
  /** What the database is, for people. */
  readonly name: string;
  /** The only tenant that is shown; undefined for all. */
  readonly tenantId: string | undefined;
  readonly close: () => Promise<void>;
}

/**
 * Opens the store: by a URL that was given, else by the configuration, else by the variable `DATABASE_URL`.
 *
 * @throws {Stop} If none of them is there.
 */
export async function open(source: Source): Promise<Opened> {
  const { url, config, folder, env } = source;
  if (url !== undefined && config !== undefined) {
    throw new Stop(exit.usage, "--url and --config exclude each other");
  }
  const file = url === undefined ? config ?? await findConfig(folder) : undefined;
  if (file !== undefined) {
    return openConfig(await loadConfig(folder, file), basename(file), source);
  }
  const address = url ?? env["DATABASE_URL"];
  if (!address) {
    throw new Stop(
      exit.usage,
      "No database is given: use --url or DATABASE_URL, or write an event-sourcery.config.ts",
    );
  }
  return await openUrl(address, source);
}

function openConfig(config: Config, name: string, { schema, prefix, tenant }: Source): Opened {
  const { store, consumers = [], aggregates = {}, close } = config;
  const internals = internalsOf(store);
  if (internals === undefined) {
    throw new Stop(
      exit.usage,
      "The configuration must return an EventStore of the package that this command is of",
    );
  }
  if (schema !== undefined || prefix !== undefined) {
    throw new Stop(exit.usage, "--schema and --prefix go with --url: the configuration says where");
  }
  return {
    ...scoped(store, tenant, aggregates),
    driver: store.driver,
    consumers,
    aggregates,
    configured: true,
    name,
    close: async () => void await close?.(),
  };
}

async function openUrl(url: string, source: Source): Promise<Opened> {
  const { tenant, env } = source;
  const { driver, name, close } = await connect(url, {
    ...source,
    token: env["LIBSQL_AUTH_TOKEN"],
  });
  // Without event types: everything is read as it is stored, and what is sealed by its masks.
  const store = new EventStore(driver, { events: [], unknownEvents: "keep", keys: "mask" });
  const readable = store as unknown as EventStore; // it is only read, and events of any type are events
  return {
    ...scoped(readable, tenant, {}),
    driver,
    consumers: [],
    aggregates: {},
    configured: false,
    name,
    close,
  };
}

/** Returns a store for a tenant, and its inspectors. */
function scoped(
  store: EventStore,
  tenantId: string | undefined,
  aggregates: InspectOptions["aggregates"],
): Pick<Opened, "store" | "inspect" | "tenantId"> {
  const at = (tenantId?: string) => tenantId === undefined ? store : store.scope({ tenantId });
  return {
    store: at(tenantId),
    tenantId,
    inspect: (options, only = tenantId) =>
      inspect(at(only), { ...options, aggregates, sensitive: "mask" }),
  };
}
