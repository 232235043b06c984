import type { SchemaState } from "../_sql/migration.ts";
import type { PostgresConnection } from "./handle.ts";
import type { FenceKind } from "./sql/fence.ts";
import type { PostgresStatements } from "./sql/statements.ts";
import { MissingSchemaError, UnsupportedError } from "../../mod.ts";
import type { Shared } from "../_sql/connection.ts";
import { rootOf } from "../_sql/failure.ts";
import { flag, number, only } from "../_sql/row.ts";
import { serialEngine } from "./engine.ts";

/** The state of the tables, their fence and their database. */
export interface PostgresState extends SchemaState {
  /** Whether a migration or the first use has chosen the fence already. */
  readonly probed: string;
  /** Whether the fence is serial. */
  readonly serial: string;
  /** The database's `version()`. */
  readonly engine: string;
  /** The number of values of the sequence that a session caches. */
  readonly cached: string | null;
}

/**
 * Reads the state of the tables.
 *
 * @throws {MissingSchemaError} If there are none; it names the database, which is often not the intended one.
 */
export async function readState(
  { run }: Pick<PostgresConnection, "run">,
  { statements, classify, where }: Pick<Shared, "classify" | "where"> & {
    readonly statements: PostgresStatements;
  },
  inTransaction: boolean,
): Promise<readonly PostgresState[]> {
  try {
    return await run<PostgresState>(statements.state, []);
  } catch (error) {
    // The failure has aborted a transaction, which cannot be queried any more.
    if (classify(error).failure !== "missing" || inTransaction) throw error;
    const { name } = only(await run<{ name: string }>(statements.database, []));
    throw new MissingSchemaError(`${where} of database ${JSON.stringify(name)}`, {
      cause: rootOf(error),
    });
  }
}

/**
 * Chooses the fence of a store: the serial one if the store has it, else the concurrent one if this database supports
 * it. Otherwise makes the fence serial, if that is allowed and no event was appended yet.
 *
 * @param unprobed Whether to test that readers see the locks.
 * @param unused Whether no process can have used the concurrent fence yet, so that it may be made serial.
 * @throws {UnsupportedError} If readers would skip events.
 */
export async function chooseFence(
  { run }: Pick<PostgresConnection, "run">,
  statements: PostgresStatements,
  found: PostgresState,
  { unprobed, unused }: { readonly unprobed: boolean; readonly unused: boolean },
): Promise<FenceKind> {
  if (flag(found.serial)) return "serial";
  const reason = unfit(found) ?? (unprobed ? await probe(run, statements) : undefined);
  if (reason === undefined) return "concurrent";
  if (unused) {
    await run(statements.serialise, []);
    const now = only(await run<PostgresState>(statements.state, []));
    if (flag(now.serial)) return "serial";
  }
  throw new UnsupportedError("keep events", `${reason}, so readers would skip events`);
}

/**
 * Returns why the concurrent fence fails here even if a probe sees its locks; undefined if nothing speaks against it.
 */
function unfit({ engine, cached }: PostgresState): string | undefined {
  const name = serialEngine(engine);
  if (name !== undefined) return `the locks of ${name} are not seen by every session`;
  return cached !== null && number(cached) > 1
    ? `sessions cache values of the sequence "position" (set it to "cache 1")`
    : undefined;
}

/** Tests whether readers see the locks of appends; returns the reason if they do not. */
async function probe(
  run: PostgresConnection["run"],
  statements: PostgresStatements,
): Promise<string | undefined> {
  const { allowed } = only(await run<{ allowed: string }>(statements.locks, []));
  if (!flag(allowed)) return "this role may not take advisory locks";
  // Some databases that speak the protocol accept these locks and ignore them.
  const { shown } = only(await run<{ shown: string }>(statements.probe, []));
  return number(shown) > 0 ? undefined : "this database shows no advisory locks";
}
