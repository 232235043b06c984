import { libsql } from "event-sourcery/libsql";
import { driverContract } from "event-sourcery/testing";
import { after, test } from "node:test";
import { dropTables, libsqlHandles } from "../support/handles.ts";
import { shared } from "../support/shared.ts";

for (const handle of libsqlHandles) {
  const { open, close } = shared(handle);
  after(close);
  let prefixes = 0;

  const cases = driverContract(async () => {
    const { db, second, prefix: start } = await open();
    const prefix = `${start}${++prefixes}_`;
    return {
      driver: libsql(db, { prefix }),
      another: second && (async () => libsql(await second(), { prefix })),
      begin: (work) => db.transaction(work),
      // A server reads the schema for each request: with the tables of all cases in it, that takes most of the time.
      close: () => handle.name === "libSQL over HTTP" && dropTables(db, prefix),
    };
  });
  for (const { name, run } of cases) test(`${handle.name}: ${name}`, { timeout: 60_000 }, run);
}
