import { skew } from "../../_sql/checkpoints.ts";

export const scope: string = "?1 ->> 'scope'";
export const name: string = "?1 ->> 'name'";
export const version: string = "?1 ->> 'version'";
/** Selects a consumer by the primary key of each of the three tables; `?1` is all arguments in one JSON object. */
export const consumer: string = `scope = ${scope} and name = ${name} and version = ${version}`;
/** Milliseconds since 1970, by the database's clock. */
export const now: string = "cast((julianday('now') - 2440587.5) * 86400000 as integer)";
/** The due time of a stream that is to be due immediately. */
export const dueNow: string = `${now} - ${skew}`;
