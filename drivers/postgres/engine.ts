/**
 * Recognizes a database whose appends have to be serial by its `version()`. Both speak the protocol of Postgres and
 * accept its advisory locks, but ignore them in some versions, and keep them on one node in others.
 *
 * @returns Its name; undefined for Postgres itself, and for databases that a probe has to test.
 */
export function serialEngine(version: string): string | undefined {
  if (/cockroach/i.test(version)) return "CockroachDB";
  return /-YB-|yugabyte/i.test(version) ? "YugabyteDB" : undefined;
}
