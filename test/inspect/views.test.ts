import {
  ConnectionError,
  decider,
  defineEvent,
  type Event,
  EventStore,
  Outbox,
  PermanentError,
  Subscription,
  UnsupportedError,
} from "event-sourcery";
import { health, inspect, logger, metrics } from "event-sourcery/inspect";
import { memory } from "event-sourcery/memory";
import { aesKeyWrapper, subjectKeys } from "event-sourcery/privacy";
import assert from "node:assert/strict";
import { test } from "node:test";

const Noted = defineEvent<unknown>()("Noted");
const storeOf = () => new EventStore(memory(), { events: [Noted] });
const asked = (path: string) => new Request(`http://localhost${path}`);

/** Shows a value as the state of a stream with one event for each of some versions of it. */
async function shown(...values: readonly unknown[]) {
  const store = storeOf();
  await store.append("s", values.map(() => Noted(0)));
  const aggregates = { "": (events: readonly Event[]) => values[events.length - 1] };
  return inspect(store, { aggregates });
}

test("state() shows any state as plain JSON", async () => {
  class Money {
    readonly cents = 5;
    readonly #hidden = 7;
    get euros() {
      return this.cents / 100;
    }
    get doubled() {
      return this.#hidden * 2;
    }
    get broken(): number {
      throw new Error("no");
    }
    add() {}
  }
  const circle: Record<string, unknown> = { name: "a" };
  circle["self"] = circle;
  let deep: unknown = 1;
  for (let depth = 0; depth < 40; depth++) deep = [deep];
  const value = {
    when: new Date(0),
    never: new Date(NaN),
    map: new Map([["a", new Set([1n])]]),
    bytes: new Uint8Array(3),
    money: new Money(),
    numbers: [NaN, undefined, null, -1],
    call: () => {},
    bare: Object.create(null),
    circle,
  };
  const inspector = await shown(value, deep);
  const { state, problem } = (await inspector.state("s", { version: 1 }))!;
  assert.equal(problem, undefined);
  assert.deepEqual(JSON.parse(JSON.stringify(state)), {
    when: "1970-01-01T00:00:00.000Z",
    never: "(invalid date)",
    map: [["a", ["1n"]]],
    bytes: "(3 bytes)",
    money: { cents: 5, euros: 0.05, doubled: 14, broken: '("broken" cannot be read)' },
    numbers: ["NaN", null, null, -1],
    bare: {},
    circle: { name: "a", self: "(circular)" },
  });
  assert.match(JSON.stringify((await inspector.state("s"))!.state), /^\[{32}"\(deeper\)"/);
});

test("log() shows an event as it is stored, beside what it is read as", async () => {
  const store = storeOf();
  await store.append("s", Noted({ when: new Date(0), count: 1n }));
  const { events: [shown] } = await inspect(store).log();
  assert.deepEqual(shown!.event!.data, { when: new Date(0), count: 1n });
  assert.deepEqual(shown!.stored.data, { when: "1970-01-01T00:00:00.000Z", count: "1" });
});

test("state() shows a state that throws as a problem", async () => {
  const store = storeOf();
  await store.append("light:1", Noted(1));
  const light = decider({
    initialState: () => 0,
    evolve: (): number => {
      throw new RangeError("no bulb");
    },
    decide: (_: never) => [],
  });
  const state = await inspect(store, { aggregates: { light } }).state("light:1");
  assert.deepEqual(state!.problem, { code: undefined, message: "RangeError: no bulb" });
});

test("shows of sealed fields what its store reads", async () => {
  const Registered = defineEvent<{ userId: string; email: string | null }>()("Registered", {
    sensitive: { subject: ({ userId }) => userId, fields: { email: null } },
  });
  const driver = memory();
  const full = new EventStore(driver, { events: [Registered], keys: subjectKeys() });
  await full.append("user:1", Registered({ userId: "1", email: "ada@example.org" }));
  const masked = new EventStore(driver, { events: [Registered], keys: "mask" });
  const user = (events: readonly { data: unknown }[]) => events[0]?.data;
  for (const [store, email] of [[full, "ada@example.org"], [masked, null]] as const) {
    const inspector = inspect(store, { aggregates: { user } });
    const { events: [shown] } = await inspector.log();
    assert.deepEqual(shown!.event!.data, { userId: "1", email });
    assert.deepEqual(await inspector.event(shown!.stored.id), shown);
    assert.deepEqual((await inspector.state("user:1"))!.state, { userId: "1", email });
    assert.equal(JSON.stringify(shown!.stored).includes("ada@"), false, "it is stored sealed");
  }
});

test("diff() keeps as many lines as it can, and gives up where there are too many", async () => {
  const [before, after] = [[1, 2, 3, 4, 5, 6], [1, 3, 9, 4, 8, 6]];
  const inspector = await shown(before, after, Array(2001).fill(1), Array(2001).fill(2), undefined);
  const { lines, complete } = (await inspector.diff("s", 1, 2))!;
  assert.equal(complete, true);
  const marks = { added: "+", removed: "-", same: " " };
  const texts = lines.map(({ kind, text }) => marks[kind] + text.replace(",", "").trim());
  assert.deepEqual(texts, [" [", " 1", "-2", " 3", "+9", " 4", "-5", "+8", " 6", " ]"]);
  const long = (await inspector.diff("s", 3, 4))!;
  assert.deepEqual([long.complete, long.lines.length], [false, 4004]);
  assert.deepEqual([long.lines[0]!.kind, long.lines[1]!.kind, long.lines.at(-2)!.kind], [
    "same",
    "removed",
    "added",
  ]);
  assert.equal(
    (await inspector.diff("s", 2, 5))!.lines.every(({ kind }) => kind === "removed"),
    true,
  );
});

test("metrics() gives the state of consumers to Prometheus, and asks once for many", async () => {
  const store = storeOf();
  await store.append("a", [Noted(1, { createdAt: new Date(0) }), Noted(2)]);
  const tenant = store.scope({ tenantId: "t" });
  const handler = () => Promise.reject(new PermanentError("no"));
  await new Subscription(tenant, { name: 'a "b"\\', lanes: 2, handler }).runOnce();
  await new Subscription(store, { name: "bad", handler }).runOnce();
  await new Outbox(store, { publisher() {} }).runOnce();
  await store.append("a", Noted(3, { createdAt: new Date(0) }));
  const real = inspect(store);
  let calls = 0;
  const counted = { ...real, consumers: () => (calls++, real.consumers()) };
  const scrape = metrics(counted);
  const [one, two] = await Promise.all([scrape(), scrape(asked("/metrics"))]);
  const text = await one.text();
  assert.deepEqual([await two.text(), calls], [text, 1]);
  assert.match(one.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  const head = await store.position();
  for (
    const line of [
      "# TYPE event_sourcery_head gauge",
      `event_sourcery_head ${head}`,
      "# TYPE event_sourcery_consumer_lag gauge",
      `event_sourcery_consumer_lag{consumer="outbox",version="1"} 1`,
      `event_sourcery_consumer_parked{consumer="bad",version="1"} 1`,
      `event_sourcery_consumer_parked{consumer="a \\"b\\"\\\\",version="1",tenant="t"} 0`,
      `event_sourcery_consumer_age_seconds{consumer="outbox",version="1"} 0`,
    ]
  ) assert.ok(text.split("\n").includes(line), `${line}\nis not in\n${text}`);
  const age = /age_seconds\{consumer="bad",version="1"\} (\d+)/.exec(text);
  assert.ok(Number(age![1]) > 1e9);
  assert.equal(/seen_timestamp_seconds\{/.test(text), false, "none has run for long");
  // The exposition format: each line is a comment or a sample.
  for (const line of text.trimEnd().split("\n")) {
    assert.match(
      line,
      /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="([^"\\]|\\.)*"(,\w+="([^"\\]|\\.)*")*\})? -?[\d.e+]+)$/,
    );
  }

  const fresh = metrics(counted, { maxAge: 0 });
  await fresh();
  await fresh();
  assert.equal(calls, 3);
});

