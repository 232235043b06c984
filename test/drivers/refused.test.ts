// What a user adds to the tables may refuse an event for reasons that the store knows nothing of.
import { defineEvent, type Driver, EventStore, isEventSourceryError } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Handle, libsqlHandles, type Opened, postgresHandles } from "../support/handles.ts";

const Once = defineEvent<number>()("Once");
const Hidden = defineEvent<number>()("Hidden");
const Barred = defineEvent<number>()("Barred");
const Noted = defineEvent<number>()("Noted");
const events = [Once, Hidden, Barred, Noted];
type Given = ReturnType<(typeof events)[number]>;

for (const handle of postgresHandles) {
  check(
    handle,
    ({ db }) => postgres(db),
    ({ db }, statement) => db.execute(sql.raw(statement)),
    () => [
      "create unique index once on event_sourcery.events (type) where type = 'Once'",
      `create function guard() returns trigger language plpgsql as $$ begin
        if new.type = 'Hidden' then return null; end if;
        if new.type = 'Barred' then raise exception 'barred'; end if;
        return new;
      end $$`,
      "create trigger guard before insert on event_sourcery.events for each row execute function guard()",
    ],
  );
}
for (const handle of libsqlHandles) {
  check(
    handle,
    ({ db, prefix }) => libsql(db, { prefix }),
    ({ db }, statement) => db.run(sql.raw(statement)),
    ({ prefix }) => [
      `create unique index ${prefix}once on ${prefix}events (type) where type = 'Once'`,
      `create trigger ${prefix}hide before insert on ${prefix}events when new.type = 'Hidden' begin select raise(ignore); end`,
      `create trigger ${prefix}bar before insert on ${prefix}events when new.type = 'Barred' begin select raise(abort, 'barred'); end`,
    ],
  );
}

function check<Db>(
  handle: Handle<Db>,
  driverOf: (opened: Opened<Db>) => Driver,
  execute: (opened: Opened<Db>, statement: string) => PromiseLike<unknown>,
  additions: (opened: Opened<Db>) => readonly string[],
): void {
  test(
    `${handle.name}: what a user's own index or trigger refuses is a DriverError, and nothing is stored`,
    {
      timeout: 60_000,
    },
    async () => {
      const opened = await handle.open();
      try {
        const driver = driverOf(opened);
        await driver.migrate();
        for (const statement of additions(opened)) await execute(opened, statement);
        const store = new EventStore(driver, { events });
        await store.append("a", Once(1));
        const refused: readonly (Given | readonly Given[])[] = [
          Once(2),
          [Noted(1), Once(2)],
          [Once(2), Noted(1), Noted(2)],
          Barred(1),
          [Noted(1), Barred(1)],
        ];
        for (const given of refused) {
          await assert.rejects(store.append("b", given), isDriverError);
          const appends = [{ streamId: "b", events: Noted(1) }, { streamId: "c", events: given }];
          await assert.rejects(store.appendAll(appends), isDriverError);
          await assert.rejects(
            store.transaction(({ store }) => store.append("b", given)),
            isRefused,
          );
        }
        await assert.rejects(store.append("b", Hidden(1)), isDriverError);
        assert.deepEqual([await store.version("b"), await store.version("c")], [0, 0]);
        assert.equal((await store.append("b", Noted(1))).version, 1);
      } finally {
        await opened.close();
      }
    },
  );
}

function isDriverError(error: unknown): boolean {
  assert.ok(isEventSourceryError(error, "DRIVER"), String(error));
  return error.cause instanceof Error;
}

function isRefused(error: unknown): boolean {
  return isEventSourceryError(error, "TRANSACTION_ABORTED") || isDriverError(error);
}
