import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Consumer, Event, EventStore } from "../../../mod.ts";
import type { StateSource } from "../../inspect/mod.ts";
import { exit, Stop } from "../exit.ts";

/**
 * What the command line works with: an application's own store.
 *
 * @category Command line
 */
export interface Config<E extends Event = Event, Db = unknown> {
  /** The store, whose event types decode what is stored. */
  readonly store: EventStore<E, Db>;
  /** The consumers of the application; `rebuild` finds projections among them. @default none */
  readonly consumers?: readonly Consumer[] | undefined;
  /** How the states of streams are made, by category, as `inspect` takes it. @default none: states are not shown */
  readonly aggregates?: Readonly<Record<string, StateSource>> | undefined;
  /** Closes what the configuration opened; called when the command ends. @default nothing is closed */
  readonly close?: (() => unknown) | undefined;
}

/**
 * Defines the configuration of the command line, as the default export of `event-sourcery.config.ts`.
 *
 * @param open Opens the store. It is called by commands that need one, and starts no consumer.
 * @returns The same function, for the command line to call.
 *
 * @category Command line
 *
 * @example event-sourcery.config.ts
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { defineConfig } from "event-sourcery/cli";
 * import { libsql } from "event-sourcery/libsql";
 * import { createClient } from "@libsql/client";
 * import { drizzle } from "drizzle-orm/libsql";
 *
 * const OrderPlaced = defineEvent<{ sku: string }>()("OrderPlaced");
 *
 * export default defineConfig(() => {
 *   const client = createClient({ url: "file:shop.db" });
 *   const store = new EventStore(libsql(drizzle(client)), { events: [OrderPlaced] });
 *   return { store, close: () => client.close() };
 * });
 * ```
 */
export function defineConfig<E extends Event, Db>(
  open: () => Config<E, Db> | Promise<Config<E, Db>>,
): () => Promise<Config<E, Db>> {
  return async () => await open();
}

/** The names of configuration files, in the order in which they are looked for. */
const names = ["ts", "mts", "js", "mjs"].map((ending) => `event-sourcery.config.${ending}`);

/** What a loader such as tsx is needed for. */
export class NeedsLoader extends Error {
  /** The loader, as `--import` takes it. */
  readonly loader: string;

  /** @param loader The URL of the loader. */
  constructor(loader: string) {
    super("The configuration needs a loader");
    this.loader = loader;
  }
}

/** Finds the configuration file in a folder, or in one above it; undefined if there is none. */
export async function findConfig(folder: string): Promise<string | undefined> {
  for (const name of names) {
    const path = join(folder, name);
    if (await exists(path)) return path;
  }
  const above = dirname(folder);
  return above === folder ? undefined : await findConfig(above);
}

/**
 * Loads a configuration file and opens what it configures.
 *
 * @throws {NeedsLoader} If this version of Node runs no TypeScript, or not all of it, and the project has tsx.
 * @throws {Stop} If there is no such file, it cannot be loaded, or holds no configuration.
 */
export async function loadConfig(folder: string, given: string): Promise<Config> {
  const path = resolve(folder, given);
  if (!await exists(path)) throw new Stop(exit.usage, `There is no file ${JSON.stringify(path)}`);
  let module: unknown;
  try {
    module = await import(pathToFileURL(path).href);
  } catch (error) {
    if (!needsLoader(error)) throw error;
    const loader = tsxOf(path);
    if (loader !== undefined) throw new NeedsLoader(loader);
    throw new Stop(
      exit.usage,
      `This version of Node does not run ${
        JSON.stringify(path)
      }: install tsx beside it (npm install --save-dev tsx), or use Node 22.18 or later, Deno or Bun`,
    );
  }
  const open = defaultOf(module);
  if (typeof open !== "function") {
    throw new Stop(
      exit.usage,
      `${JSON.stringify(path)} must have the result of defineConfig() as its default export`,
    );
  }
  const config: unknown = await open();
  if (!isConfig(config)) {
    throw new Stop(exit.usage, `The configuration in ${JSON.stringify(path)} must return a store`);
  }
  return config;
}

/** Returns the default export; that of a module which was compiled to CommonJS lies one deeper. */
function defaultOf(module: unknown): unknown {
  const found = memberOf(module, "default");
  return typeof found === "function" ? found : memberOf(found, "default");
}

function isConfig(value: unknown): value is Config {
  return typeof memberOf(value, "store") === "object";
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function needsLoader(error: unknown): boolean {
  const code = memberOf(error, "code");
  return code === "ERR_UNKNOWN_FILE_EXTENSION" || code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX";
}

/** Finds tsx in the project of a file. */
function tsxOf(path: string): string | undefined {
  try {
    return pathToFileURL(createRequire(path).resolve("tsx")).href;
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false);
}