test("metrics() answers 503 while the database is away, and asks again then", async () => {
  const store = storeOf();
  let away = true;
  const real = inspect(store);
  const consumers = () => away ? Promise.reject(new Error("away")) : real.consumers();
  const scrape = metrics({ ...real, consumers });
  assert.equal((await scrape()).status, 503);
  away = false;
  assert.equal((await scrape()).status, 200);
});

test("health() keeps live, ready and consumers apart", async () => {
  const store = storeOf();
  const inspector = inspect(store);
  const checks = health(inspector);
  await store.append("a", Noted(1));
  const handler = () => Promise.reject(new PermanentError("no"));
  await new Subscription(store, { name: "bad", handler }).runOnce();
  await new Subscription(store.scope({ tenantId: "t" }), { name: "good", handler }).runOnce();
  assert.deepEqual(await checks.live(), { status: "ok", checks: {} });
  const database = { status: "ok" } as const;
  assert.deepEqual(await checks.ready(), { status: "ok", checks: { database } });
  const consumers = {
    "bad@1": { status: "warning", reason: "needs you" },
    "t/good@1": { status: "ok", reason: "up to date" },
  } as const;
  assert.deepEqual(await checks.consumers(), { status: "warning", checks: consumers });
  const all = await checks.fetch(asked("/health"));
  assert.equal(all.status, 200, "a broker that is down restarts no web server");
  assert.deepEqual(await all.json(), { status: "warning", checks: { ...consumers, database } });
  assert.equal((await checks.fetch(asked("/health/ready?x=1"))).status, 200);
});

