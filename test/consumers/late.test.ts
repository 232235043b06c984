// A transaction that commits late: its event arrives, in order, and nothing behind it came first.
import { Outbox, Subscription } from "event-sourcery";
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/journal.ts";
import { Noted } from "../support/relay.ts";
import { running } from "../support/running.ts";
import { stage } from "../support/stage.ts";

const timeout = 60_000;

for (const ends of ["commits", "rolls back"] as const) {
  test(
    `an event that ${ends} late holds up those behind it, and no longer`,
    { timeout },
    async () => {
      await using late = await appender();
      const { store } = late;
      const sent: number[] = [];
      const outbox = new Outbox(store, { publisher: ({ data }) => void sent.push(data) });
      await store.publish("before", Noted(0));
      await late.begin();
      await store.publish("other", [Noted(2), Noted(3)]);
      const { handled, position } = await outbox.runOnce();
      assert.deepEqual([handled, sent], [1, [0]]);
      assert.ok(position < await head(late));
      await running([outbox], async () => {
        await late.end(ends === "commits");
        await until(async () => (await outbox.status()).position === await head(late));
      }, { pollInterval: 20 });
      assert.deepEqual(sent, ends === "commits" ? [0, 1, 2, 3] : [0, 2, 3]);
    },
  );
}

test("a write transaction that appends nothing holds up no consumer", { timeout }, async () => {
  await using shared = await stage("postgres");
  const { store } = shared;
  let release = () => {};
  const gate = new Promise<void>((resolve) => release = resolve);
  let begun = false;
  const unrelated = store.transaction(async ({ db }) => {
    await shared.execute(db, sql`insert into model (stream_id, seen) values ('x', '')`);
    begun = true;
    await gate;
  });
  try {
    await until(() => begun);
    const sent: number[] = [];
    const outbox = new Outbox(store, { publisher: ({ data }) => void sent.push(data) });
    await running([outbox], async () => {
      for (const number of [1, 2, 3]) {
        const { position } = await store.publish("a", Noted(number));
        await outbox.waitFor(position);
        assert.equal(sent.length, number);
      }
    }, { pollInterval: 20 });
  } finally {
    release();
    await unrelated;
  }
});

test('from: "now" takes what commits late, and waitFor() waits for it', { timeout }, async () => {
  await using late = await appender();
  const { store } = late;
  await store.publish("before", Noted(0));
  await late.begin();
  const seen: number[] = [];
  const subscription = new Subscription(store, {
    name: "reader",
    from: "now",
    handler: ({ data }) => void seen.push(data),
  });
  await subscription.runOnce();
  const { position } = await store.publish("other", Noted(2));
  await running([subscription], async () => {
    const signal = AbortSignal.timeout(100);
    await assert.rejects(subscription.waitFor(position, { signal }), { name: "TimeoutError" });
    assert.deepEqual(seen, []);
    await late.end(true);
    await subscription.waitFor(position);
  }, { pollInterval: 20 });
  assert.deepEqual(seen, [1, 2]);
});

/** A stage with a transaction that appends an event and stays open. */
async function appender() {
  const shared = await stage("postgres");
  const undo = new Error("undo");
  let finish: (commits: boolean) => void = () => {};
  let open: Promise<void> | undefined;
  return {
    ...shared,
    async begin() {
      let begun = false;
      const gate = new Promise<boolean>((resolve) => finish = resolve);
      open = shared.store.transaction(async ({ store }) => {
        await store.publish("late", Noted(1));
        begun = true;
        if (!await gate) throw undo;
      }).catch((error) => assert.equal(error, undo));
      await until(() => begun);
    },
    async end(commits: boolean) {
      finish(commits);
      await open;
    },
    async [Symbol.asyncDispose]() {
      finish(false);
      await open;
      await shared[Symbol.asyncDispose]();
    },
  };
}

/** The last position that was given, committed or not. */
async function head({ driver, execute }: Awaited<ReturnType<typeof appender>>): Promise<number> {
  const [row] = await execute(
    driver.db,
    sql`select last_value::int as head from event_sourcery.position`,
  ) as readonly { head: number }[];
  return row!.head;
}
