import { postgres } from "event-sourcery/postgres";
import { driverContract } from "event-sourcery/testing";
import { after, test } from "node:test";
import { postgresHandles } from "../support/handles.ts";
import { shared } from "../support/shared.ts";

for (const handle of postgresHandles) {
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