test("health() is not ready while the database is away or silent, but lives", async () => {
  const inspector = inspect(storeOf());
  const error = new ConnectionError({ cause: new Error("ECONNREFUSED") });
  const silent = () => new Promise<never>(() => {});
  for (
    const [position, reason] of [
      [() => Promise.reject(error), /Cannot reach the database.*ECONNREFUSED/],
      [silent, /not answered within 20 ms/],
    ] as const
  ) {
    const checks = health({ consumers: position, position }, { timeout: 20 });
    const ready = await checks.fetch(asked("/ready"));
    assert.equal(ready.status, 503);
    const { checks: { database } } = await checks.ready();
    assert.equal(database!.status, "failing");
    assert.match(database!.reason!, reason);
    assert.equal((await checks.consumers()).status, "warning");
    assert.equal((await checks.fetch(asked("/"))).status, 503);
    assert.equal((await checks.fetch(asked("/live"))).status, 200);
  }
  assert.equal(
    (await health(inspector).fetch(asked("/live"))).headers.get("cache-control"),
    "no-store",
  );
});

test("logger() writes what failed, and whether it mends itself", async () => {
  const lines: [level: string, fields: object, message: string][] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push([level, fields, message]);
  const onError = logger({ error: write("error"), warn: write("warn") });
  const event = {
    id: "i",
    type: "Paid",
    tenantId: "",
    streamId: "order:1",
    version: 1,
    position: 7,
  };
  const failed = { consumer: "mails", phase: "handle", event, attempt: 2 } as const;
  const retryAt = new Date(0);
  const driverError = Object.assign(new Error("insert … params: secret"), { params: ["secret"] });
  driverError.cause = new Error("duplicate key");
  onError(driverError, { ...failed, retryAt });
  onError(new UnsupportedError("fly", "no wings"), { ...failed, retryAt: undefined });
  const notice = { consumer: "mails", event: undefined, attempt: undefined } as const;
  onError(new Error("lane 0 is held"), { ...notice, phase: "lease", retryAt: undefined });
  onError("away", { ...notice, phase: "pass", attempt: 1, retryAt });
  const store = new EventStore(memory(), {
    events: [Noted],
    onError,
    subscriptions: [{ afterCommit: true, handler: () => Promise.reject(new Error("late")) }],
  });
  const { events: [noted] } = await store.append("s", Noted(1));
  onError(new Error("too big"), { phase: "snapshot", streamId: "s" });
  assert.deepEqual(lines.map(([level, , message]) => [level, message]), [
    [
      "warn",
      'consumer "mails" failed at Paid of order:1, attempt 2, next at 1970-01-01T00:00:00.000Z: Error: duplicate key',
    ],
    [
      "error",
      `consumer "mails" failed at Paid of order:1, attempt 2: ${
        new UnsupportedError("fly", "no wings").message
      }`,
    ],
    ["warn", 'consumer "mails": Error: lane 0 is held'],
    ["warn", 'consumer "mails" failed, attempt 1, next at 1970-01-01T00:00:00.000Z: threw away'],
    ["error", "afterCommit failed at Noted of s: Error: late"],
    ["warn", "snapshot failed of s: Error: too big"],
  ]);
  const [first, second, third, , after] = lines.map(([, fields]) => fields);
  const common = {
    phase: "handle",
    consumer: "mails",
    type: "Paid",
    streamId: "order:1",
    eventId: "i",
    position: 7,
  };
  assert.deepEqual(first, { ...common, attempt: 2, retryAt, err: driverError.cause });
  assert.equal(Reflect.get(second!, "code"), "UNSUPPORTED");
  assert.deepEqual(Object.keys(third!), ["phase", "consumer", "err"]);
  assert.equal(Reflect.get(after!, "eventId"), noted!.id);
});

