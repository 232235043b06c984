/**
 * Names the database whose appends have to be serial, after what its `version()` says. Both speak the protocol of
 * Postgres and take its advisory locks, in some versions for nothing, in others on one node alone.
 *
 * @returns Its name; undefined for Postgres itself, and for whatever a probe has to tell.
 */
export function serialEngine(version: string): string | undefined {
  if (/cockroach/i.test(version)) return "CockroachDB";
  return /-YB-|yugabyte/i.test(version) ? "YugabyteDB" : undefined;
}
