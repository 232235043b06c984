import type { SchemaState } from "../_sql/migration.ts";
import type { PostgresConnection } from "./handle.ts";
import type { FenceKind } from "./sql/fence.ts";
import type { PostgresStatements } from "./sql/statements.ts";
import { UnsupportedError } from "../../mod.ts";
import { flag, number, only } from "../_sql/row.ts";
import { serialEngine } from "./engine.ts";

/** What the tables say of themselves, their fence and their database. */
export interface PostgresState extends SchemaState {
  /** Whether the fence was chosen already, by a migration or by the first use. */
  readonly probed: string;
  /** Whether it was made serial. */
  readonly serial: string;
  /** What the database says that it is. */
  readonly engine: string;
  /** How many positions a session takes from the sequence when it needs one. */
  readonly cached: string | null;
}

/**
 * Chooses the fence of a store: the serial one where the store has it, else the concurrent one, if this database has
 * what that takes. Where it has not, the fence is made serial, if that may be and no event was appended yet.
 *
 * @param unprobed Whether to find out if readers see the locks.
 * @param unused Whether no process can have begun by the concurrent fence, so that it may be made serial.
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

/** Finds what makes the concurrent fence useless, whatever locks the database shows; undefined where nothing does. */
function unfit({ engine, cached }: PostgresState): string | undefined {
  const name = serialEngine(engine);
  if (name !== undefined) return `the locks of ${name} are not seen by every session`;
  return cached !== null && number(cached) > 1
    ? `sessions cache values of the sequence "position" (set it to "cache 1")`
    : undefined;
}

/** Finds out whether readers would see the locks of appends; gives the reason where they would not. */
async function probe(
  run: PostgresConnection["run"],
  statements: PostgresStatements,
): Promise<string | undefined> {
  const { allowed } = only(await run<{ allowed: string }>(statements.locks, []));
  if (!flag(allowed)) return "this role may not take advisory locks";
  // Some databases that speak the protocol take such locks for nothing.
  const { shown } = only(await run<{ shown: string }>(statements.probe, []));
  return number(shown) > 0 ? undefined : "this database shows no advisory locks";
}
