import { defineEvent, EventStore } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import assert from "node:assert/strict";
import { test } from "node:test";
import { libsqlHandles } from "../support/handles.ts";

const Noted = defineEvent<number>()("Noted");

test("follow() finds what another process appends when this one's clock goes back", {
  timeout: 60_000,
}, async () => {
  const { db, another, close } = await libsqlHandles[1]!.open();
  const clock = Date.now;
  try {
    const driver = libsql(db);
    await driver.migrate();
    const here = new EventStore(driver, { events: [Noted] });
    const there = new EventStore(libsql(await another!()), { events: [Noted] });
    const seen: number[] = [];
    const signal = AbortSignal.timeout(10_000);
    await there.append("a", Noted(1));
    for await (const { data } of here.follow({ signal, pollInterval: 20 })) {
      seen.push(data);
      if (data === 3) break;
      Date.now = () => clock() - 3_600_000;
      await there.append("a", Noted(data + 1));
    }
    assert.deepEqual(seen, [1, 2, 3]);
  } finally {
    Date.now = clock;
    await close();
  }
});