test("inspect() refuses what is malformed, and what the driver cannot", async () => {
  const store = storeOf();
  const wrong:
    readonly (readonly [attempt: () => unknown, error: ErrorConstructor, word: RegExp])[] = [
      [() => inspect({ ...store } as never), TypeError, /store/],
      [() => inspect(store, { budget: 0 }), RangeError, /budget/],
      [() => inspect(store, { maxAge: 0 }), RangeError, /maxAge/],
      [() => inspect(store, { aggregates: null as never }), TypeError, /aggregates/],
      [() => metrics(inspect(store), { maxAge: -1 }), RangeError, /maxAge/],
      [() => health(inspect(store), { timeout: 0 }), RangeError, /timeout/],
    ];
  for (const [attempt, name, message] of wrong) {
    assert.throws(attempt, (error) => {
      assert.ok(error instanceof name && message.test(error.message), String(error));
      return true;
    });
  }
  const inspector = inspect(store);
  const refused: readonly (readonly [attempt: Promise<unknown>, word: RegExp])[] = [
    [inspector.log({ limit: 0 }), /limit/],
    [inspector.log({ limit: 1001 }), /limit/],
    [inspector.log({ before: -1 }), /before/],
    [inspector.log({ tags: "a" as never }), /tags/],
    [inspector.log({ streamId: "" }), /streamId/],
    [inspector.event(""), /id/],
    [inspector.streams({ limit: 0 }), /limit/],
    [inspector.touched({ budget: 0 }), /budget/],
    [inspector.trace("", {}), /correlationId/],
    [inspector.trace("a", { limit: 10_001 }), /limit/],
    [inspector.state("s", { version: -1 }), /version/],
    [inspector.state("s", { at: 5 as never }), /at/],
    [inspector.rate({ since: 5 as never }), /since/],
    [inspector.rate({ since: new Date(), buckets: 0 }), /buckets/],
    [inspector.parked({ limit: 0 }), /limit/],
    [inspector.parked({ consumer: { name: "" } }), /name/],
  ];
  for (const [attempt, message] of refused) {
    await assert.rejects(attempt, (error) => error instanceof Error && message.test(error.message));
  }

  const driver = memory();
  const modest = {
    ...{ db: driver.db, capabilities: { transactions: true }, checkpoints: undefined },
    append: driver.append.bind(driver),
    load: driver.load.bind(driver),
    scan: driver.scan.bind(driver),
    settled: driver.settled.bind(driver),
    streams: driver.streams.bind(driver),
    delete: driver.delete.bind(driver),
    blockAppends: driver.blockAppends.bind(driver),
    transaction: driver.transaction.bind(driver),
    using: driver.using.bind(driver),
    migrate: driver.migrate.bind(driver),
    repairPosition: driver.repairPosition.bind(driver),
  };
  const old = new EventStore(modest, { events: [Noted] });
  await old.append("s", [Noted(1), Noted(2)]);
  const limited = inspect(old);
  for (
    const attempt of [
      limited.log(),
      limited.touched(),
      limited.event("a"),
      limited.trace("a"),
      limited.rate({ since: new Date(0) }),
      limited.positionAt(new Date(0)),
      limited.parked(),
      limited.streams({ prefix: "s" }),
      limited.consumers(),
    ]
  ) await assert.rejects(attempt, { code: "UNSUPPORTED" });
  assert.equal((await limited.log({ after: 0 })).events.length, 2);
});

