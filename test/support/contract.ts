import { postgres, type PostgresOptions } from "event-sourcery/postgres";
import { driverContract } from "event-sourcery/testing";
import { after, test, type TestOptions } from "node:test";
import { type Handle, type PostgresDb, postgresHandlesOn } from "./handles.ts";
import { shared } from "./shared.ts";

/** Holds each handle on a Postgres server to the contract of a driver, each case in a schema of its own. */
export function contractOn(server: string): void {
  for (const handle of postgresHandlesOn(server)) contractOf(handle);
}

/**
 * Holds a handle to the contract.
 *
 * @param every 3 to run each third case: of a client that differs from another only in how it reaches the server.
 */
export function contractOf(
  handle: Handle<PostgresDb>,
  options: Omit<PostgresOptions, "schema"> = {},
  { skip = false, every = 1 }: Pick<TestOptions, "skip"> & { readonly every?: number } = {},
): void {
  const { open, close } = shared(handle);
  after(close);
  let schemas = 0;

  const cases = driverContract(async () => {
    const { db, second } = await open();
    const schema = `case ${++schemas}`;
    return {
      driver: postgres(db, { ...options, schema }),
      another: second && (async () => postgres(await second(), { ...options, schema })),
      begin: (work) => db.transaction(work),
    };
  });
  for (const { name, run } of cases.filter((_, index) => index % every === 0)) {
    test(`${handle.name}: ${name}`, { timeout: 60_000, skip }, run);
  }
}
