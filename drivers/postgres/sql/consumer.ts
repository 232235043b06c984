import { skew } from "../../_sql/checkpoints.ts";

/** The parameter: all arguments in one JSON object. */
export const given: string = "$1::text::json";
export const scope: string = `${given} ->> 'scope'`;
export const name: string = `${given} ->> 'name'`;
export const version: string = `(${given} ->> 'version')::integer`;
/** Selects a consumer by the primary key of each of the three tables. */
export const consumer: string = `scope = ${scope} and name = ${name} and version = ${version}`;
export const now: string = "clock_timestamp()";
/** The due time of a stream that is to be due immediately. */
export const dueNow: string = `${now} - ${skew} * interval '1 millisecond'`;

export function milliseconds(instant: string): string {
  return `(extract(epoch from ${instant}) * 1000)::float8::text`;
}
