import { NewerSchemaError } from "../../mod.ts";

/** A step of the schema. Steps are only ever added. */
export interface Migration {
  /** 1, 2, 3 … */
  readonly version: number;
  /** The oldest version of the code that still reads the tables rightly afterwards. */
  readonly minReader: number;
  /** The oldest version of the code that still writes to them rightly afterwards. */
  readonly minWriter: number;
  /** The statements; each may run again over what it made. */
  readonly statements: readonly string[];
}

/** What the tables say of themselves; each null where drizzle-kit made them, which says nothing. */
export interface SchemaVersion {
  readonly version: number | string | null;
  readonly min_reader: number | string | null;
  readonly min_writer: number | string | null;
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
   * @throws {NewerSchemaError} If this code may not use the tables.
   */
  check(read: () => Promise<SchemaVersion | undefined>): Promise<void> {
    const known = this.#known ?? read().then((found) => checkVersion(found, this.#migrations));
    this.#known = known;
    known.catch(() => {
      if (this.#known === known) this.#known = undefined;
    });
    return known;
  }
}

/**
 * Checks that this code may use tables of a version: older processes go on beside a newer schema as long as it allows.
 *
 * @throws {NewerSchemaError} If it may not.
 */
export function checkVersion(
  found: SchemaVersion | undefined,
  migrations: readonly Migration[],
): void {
  const known = migrations.at(-1)!.version;
  const needed = Math.max(Number(found?.min_reader ?? 0), Number(found?.min_writer ?? 0));
  if (needed > known) throw new NewerSchemaError(Number(found?.version), known);
}
