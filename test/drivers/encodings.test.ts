import { defineEvent, EventStore, Outbox, type RecordedEvent, Subscription } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { test } from "node:test";
import { drizzle } from "drizzle-orm/node-postgres";
import { openPool } from "../support/pool.ts";
import { createDatabase, postgresServers } from "../support/postgres.ts";

const Noted = defineEvent<string>()("Noted");
const timeout = 60_000;

async function openStore(server: string, encoding: string) {
  const locale = `template template0 lc_collate 'C' lc_ctype 'C'`;
  const provider = server === "embedded" ? " locale_provider libc" : "";
  const options = `encoding '${encoding}' ${locale}${provider}`;
  const database = await createDatabase(server, options);
  const { pool, close } = openPool(database.url);
  const driver = postgres(drizzle(pool));
  const store = new EventStore(driver, { events: [Noted], publishes: true });
  const end = async () => {
    await close();
    await database.drop();
  };
  return { driver, store, end };
}

for (const server of postgresServers) {
  for (const encoding of ["LATIN1", "SQL_ASCII"]) {
    const title = `${encoding} on ${server} Postgres`;

    test(
      `${title}: an event is parked although its error cannot be stored as it is`,
      { timeout },
      async () => {
        const { driver, store, end } = await openStore(server, encoding);
        try {
          await driver.migrate();
          for (const name of ["good", "bad", "worse"]) await store.append(name, Noted("café"));
          const handle = ({ streamId }: RecordedEvent) => {
            if (streamId !== "good") throw new Error(`${streamId} é 😀 "日本"`);
          };
          const retry = { attempts: 1, minDelay: 60_000 };
          const consumers = [
            new Outbox(store, { publisher: handle, retry }),
            new Subscription(store, {
              name: "transactional",
              handler: (event, { db }) => void [handle(event), db],
              retry,
            }),
          ];
          for (const consumer of consumers) {
            const { handled, failed, parked } = await consumer.runOnce();
            assert.deepEqual([handled, failed, parked], [1, 2, 2]);
            const errors = (await consumer.parked()).map(({ error }) => error);
            assert.deepEqual(
              errors,
              ["bad", "worse"].map((name) =>
                String.raw`Error: ${name} \u00e9 \ud83d\ude00 \"\u65e5\u672c\"`
              ),
            );
          }
        } finally {
          await end();
        }
      },
    );
  }

  test(`LATIN1 on ${server} Postgres: append() of what it cannot store is a DriverError`, {
    timeout,
  }, async () => {
    const { driver, store, end } = await openStore(server, "LATIN1");
    try {
      await driver.migrate();
      await store.append("café", Noted("café"));
      await assert.rejects(store.append("café", Noted("日本")), {
        code: "DRIVER",
        retryable: false,
        message: /22P05/,
      });
      assert.deepEqual((await store.load("café")).map(({ data }) => data), ["café"]);
    } finally {
      await end();
    }
  });
}
