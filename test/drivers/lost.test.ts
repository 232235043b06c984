import { defineEvent, type Driver, EventStore, isEventSourceryError, Outbox } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Cable, lay } from "../support/cable.ts";
import { type Handle, libsqlHandles, type Opened, postgresHandles } from "../support/handles.ts";
import { runtime } from "../support/root.ts";

const Noted = defineEvent<number>()("Noted");
const events = [Noted];
const timeout = 60_000;

for (const handle of postgresHandles) check(handle, ({ db }) => postgres(db));
for (const handle of libsqlHandles) check(handle, ({ db, prefix }) => libsql(db, { prefix }));

function check<Db>(
  handle: Handle<Db>,
  driverOf: (opened: Pick<Opened<Db>, "db" | "prefix">) => Driver,
): void {
  test(`${handle.name}: a closed handle throws ConnectionError`, { timeout }, async () => {
    const opened = await handle.open();
    let closed = false;
    try {
      const driver = driverOf(opened);
      await driver.migrate();
      const store = new EventStore(driver, { events });
      await store.append("a", Noted(1));
      await opened.close();
      closed = true;
      const uses: (() => Promise<unknown>)[] = [
        () => store.append("a", Noted(2)),
        () => store.append("a", [Noted(2), Noted(3)], { expectedVersion: 1 }),
        () => store.load("a"),
        () => store.position(),
        () => store.delete("a"),
        () => store.transaction(({ store }) => store.append("a", Noted(2))),
        () => new Outbox(store, { publisher() {} }).runOnce(),
        () => new Outbox(store, { publisher() {} }).status(),
        () => driver.migrate(),
      ];
      for (const use of uses) {
        await assert.rejects(use, (error) =>
          isEventSourceryError(error, "CONNECTION") ||
          // Bun's client says of a closed handle what it says of a connection that was lost on the way.
          handle.name.startsWith("Bun SQL") && isEventSourceryError(error, "UNKNOWN_OUTCOME"));
      }
    } finally {
      if (!closed) await opened.close();
    }
  });

  if (["PGlite", "libSQL in memory", "libSQL file"].includes(handle.name)) return; // no connection to lose

  // Deno's fetch itself sends again what did not get through on a connection that had been used before.
  const resends = runtime === "deno" && handle.name === "libSQL over HTTP";

  for (const count of [1, 3]) {
    const given = () => Array.from({ length: count }, (_, index) => Noted(index));

    test(
      `${handle.name}: append() of ${count} finds them when the answer is lost`,
      { timeout },
      () =>
        throughCable(async (store, cable) => {
          const events = given();
          cable.cut("after", events[0]!.id);
          const first = await store.append("a", events, { expectedVersion: 0 });
          assert.ok(cable.done);
          assert.equal(first.version, count);
          assert.deepEqual(await store.append("a", events, { expectedVersion: 0 }), first);
          assert.equal(await store.version("a"), count);
        }),
    );

    test(
      `${handle.name}: append() of ${count} works again when they were lost`,
      { timeout },
      () =>
        throughCable(async (store, cable) => {
          const events = given();
          cable.cut("before", events[0]!.id);
          const lost = store.append("a", events, { expectedVersion: 0 });
          const fields = { code: "UNKNOWN_OUTCOME", retryable: true, streamIds: ["a"] };
          if (resends) await lost;
          else await assert.rejects(lost, fields);
          assert.ok(cable.done);
          const first = await store.append("a", events, { expectedVersion: 0 });
          assert.equal(first.version, count);
          assert.deepEqual(await store.append("a", events), first);
          assert.equal(await store.version("a"), count);
        }),
    );
  }

  for (const when of ["before", "after"] as const) {
    test(
      `${handle.name}: transaction() cut off ${when} its commit is not known`,
      { timeout },
      () =>
        throughCable(async (store, cable) => {
          const work = store.transaction(async ({ store }) => {
            await store.append("a", Noted(1));
            cable.cut(when, "commit");
          });
          const sentAgain = resends && when === "before";
          if (sentAgain) await work;
          else await assert.rejects(work, { code: "UNKNOWN_OUTCOME", streamIds: [] });
          assert.ok(cable.done);
          assert.equal(await store.version("a"), when === "after" || sentAgain ? 1 : 0);
        }),
    );
  }

  async function throughCable(
    work: (store: EventStore<ReturnType<typeof Noted>>, cable: Cable) => Promise<void>,
  ): Promise<void> {
    const opened = await handle.open();
    const cable = await lay(opened.url!);
    try {
      await driverOf(opened).migrate();
      const db = await opened.another!(cable.url);
      const store = new EventStore(driverOf({ ...opened, db }), { events });
      assert.equal(await store.version("a"), 0);
      await work(store, cable);
    } finally {
      await opened.close();
      await cable.close();
    }
  }
}
