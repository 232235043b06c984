import {
  MissingSchemaError,
  NewerSchemaError,
  OutdatedSchemaError,
  type Schema,
  StoreRewoundError,
} from "../../mod.ts";
import { sharesNothing } from "../_shared/isolate.ts";
import { number } from "./row.ts";

/** A step of the schema. Steps are only ever added. */
export interface Migration {
  /** 2, 3, 4 …: tables of version 1 are refused. */
  readonly version: number;
  /** The oldest version of the code that still reads the tables rightly afterwards. */
  readonly minReader: number;
  /** The oldest version of the code that still writes to them rightly afterwards. */
  readonly minWriter: number;
  /** The statements; each may run again over what it made. */
  readonly statements: readonly string[];
}

/** What the tables say of themselves, and of their log. */
export interface SchemaState {
  /** The last migration; like the next two null where drizzle-kit made the tables, which says nothing. */
  readonly version: string | null;
  readonly min_reader: string | null;
  readonly min_writer: string | null;
  /** The last position that was given. */
  readonly head: string;
  /** The highest position that an event or a checkpoint holds. */
  readonly seen: string;
}

/** Remembers that the tables were found usable, so that only the first operation has to ask. */
export class Readiness {
  readonly #migrations: readonly Migration[];
  #known: Promise<void> | undefined;

  constructor(migrations: readonly Migration[]) {
    this.#migrations = migrations;
  }

  /** Says that the tables are usable: they have just been made. */
  done(): void {
    this.#known = Promise.resolve();
  }

  /**
   * Asks once; when that fails, the next operation asks again.
   *
   * @param read Reads the state of the tables.
   * @param prepare Does what else has to be done before they are used.
   * @throws {NewerSchemaError | OutdatedSchemaError} If this code may not use the tables.
   * @throws {StoreRewoundError} If positions would be given twice.
   */
  check<State extends SchemaState>(
    read: () => Promise<State>,
    prepare: (found: State) => Promise<void> = async () => {},
  ): Promise<void> {
    const known = this.#known ?? this.#check(read, prepare);
    if (sharesNothing()) return known.then(() => this.done());
    this.#known = known;
    known.catch(() => {
      if (this.#known === known) this.#known = undefined;
    });
    return known;
  }

  async #check<State extends SchemaState>(
    read: () => Promise<State>,
    prepare: (found: State) => Promise<void>,
  ): Promise<void> {
    const found = await read();
    checkVersion(found, this.#migrations);
    checkHead(found);
    await prepare(found);
  }
}

/**
 * Checks that this code may use tables of a version: older processes go on beside a newer schema as long as it allows.
 *
 * @throws {NewerSchemaError} If it may not.
 * @throws {OutdatedSchemaError} If the tables are older than the first migration there is.
 */
export function checkVersion(
  found: SchemaState | undefined,
  migrations: readonly Migration[],
): void {
  const [oldest, known] = [migrations[0]!.version, migrations.at(-1)!.version];
  // No version, or 0, where drizzle-kit made the tables.
  const version = Number(found?.version ?? 0);
  if (version > 0 && version < oldest) throw new OutdatedSchemaError(version, oldest);
  const needed = Math.max(Number(found?.min_reader ?? 0), Number(found?.min_writer ?? 0));
  if (needed > known) throw new NewerSchemaError(Number(found?.version), known);
}

/**
 * Returns the statements that bring tables up to date; the last of each step notes that it is done.
 *
 * @param note Returns that statement.
 */
export function statementsAfter(
  found: SchemaState | undefined,
  migrations: readonly Migration[],
  note: (values: string) => string,
): readonly string[] {
  const done = Number(found?.version ?? 0);
  return migrations.filter(({ version }) => version > done).flatMap(
    ({ version, minReader, minWriter, statements }) => [
      ...statements,
      note(`(version, min_reader, min_writer) values (${version}, ${minReader}, ${minWriter})`),
    ],
  );
}

/** Tells what is to be done to tables, as the seam does. */
export function schemaOf(
  found: SchemaState | undefined,
  migrations: readonly Migration[],
  statements: readonly string[],
): Schema {
  const version = Number(found?.version ?? 0);
  return {
    version: version === 0 ? undefined : version,
    latest: migrations.at(-1)!.version,
    statements,
  };
}

/** The tables of the first migration, without schema or prefix. */
export const firstTables = [
  "events",
  "event_tags",
  "consumers",
  "checkpoints",
  "parked",
  "snapshots",
  "subject_keys",
  "scheduled",
  "inbox",
  "migrations",
] as const;

/**
 * Checks that no table of a log has vanished, as when `drizzle-kit push --force` dropped those that its schema does not
 * name: made anew, they would be empty beside checkpoints that are ahead of them. `migrations` is made last, so without it,
 * and without events, a migration was interrupted and goes on.
 *
 * @param there The tables that are there.
 * @param holdsEvents Reads whether the table of events, which is there, is not empty.
 * @throws {MissingSchemaError} If some have vanished.
 */
export async function checkTables(
  where: string,
  there: readonly string[],
  holdsEvents: () => Promise<boolean>,
): Promise<void> {
  const vanished = firstTables.filter((table) => !there.includes(table));
  if (there.length === 0 || vanished.length === 0) return;
  if (vanished.includes("migrations")) {
    if (vanished.includes("events") || !(await holdsEvents())) return;
  }
  throw new MissingSchemaError(where, { vanished });
}

/**
 * Checks that the next position is a new one. Logical replication and a dump of the tables alone leave the sequence
 * behind: what is appended then lands below the checkpoints, and no consumer ever sees it.
 *
 * @throws {StoreRewoundError} If it was given before.
 */
export function checkHead(found: SchemaState): void {
  const [head, seen] = [number(found.head), number(found.seen)];
  if (head < seen) throw new StoreRewoundError(head, seen);
}
