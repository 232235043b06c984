// Two writers with groups, hot streams, every expectation, tags, used ids, refused events, a stream that is locked again
// and again, and connections that are cut: whatever a caller was told is what the log says in the end.
import {
  ConcurrencyError,
  defineEvent,
  type Driver,
  EventStore,
  type ExpectedVersion,
  isEventSourceryError,
  type RecordedEvent,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { type Cable, lay } from "../support/cable.ts";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";
import { Chance, seed } from "../support/seed.ts";

const Noted = defineEvent<number>()("Noted");
const Bad = defineEvent<number>()("Bad");
type Events = ReturnType<typeof Noted> | ReturnType<typeof Bad>;
type Store = EventStore<Events>;

const seconds = Number(process.env["MIXED_SECONDS"] ?? 1.5);
const streams = Array.from({ length: 12 }, (_, index) => `hot:${index}`);

/** What a worker did, and what it was told. */
interface Call {
  /** Which of the two writers it used. */
  readonly writer: number;
  readonly streamId: string;
  readonly expected: ExpectedVersion;
  readonly given: readonly Events[];
  /** Whether another call had the same events, so that either may have stored them. */
  used: boolean;
  outcome?: { readonly version: number } | { readonly error: unknown };
}

/** Appends until the time is over. */
async function work(store: Store, writer: number, chance: Chance, calls: Call[], until: number) {
  while (performance.now() < until) {
    const streamId = streams[chance.below(streams.length)]!;
    const used = calls.length > 0 && chance.below(40) === 0;
    const expected =
      (["any", "any", "any", "streamExists", "noStream"] as const)[chance.below(7)] ??
        (chance.below(4) === 0 ? chance.below(500) : await store.version(streamId).catch(() => 0));
    const make = () => {
      const tags = chance.below(3) === 0 ? [`tag ${chance.below(4)}`, streamId] : [];
      return chance.below(500) === 0 ? Bad(1) : Noted(chance.below(1000), { tags });
    };
    const other = used ? calls[chance.below(calls.length)]! : undefined;
    if (other !== undefined) other.used = true;
    const given = other?.given ?? Array.from({ length: 1 + chance.below(4) }, make);
    const call: Call = { writer, streamId, expected, given, used };
    calls.push(call);
    try {
      call.outcome = await store.append(streamId, given, { expectedVersion: expected });
    } catch (error) {
      call.outcome = { error };
      if (isEventSourceryError(error, "CONNECTION")) await pause(5);
    }
  }
}

/** Holds a stream in an open transaction, again and again. */
async function hold(store: Store, chance: Chance, until: number): Promise<number> {
  let held = 0;
  while (performance.now() < until) {
    const streamId = streams[chance.below(streams.length)]!;
    try {
      await store.transaction(async ({ store }) => {
        await store.append(streamId, Noted(-1));
        await pause(250 + chance.below(300));
        if (chance.below(2) === 0) throw new Error("changed its mind");
      });
      held++;
    } catch {
      // It was rolled back.
    }
    await pause(50);
  }
  return held;
}

/** Cuts connections as they carry an append, before or after the server has got it. */
async function cut(cable: Cable, chance: Chance, until: number): Promise<number> {
  let cuts = 0;
  while (performance.now() < until) {
    cable.cut(chance.below(2) === 0 ? "before" : "after", streams[chance.below(streams.length)]!);
    await pause(60);
    if (cable.done) cuts++;
  }
  return cuts;
}

/** Compares what callers were told with the log. */
async function judge(store: Store, calls: readonly Call[]): Promise<Record<string, number>> {
  const log = new Map<string, RecordedEvent<Events>[]>();
  const stored = new Map<string, RecordedEvent<Events>>();
  for (const streamId of streams) {
    const events = await store.load(streamId) as RecordedEvent<Events>[];
    log.set(streamId, events);
    events.forEach((event, index) => {
      assert.equal(event.version, index + 1, `${streamId} has a gap`);
      assert.ok(index === 0 || event.position > events[index - 1]!.position);
      assert.ok(!stored.has(event.id), `${event.id} is there twice`);
      stored.set(event.id, event);
    });
  }
  const told: Record<string, number> = {};
  const last = new Map<string, number>();
  for (const { writer, streamId, expected, given, used, outcome } of calls) {
    assert.ok(outcome !== undefined, "an append never ended");
    if ("error" in outcome) {
      const code = isEventSourceryError(outcome.error) ? outcome.error.code : String(outcome.error);
      told[code] = (told[code] ?? 0) + 1;
      assert.match(code, /^(CONCURRENCY|DUPLICATE_EVENT|UNKNOWN_OUTCOME|CONNECTION|DRIVER|BUSY)$/);
      if (used || code === "UNKNOWN_OUTCOME") continue;
      for (const { id } of given) assert.ok(!stored.has(id), `${code}, but it is stored`);
      if (outcome.error instanceof ConcurrencyError) assert.notEqual(expected, "any");
      if (code === "DRIVER") assert.ok(given.some(({ type }) => type === "Bad"));
      continue;
    }
    told["stored"] = (told["stored"] ?? 0) + 1;
    const first = outcome.version - given.length + 1;
    const here = log.get(streamId)!.slice(first - 1, outcome.version);
    assert.deepEqual(here.map(({ id }) => id), given.map(({ id }) => id));
    assert.deepEqual(here.map(({ tags }) => tags), given.map(({ tags }) => tags));
    if (used) continue;
    if (typeof expected === "number") assert.equal(first, expected + 1);
    if (expected === "noStream") assert.equal(first, 1);
    if (expected === "streamExists") assert.ok(first > 1);
    if (expected !== "any") continue;
    const key = `${writer} ${streamId}`;
    assert.ok(first > (last.get(key) ?? 0), "stored before one that was called earlier");
    last.set(key, first);
  }
  for (const tag of ["tag 0", "tag 1", "tag 2", "tag 3"]) {
    const found: string[] = [];
    for await (const { id } of store.readAll({ tags: [tag] })) found.push(id);
    const tagged = [...stored.values()].filter(({ tags }) => tags.includes(tag));
    assert.deepEqual(found.sort(), tagged.map(({ id }) => id).sort());
  }
  return told;
}

/** A database, reached by two clients; the first one's connections may be cut. */
interface Place {
  readonly drivers: readonly [Driver, Driver];
  /** A client for transactions. */
  readonly holder: Driver;
  readonly cable: Cable | undefined;
  close(): Promise<void>;
}

function check(name: string, open: () => Promise<Place>): void {
  test(
    `${name}: every caller is told the truth (SEED=${seed})`,
    { timeout: 120_000 },
    async (t) => {
      const { drivers, holder, cable, close } = await open();
      try {
        const [first, second, third] = [...drivers, holder].map((driver) =>
          new EventStore(driver, { events: [Noted, Bad] })
        ) as [Store, Store, Store];
        const calls: Call[] = [];
        const until = performance.now() + seconds * 1000;
        const workers = Array.from({ length: 60 }, (_, index) =>
          work(
            index % 2 === 0 ? first : second,
            index % 2,
            new Chance(seed + index),
            calls,
            until,
          ));
        const [held, cuts] = await Promise.all([
          hold(third, new Chance(seed - 1), until),
          cable === undefined ? 0 : cut(cable, new Chance(seed - 2), until),
          ...workers,
        ]);
        const told = await judge(second, calls);
        t.diagnostic(JSON.stringify({ ...told, held, cuts }));
        assert.ok(told["stored"]! > 10 && told["CONCURRENCY"]! > 0);
        assert.ok(cable === undefined || cuts! > 0, `${cuts} cuts`);
      } finally {
        await close();
      }
    },
  );
}

for (const handle of postgresHandles.filter(({ name }) => name.startsWith("postgres.js"))) {
  check(handle.name, async () => {
    const opened = await handle.open();
    const cable = await lay(opened.url!);
    const options = { busyTimeout: 4000 };
    const drivers = [await opened.another!(cable.url), opened.db].map((db) =>
      postgres(db, options)
    );
    await drivers[1]!.migrate();
    await opened.db.execute(
      sql.raw("alter table event_sourcery.events add constraint good check (type <> 'Bad')"),
    );
    return {
      drivers: drivers as [Driver, Driver],
      holder: postgres(await opened.another!(), options),
      cable,
      async close() {
        await opened.close();
        await cable.close();
      },
    };
  });
}

for (const handle of libsqlHandles.filter(({ name }) => name !== "libSQL in memory")) {
  check(handle.name, async () => {
    const opened = await handle.open();
    const cable = handle.name === "libSQL file" ? undefined : await lay(opened.url!);
    const options = { prefix: opened.prefix, busyTimeout: 4000 };
    const drivers = [await opened.another!(cable?.url), opened.db].map((db) => libsql(db, options));
    await drivers[1]!.migrate();
    await opened.db.run(sql.raw(
      `create trigger ${opened.prefix}good before insert on ${opened.prefix}events when new.type = 'Bad' begin select raise(abort, 'bad'); end`,
    ));
    return {
      drivers: drivers as [Driver, Driver],
      holder: libsql(await opened.another!(), options),
      cable,
      async close() {
        await opened.close();
        await cable?.close();
      },
    };
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
