// What goes over the wire to Postgres: the price of an append is one round trip.
import {
  defineEvent,
  type EventOf,
  EventStore,
  type EventWriter,
  Subscription,
} from "event-sourcery";
import { postgres, type PostgresOptions } from "event-sourcery/postgres";
import { drizzle as nodePostgres } from "drizzle-orm/node-postgres";
import { drizzle as postgresJs } from "drizzle-orm/postgres-js";
import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import client from "postgres";
import type { PostgresDb } from "../support/handles.ts";
import { until } from "../support/journal.ts";
import { createDatabase } from "../support/postgres.ts";
import { all } from "../support/shop.ts";
import { type Sent, tap } from "../support/wiretap.ts";

const timeout = 60_000;
const Noted = defineEvent<string>()("Noted");
const tagged = () => Noted("c", { tags: ["urgent", "private"] });
type Writer = EventWriter<EventOf<typeof Noted>>;

/** Each finds one event in its stream. */
const appends: Readonly<Record<string, (store: Writer, streamId: string) => Promise<unknown>>> = {
  "one event": (store, streamId) => store.append(streamId, Noted("a")),
  "one event at a version": (store, streamId) =>
    store.append(streamId, Noted("a"), { expectedVersion: 1 }),
  "one event of a new stream": (store, streamId) =>
    store.append(`${streamId}/new`, Noted("a"), { expectedVersion: "noStream" }),
  "an event for the outbox": (store, streamId) => store.publish(streamId, Noted("a")),
  "a tagged event": (store, streamId) => store.append(streamId, tagged()),
  "several events": (store, streamId) => store.append(streamId, [Noted("a"), Noted("b"), tagged()]),
};

interface Client {
  readonly db: PostgresDb;
  readonly close: () => Promise<void>;
}

/** The clients, with several connections: where there is one only, there is no listener to wake. */
const clients: Readonly<Record<string, (url: string) => Client>> = {
  "postgres.js"(url: string) {
    // It asks for the types of the database when a connection is new, unless it is told not to.
    const sql = client(url, { max: 4, fetch_types: false, onnotice: () => {} });
    return { db: postgresJs(sql), close: () => sql.end({ timeout: 1 }) };
  },
  "node-postgres"(url: string) {
    const pool = new pg.Pool({ connectionString: url, max: 4 });
    return { db: nodePostgres(pool), close: () => pool.end() };
  },
};

