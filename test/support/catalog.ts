import { sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql";
import type { PostgresDb } from "./handles.ts";

/** A row as a database gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** Runs a statement of the test's own through any handle for Postgres. */
export async function query(db: PostgresDb, text: string): Promise<readonly Row[]> {
  const result: unknown = await db.execute(sql.raw(text));
  return Array.isArray(result) ? [...result] : (result as { rows: readonly Row[] }).rows;
}

/** Everything that a schema holds, in the database's own words; without the schema's name, to compare two. */
export async function postgresCatalog(db: PostgresDb, schema: string): Promise<unknown> {
  const inside = `(select oid from pg_namespace where nspname = '${schema.replaceAll("'", "''")}')`;
  const found: Record<string, unknown> = {};
  for (const [kind, select] of Object.entries(catalogs)) {
    const rows = await query(db, select.replaceAll(":inside", inside));
    found[kind] = JSON.parse(
      JSON.stringify(rows.map((row) => ({ ...row }))).replaceAll(`${schema}.`, ""),
    );
  }
  return found;
}

const catalogs = {
  relations: `select relname, relkind, relpersistence, reloptions::text from pg_class
    where relnamespace = :inside order by relname`,
  columns: `select relname, attnum, attname, format_type(atttypid, atttypmod) as type, attnotnull,
      attcollation::regcollation::text as collation, attidentity, attgenerated, pg_get_expr(adbin, adrelid) as default
    from pg_class join pg_attribute on attrelid = pg_class.oid
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relnamespace = :inside and attnum > 0 and not attisdropped order by relname, attnum`,
  constraints:
    `select conname, contype, conrelid::regclass::text as relation, pg_get_constraintdef(oid) as definition
    from pg_constraint where connamespace = :inside order by conname`,
  indexes: `select pg_get_indexdef(indexrelid) as definition, indisvalid, indisprimary
    from pg_index join pg_class on pg_class.oid = indexrelid where relnamespace = :inside order by relname`,
  sequences:
    `select relname, format_type(seqtypid, null) as type, seqstart::text, seqincrement::text, seqmin::text,
      seqmax::text, seqcache::text, seqcycle
    from pg_class join pg_sequence on seqrelid = oid where relnamespace = :inside order by relname`,
  routines: `select proname, prosrc from pg_proc where pronamespace = :inside order by proname`,
  triggers: `select pg_get_triggerdef(pg_trigger.oid) as definition
    from pg_trigger join pg_class on pg_class.oid = tgrelid
    where relnamespace = :inside and not tgisinternal order by tgname`,
};

/** Everything that a libSQL database holds, as written but for quotes, blanks and the case of what is not a literal. */
export async function libsqlCatalog(db: LibSQLDatabase): Promise<unknown> {
  const { rows } = await db.run(
    sql`select type, name, tbl_name, sql from sqlite_master order by type, name`,
  );
  return rows.map(({ type, name, tbl_name, sql }) => [type, name, tbl_name, plain(sql)]);
}

function plain(text: unknown): string | null {
  if (typeof text !== "string") return null;
  return text
    .replaceAll(/'[^']*'|[^']+/g, (part) => part.startsWith("'") ? part : part.toLowerCase())
    .replaceAll(/[`"]/g, "")
    .replaceAll(/\s*([(),])\s*/g, "$1")
    .replaceAll(/\s+/g, " ");
}
