import { postgres } from "event-sourcery/postgres";
import { driverContract } from "event-sourcery/testing";
import { after, test } from "node:test";
import { postgresHandlesOn } from "./handles.ts";
import { shared } from "./shared.ts";

/** Holds each handle on a Postgres server to the contract of a driver, each case in a schema of its own. */
export function contractOn(server: string): void {
  for (const handle of postgresHandlesOn(server)) {
    const { open, close } = shared(handle);
    after(close);
    let schemas = 0;

    const cases = driverContract(async () => {
      const { db, second } = await open();
      const schema = `case ${++schemas}`;
      return {
        driver: postgres(db, { schema }),
        another: second && (async () => postgres(await second(), { schema })),
        begin: (work) => db.transaction(work),
      };
    });
    for (const { name, run } of cases) test(`${handle.name}: ${name}`, { timeout: 60_000 }, run);
  }
}
