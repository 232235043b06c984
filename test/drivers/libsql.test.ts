import { libsql } from "event-sourcery/libsql";
import { driverContract } from "event-sourcery/testing";
import { after, test } from "node:test";
import { libsqlHandles } from "../support/handles.ts";
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
    };
  });
  for (const { name, run } of cases) test(`${handle.name}: ${name}`, { timeout: 60_000 }, run);
}