for (const [name, connect] of Object.entries(clients)) {
  test(`${name}: append() is one prepared statement`, { timeout }, async () => {
    await using desk = await open(connect, { notify: false });
    for (const [what, append] of Object.entries(appends)) {
      await desk.store.append(what, Noted("first"));
      assertAppend(await desk.during(() => append(desk.store, what)), what);
    }
    const streams = await desk.during(() =>
      desk.store.appendAll([
        { streamId: "one event", events: tagged(), expectedVersion: 2 },
        { streamId: "another", events: [Noted("a"), Noted("b")] },
      ])
    );
    assertAppend(streams, "events of two streams");
  });

  test(`${name}: append() in a transaction is one prepared statement`, { timeout }, async () => {
    await using desk = await open(connect, { notify: false });
    for (const [what, append] of Object.entries(appends)) {
      await desk.store.append(what, Noted("first"));
      const sent = await desk.store.transaction(({ store }) =>
        desk.during(() => append(store, what))
      );
      assertAppend(sent, what);
    }
  });

  test(`${name}: append() sends its text once a connection`, { timeout }, async () => {
    await using desk = await open(connect, { notify: false });
    for (const events of [() => Noted("a"), () => [Noted("a"), Noted("b")]]) {
      const sent = await desk.store.transaction(({ store }) =>
        desk.during(async () => {
          for (let number = 0; number < 5; number++) {
            await store.append(`note:${number}`, events(), { expectedVersion: "any" });
          }
        })
      );
      assert.equal(sent.length, 5);
      assert.equal(new Set(sent.map(({ name }) => name)).size, 1);
      assert.deepEqual(sent.slice(1).filter(({ parsed }) => parsed), []);
    }
  });

  test(`${name}: nothing has a name when prepare is false`, { timeout }, async () => {
    await using desk = await open(connect, { prepare: false });
    const { store } = desk;
    for (const [what, append] of Object.entries(appends)) {
      for (const streamId of [`alone: ${what}`, `together: ${what}`]) {
        await store.append(streamId, Noted("first"));
      }
      await append(store, `alone: ${what}`);
      await store.transaction(({ store }) => append(store, `together: ${what}`));
    }
    await store.load("note:1");
    await all(store.readAll({ tags: ["urgent"] }));
    await store.streams();
    await new Subscription(store, { name: "reader", handler() {} }).drain();
    await store.delete("note:1");
    assert.ok(desk.sent.filter(({ text }) => text.includes("insert into")).length > 20);
    // How a transaction begins and ends is the client's own business: postgres.js prepares even "commit".
    const named = desk.sent.filter(({ name, text }) => name !== "" && !isBoundary(text));
    assert.deepEqual(named, []);
  });

  test(`${name}: the notifier's NOTIFY is sent by itself, after the commit, without a payload`, {
    timeout,
  }, async () => {
    await using desk = await open(connect);
    const heard: { channel: string; payload?: string | undefined }[] = [];
    const listener = new pg.Client({ connectionString: desk.direct });
    listener.on("notification", ({ channel, payload }) => heard.push({ channel, payload }));
    await listener.connect();
    try {
      await rung(desk, 1); // by what there is already
      const channel = desk.sent.find(isNotify)!.text.slice("notify ".length);
      await listener.query(`listen ${channel}`);

      const alone = await desk.during(async () => {
        await desk.store.append("note:1", Noted("a"));
        await rung(desk, 2);
      });
      assert.deepEqual(alone.map(kindOf), ["append", "notify"]);

      const together = await desk.during(async () => {
        await desk.store.transaction(async ({ store }) => {
          await store.append("note:1", Noted("a"));
          await store.append("note:2", [Noted("a"), Noted("b")]);
        });
        await rung(desk, 3);
      });
      const kinds = together.map(kindOf).filter((kind) => kind !== "other");
      assert.deepEqual(kinds.slice(0, 3), ["append", "append", "commit"]);
      // The second ring may come while the first is being sent; what follows is nothing else.
      assert.deepEqual(new Set(kinds.slice(3)), new Set(["notify"]));

      await until(() => heard.length > 1);
      for (const { payload } of heard) assert.equal(payload, "");
      assert.deepEqual(new Set(heard.map(({ channel }) => `"${channel}"`)), new Set([channel]));
      for (const notify of desk.sent.filter(isNotify)) {
        assert.equal(notify.text, `notify ${channel}`);
      }
    } finally {
      await listener.end();
    }
  });

  test(
    `${name}: a transaction that is rolled back sends no notification`,
    { timeout },
    async () => {
      await using desk = await open(connect);
      await rung(desk, 1);
      const failure = new Error("rolled back");
      const sent = await desk.during(async () => {
        const done = desk.store.transaction(async ({ store }) => {
          await store.append("note:1", Noted("a"));
          throw failure;
        });
        await assert.rejects(done, (error) => error === failure);
        await desk.store.append("note:1", Noted("a"), { expectedVersion: 1 });
        await rung(desk, 2);
      });
      const kinds = sent.map(kindOf).filter((kind) => kind !== "other");
      assert.deepEqual(kinds, ["append", "rollback", "append", "notify"]);
    },
  );
}

/** Opens a store with one event in "note:1", whose statements are listened in on. */
async function open(connect: (url: string) => Client, options: PostgresOptions = {}) {
  const database = await createDatabase("embedded");
  const wire = await tap(database.url);
  const { db, close } = connect(wire.url);
  const driver = postgres(db, options);
  await driver.migrate();
  const store = new EventStore(driver, { events: [Noted] });
  await store.append("note:1", Noted("first"));
  return {
    store,
    direct: database.url,
    sent: wire.sent,
    /** What is sent while something is done. */
    async during(work: () => Promise<unknown>): Promise<readonly Sent[]> {
      const before = wire.sent.length;
      await work();
      return wire.sent.slice(before);
    },
    async [Symbol.asyncDispose]() {
      await close();
      await wire.close();
      await database.drop();
    },
  };
}

/** Waits until so many notifications were sent. */
async function rung({ sent }: { readonly sent: readonly Sent[] }, times: number): Promise<void> {
  await until(() => sent.filter(isNotify).length >= times);
}

function assertAppend(sent: readonly Sent[], what: string): void {
  assert.deepEqual(sent.map(kindOf), ["append"], what);
  const [{ name, text }] = sent as readonly [Sent];
  assert.notEqual(name, "", what);
  assert.doesNotMatch(text, /notify/i, what);
}

function isNotify({ text }: Sent): boolean {
  return /\bnotify\b/i.test(text);
}

function isBoundary(text: string): boolean {
  return /^(begin|set transaction|commit|rollback|savepoint|release)\b/i.test(text);
}

function kindOf({ text }: Sent): "append" | "notify" | "commit" | "rollback" | "other" {
  if (/insert into "event_sourcery"."events"/.test(text)) return "append";
  const [word] = text.trim().toLowerCase().split(/\W/);
  return word === "notify" || word === "commit" || word === "rollback" ? word : "other";
}