test("stream() pages through a stream in either direction, whatever cannot be read", async () => {
  const driver = memory();
  const store = new EventStore(driver, { events: [Noted] });
  await store.append("s", [1, 2, 3, 4, 5].map((number) => Noted(number)));
  const inspector = inspect(store);
  const seen = async (range: Parameters<typeof inspector.stream>[1]) => {
    const { events, version, complete } = (await inspector.stream("s", range))!;
    return [events.map(({ stored }) => stored.data), version, complete];
  };
  assert.deepEqual(await seen({}), [[1, 2, 3, 4, 5], 5, true]);
  assert.deepEqual(await seen({ from: 2, limit: 2 }), [[2, 3], 5, false]);
  assert.deepEqual(await seen({ from: 2, to: 3, limit: 2 }), [[2, 3], 5, true]);
  assert.deepEqual(await seen({ backwards: true, limit: 2 }), [[5, 4], 5, false]);
  assert.deepEqual(await seen({ backwards: true, to: 2 }), [[2, 1], 5, true]);
  assert.deepEqual(await seen({ from: 6 }), [[], 5, true]);
  assert.equal(await inspector.stream("t"), undefined);
  await assert.rejects(inspector.stream("s", { limit: 1001 }), RangeError);
  const strict = inspect(new EventStore(driver, { events: [] }));
  const { events } = (await strict.stream("s", { limit: 1 }))!;
  assert.equal(events[0]!.problem!.code, "UNKNOWN_EVENT_TYPE");
});

test("parked() finds a stream by its id, wherever it is among thousands", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  const b = store.scope({ tenantId: "b" });
  const ids = Array.from({ length: 1200 }, (_, index) => `s:1${String(index).padStart(4, "0")}`);
  for (const id of [...ids, "s:2", "😀", "t"]) await store.append(id, Noted("x"));
  await b.append("s:2", Noted("x"));
  const handler = () => Promise.reject(new PermanentError("no"));
  const consumers = ["one", "two"].map((name) => new Subscription(store, { name, handler }));
  for (const consumer of consumers) await consumer.drain();
  const inspector = inspect(store);
  for (const streamId of ["s:10000", "s:10150", "s:11199", "s:2", "😀", "t"]) {
    const { streams, next } = await inspector.parked({ stream: { tenantId: "", streamId } });
    const found = streams.map((row) => [row.consumer, row.tenantId, row.streamId]);
    assert.deepEqual(found, [["one", "", streamId], ["two", "", streamId]]);
    assert.equal(next, undefined);
  }
  const of = async (tenantId: string, streamId: string) =>
    (await inspector.parked({ consumer: { name: "two" }, stream: { tenantId, streamId } })).streams
      .map((row) => row.tenantId + row.streamId);
  assert.deepEqual(await of("b", "s:2"), ["bs:2"]);
  assert.deepEqual(await of("", "s:"), []);
  assert.deepEqual(await of("", "s:1"), []);
  await assert.rejects(inspector.parked({ stream: { tenantId: "", streamId: "" } }), RangeError);
});

test('sensitive: "mask" masks events and states of a store that has the keys', async () => {
  const Named = defineEvent<{ name: string }>()("Named", {
    sensitive: { subject: () => "somebody", fields: { name: "(masked)" } },
  });
  const raw = new Uint8Array(32);
  const key = await crypto.subtle.importKey("raw", raw, "AES-KW", false, ["wrapKey", "unwrapKey"]);
  const keys = subjectKeys({ wrappers: [aesKeyWrapper("test", key)] });
  const store = new EventStore(memory(), { events: [Named], keys });
  await store.append("person:1", Named({ name: "Ada" }));
  const aggregates = { person: (events: readonly { data: unknown }[]) => events[0]!.data };
  for (const [sensitive, name] of [["mask", "(masked)"], ["reveal", "Ada"]] as const) {
    const inspector = inspect(store, { aggregates, sensitive });
    assert.deepEqual((await inspector.log()).events[0]!.event!.data, { name });
    assert.deepEqual((await inspector.stream("person:1"))!.events[0]!.event!.data, { name });
    assert.deepEqual((await inspector.state("person:1"))!.state, { name });
  }
  const wrong: object = { sensitive: "hide" };
  assert.throws(() => inspect(store, wrong), /sensitive must be "mask" or "reveal"/);
});
