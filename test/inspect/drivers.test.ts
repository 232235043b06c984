import {
  Aggregate,
  decider,
  defineEvent,
  type Driver,
  type EventOf,
  EventStore,
  Outbox,
  PermanentError,
  Subscription,
} from "event-sourcery";
import {
  inspect,
  type InspectedEvent,
  type InspectedNode,
  type InspectedParking,
  type ParkedCursor,
  type ParkedSearch,
} from "event-sourcery/inspect";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { categoryOf, slotOf } from "../../src/event/stream.ts";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";

const Placed = defineEvent<{ customer: string }>()("Placed", {
  tags: ({ customer }) => [`customer:${customer}`],
});
const Paid = defineEvent<{ cents: number }>()("Paid");
const Noted = defineEvent("Noted");
const events = [Placed, Paid, Noted] as const;
type Stored = EventOf<typeof events[number]>;

class Order extends Aggregate<Stored> {
  static readonly category = "order";
  customer = "";
  #cents = 0;
  get total(): string {
    return (this.#cents / 100).toFixed(2);
  }
  protected apply(event: Stored): void {
    if (event.type === "Placed") this.customer = event.data.customer;
    if (event.type === "Paid") this.#cents += event.data.cents;
  }
}

class Secret extends Aggregate<Stored> {
  static readonly category = "secret";
  #seen = 0;
  protected apply(): void {
    this.#seen++;
  }
}

const counter = decider({
  category: "counter",
  initialState: () => ({ count: 0 }),
  evolve: ({ count }, _: Stored) => ({ count: count + 1 }),
  decide: (_: never) => [],
});
const aggregates = {
  order: Order,
  secret: Secret,
  counter,
  list: (all: readonly Stored[]) => all.map(({ type }) => type),
};

type Open = () => Promise<{ readonly driver: Driver; readonly close: () => unknown }>;

const places: Readonly<Record<string, Open>> = {
  memory: async () => ({ driver: memory(), close() {} }),
  async postgres() {
    const { db, close } = await postgresHandles[0]!.open();
    return { driver: postgres(db), close };
  },
  async libsql() {
    const { db, prefix, close } = await libsqlHandles[0]!.open();
    return { driver: libsql(db, { prefix }), close };
  },
};

for (const [place, open] of Object.entries(places)) {
  describe(`inspect() on ${place}`, { timeout: 60_000 }, () => {
    const on = (work: (driver: Driver) => Promise<void>) => async () => {
      const { driver, close } = await open();
      try {
        await driver.migrate();
        await work(driver);
      } finally {
        await close();
      }
    };

    it(
      "log() gives the newest first, page by page, and says how far it has searched",
      on(async (driver) => {
        const store = new EventStore(driver, { events });
        for (let order = 1; order <= 4; order++) {
          await store.append(`order:${order}`, [
            Placed({ customer: order % 2 === 0 ? "ada" : "bob" }),
            Paid({ cents: order }),
          ]);
        }
        await store.scope({ tenantId: "t" }).append("cart:1", Noted());
        const all = await collected(store);
        const inspector = inspect(store);
        const at = (index: number) => all[index]!.position;

        const empty = await inspect(store.scope({ tenantId: "none" })).log();
        assert.deepEqual([empty.events, empty.complete, empty.head], [[], true, at(8)]);
        const first = await inspector.log({ limit: 4 });
        assert.deepEqual(first.events.map(({ event }) => event), all.slice(5).toReversed());
        assert.deepEqual([first.searchedTo, first.complete, first.head], [at(5), false, at(8)]);
        const next = await inspector.log({ limit: 100, before: first.searchedTo });
        assert.deepEqual(ids(next.events), all.slice(0, 5).toReversed().map(({ id }) => id));
        assert.equal(next.complete, true);
        const later = await inspector.log({ after: at(2), limit: 3 });
        assert.deepEqual(ids(later.events), all.slice(3, 6).map(({ id }) => id));
        assert.deepEqual([later.searchedTo, later.complete], [at(5), false]);
        const end = await inspector.log({ after: later.searchedTo, before: at(8) });
        assert.deepEqual(ids(end.events), [all[6]!.id, all[7]!.id]);
        assert.deepEqual([end.searchedTo, end.complete], [at(8) - 1, true]);

        const found = async (search: object) => (await inspector.log(search)).events.length;
        assert.equal(await found({ types: ["Paid"] }), 4);
        assert.equal(await found({ types: ["Other"] }), 0);
        assert.equal(await found({ categories: ["cart"] }), 1);
        assert.equal(await found({ categories: [] }), 0);
        assert.equal(await found({ tags: ["customer:ada"] }), 2);
        assert.equal(await found({ streamId: "order:3" }), 2);
        assert.equal(await found({ streamId: "order:3", types: ["Paid"] }), 1);
        assert.equal(await found({ streamId: "cart:1" }), 0);
        const tenant = inspect(store.scope({ tenantId: "t" }));
        assert.equal((await tenant.log({ streamId: "cart:1" })).events.length, 1);
        assert.equal((await tenant.log()).events.length, 1);

        // Above the budget, what is there is not found; going on finds it.
        const short = inspect(store, { budget: 3 });
        let { events: none, ...searched } = await short.log({
          tags: ["customer:bob"],
          types: ["Placed"],
        });
        assert.deepEqual([none, searched.complete], [[], false]);
        assert.equal(searched.searchedTo, searched.head - 2);
        const hits: string[] = [];
        while (!searched.complete) {
          const search = { categories: ["order"], types: ["Placed"], before: searched.searchedTo };
          ({ events: none, ...searched } = await short.log(search));
          hits.push(...ids(none));
        }
        const placed = all.filter(({ type, position }) =>
          type === "Placed" && position <= at(8) - 3
        );
        assert.deepEqual(hits, placed.map(({ id }) => id).toReversed());
        assert.equal(
          (await short.log({ tags: ["customer:bob"] })).events.length,
          2,
          "by the index",
        );
        assert.equal((await short.log({ streamId: "order:1" })).events.length, 2, "by the index");
        assert.equal((await short.log({ streamId: "order:1", budget: 2 })).complete, false);
        assert.equal((await short.log({ types: ["Noted"], after: 0 })).searchedTo, 3);
      }),
    );

    it(
      "shows what the store cannot read as it is stored, with what is wrong",
      on(async (driver) => {
        const full = new EventStore(driver, { events });
        await full.append("order:1", [Placed({ customer: "ada" }), Noted()]);
        const broken = { codec: '{"/data/cents":"bigint"}', data: '{"cents":"x"}' };
        const written = {
          streamId: "order:1",
          category: categoryOf("order:1"),
          slot: slotOf("", "order:1"),
        };
        const event = {
          ...{ id: "bad", type: "Paid", schemaVersion: 1, createdAt: "2026-01-01T00:00:00.000Z" },
          ...{ metadata: '{"correlationId":"c","causationId":"b"}', tags: [], published: false },
        };
        await driver.append([{
          tenantId: "",
          writes: [{ ...written, expectedVersion: "any", events: [{ ...event, ...broken }] }],
        }]);
        const store = new EventStore(driver, { events: [Placed, Paid] });
        const inspector = inspect(store, { aggregates });
        const { events: shown } = await inspector.log();
        const texts = shown.map(({ event, problem }) => event?.type ?? problem?.code);
        assert.deepEqual(texts, ["CORRUPT_EVENT", "UNKNOWN_EVENT_TYPE", "Placed"]);
        assert.deepEqual(shown[0]!.stored.data, { cents: "x" });
        assert.equal(shown[1]!.stored.type, "Noted");
        assert.match(shown[0]!.problem!.message, /data does not decode.*: TypeError: /);
        assert.deepEqual(await inspector.event("bad"), shown[0]);
        const trace = await inspector.trace("c");
        assert.equal(trace!.roots[0]!.problem!.code, "CORRUPT_EVENT");
        const state = await inspector.state("order:1");
        assert.deepEqual([state!.version, state!.state], [3, undefined]);
        assert.equal(state!.problem!.code, "UNKNOWN_EVENT_TYPE");
        const [{ problem, version } = assert.fail()] = [
          await inspector.state("order:1", { version: 1 }),
        ];
        assert.deepEqual([problem, version], [undefined, 1]);
        // A store without any code of the application reads everything.
        const bare = inspect(new EventStore(driver, { events: [], unknownEvents: "keep" }));
        const kept = await bare.log({ types: ["Placed"] });
        assert.deepEqual(kept.events.map(({ event }) => event?.type), ["?Placed"]);
      }),
    );

    it(
      "streams() and touched() list by id and by the newest event",
      on(async (driver) => {
        const store = new EventStore(driver, { events });
        const inspector = inspect(store);
        assert.deepEqual(await inspector.streams(), { streams: [], complete: true });
        assert.deepEqual(await inspector.touched(), { streams: [], searchedTo: 1, complete: true });
        for (const id of ["order:2", "order:1", "cart:1", "order:10"]) {
          await store.append(id, Noted());
        }
        await store.append("order:2", Noted());
        const list = async (search: object) => {
          const { streams, complete } = await inspector.streams(search);
          return [...streams.map(({ streamId }) => streamId), complete];
        };
        assert.deepEqual(await list({ prefix: "order:1" }), ["order:1", "order:10", true]);
        assert.deepEqual(await list({ limit: 2 }), ["cart:1", "order:1", false]);
        assert.deepEqual(await list({ after: "order:1", limit: 3 }), ["order:10", "order:2", true]);
        const { streams, complete } = await inspector.touched();
        assert.deepEqual(
          streams.map(({ streamId, version, type }) => [streamId, version, type]),
          [
            ["order:2", 2, "Noted"],
            ...["order:10", "cart:1", "order:1"].map((id) => [id, 1, "Noted"]),
          ],
        );
        assert.equal(complete, true);
        const all = await collected(store);
        const two = await inspector.touched({ limit: 2 });
        assert.deepEqual([two.streams.length, two.complete], [2, false]);
        assert.equal(two.searchedTo, all[3]!.position);
        const few = await inspector.touched({ budget: 3 });
        assert.deepEqual([few.streams.length, few.searchedTo], [3, all[2]!.position]);
        const short = await inspect(store, { budget: 1 }).touched();
        assert.deepEqual([short.streams.length, short.complete], [1, false]);
      }),
    );

    it(
      "trace() and caused() show what an event has led to",
      on(async (driver) => {
        const store = new EventStore(driver, { events });
        const flow = (id: string, causationId?: string) =>
          Noted(undefined, { id, metadata: { correlationId: "a", causationId } });
        await store.append("1", flow("a"));
        await store.append("2", [flow("b", "a"), flow("c", "b"), flow("d", "a"), flow("e", "d")]);
        const inspector = inspect(store);
        assert.equal(await inspector.trace("b"), undefined);
        const all = await inspector.trace("a");
        assert.deepEqual(tree(all!.roots), [["a", ["b", ["c"]], ["d", ["e"]]]]);
        assert.deepEqual([all!.events, all!.complete, all!.correlationId], [5, true, "a"]);
        const part = await inspector.trace("a", { limit: 3 });
        assert.deepEqual([tree(part!.roots), part!.complete], [[["a", ["b", ["c"]]]], false]);
        const rest = await inspector.trace("a", { after: part!.searchedTo });
        assert.deepEqual([tree(rest!.roots), rest!.complete], [[["d", ["e"]]], true]);
        const effects = await inspector.caused("a");
        assert.deepEqual([ids(effects!.events), effects!.complete], [["b", "d"], true]);
        const one = await inspector.caused("a", { limit: 2 });
        assert.deepEqual([ids(one!.events), one!.complete], [["b"], false]);
        const more = await inspector.caused("a", { after: one!.searchedTo });
        assert.deepEqual(ids(more!.events), ["d"]);
        assert.deepEqual(ids((await inspector.caused("b"))!.events), ["c"]);
        assert.equal(await inspector.caused("z"), undefined);
      }),
    );

    it(
      "state() and diff() show a stream as it was",
      on(async (driver) => {
        const store = new EventStore(driver, { events });
        const day = (date: number) => new Date(Date.UTC(2026, 0, date));
        for (const category of Object.keys(aggregates)) {
          await store.append(`${category}:1`, [
            Placed({ customer: "ada" }, { createdAt: day(1) }),
            Paid({ cents: 150 }, { createdAt: day(2) }),
            Paid({ cents: 50 }, { createdAt: day(3) }),
          ]);
        }
        const inspector = inspect(store, { aggregates });
        const show = async (...args: Parameters<typeof inspector.state>) => {
          const found = await inspector.state(...args);
          return found && [found.version, found.state, found.problem?.message];
        };
        assert.equal(await show("order:2"), undefined);
        const order = (total: string) => ({ customer: "ada", total });
        assert.deepEqual(await show("order:1"), [3, order("2.00"), undefined]);
        assert.deepEqual(await show("order:1", { version: 2 }), [2, order("1.50"), undefined]);
        assert.deepEqual(await show("order:1", { version: 9 }), [3, order("2.00"), undefined]);
        assert.deepEqual(await show("order:1", { at: day(1) }), [1, order("0.00"), undefined]);
        assert.deepEqual(await show("order:1", { at: new Date(0) }), [0, undefined, undefined]);
        assert.deepEqual(await show("counter:1", { version: 2 }), [2, { count: 2 }, undefined]);
        assert.deepEqual(await show("order:1", { version: 0 }), [0, undefined, undefined]);
        assert.deepEqual(await show("counter:1", { version: 0 }), [0, undefined, undefined]);
        assert.deepEqual(await show("list:1", { at: day(2) }), [2, ["Placed", "Paid"], undefined]);
        assert.match(String((await show("secret:1"))?.[2]), /Secret keeps its state private/);
        await store.append("other:1", Noted());
        assert.match(String((await show("other:1"))?.[2]), /nothing for the category "other"/);
        const short = inspect(store, { aggregates, budget: 2 });
        assert.match(
          String((await short.state("order:1"))?.problem?.message),
          /above the budget of 2/,
        );
        assert.equal((await short.state("order:1", { version: 2 }))?.problem, undefined);

        const diff = await inspector.diff("order:1", 1, 3);
        assert.deepEqual(diff!.lines.map(({ kind, text }) => `${kind} ${text.trim()}`), [
          ...["same {", 'same "customer": "ada",'],
          ...['removed "total": "0.00"', 'added "total": "2.00"', "same }"],
        ]);
        assert.equal((await inspector.diff("counter:1", 0, 1))!.lines[0]!.kind, "added");
        assert.equal((await inspector.diff("secret:1", 0, 1))!.complete, false);
        assert.equal(await inspector.diff("order:2", 0, 1), undefined);
      }),
    );

    it(
      "rate() measures how fast the log grew, and positionAt() finds an instant",
      on(async (driver) => {
        const store = new EventStore(driver, { events });
        const inspector = inspect(store);
        const minute = (at: number) => new Date(Date.UTC(2026, 0, 1) + at * 60_000);
        const window = { since: minute(0), until: minute(100) };
        const idle = [{ ...window, events: 0, perSecond: 0 }];
        assert.deepEqual(await inspector.rate(window), idle);
        // One event a minute, then ten a minute.
        for (let at = 0; at < 50; at++) {
          await store.append("s", Noted(undefined, { createdAt: minute(at + 0.5) }));
        }
        for (let at = 50; at < 60; at++) {
          const times = Array.from({ length: 10 }, (_, index) => minute(at + index / 10));
          await store.append("s", times.map((createdAt) => Noted(undefined, { createdAt })));
        }
        assert.equal(await inspector.position(), await store.position());
        const all = await collected(store);
        assert.equal(await inspector.positionAt(minute(50)), all[50]!.position);
        const parts = await inspector.rate({ ...window, buckets: 15 });
        assert.ok(parts.length <= 16);
        assert.equal(parts.reduce((sum, { events }) => sum + events, 0), all.at(-1)!.position);
        for (const [index, { since, until }] of parts.entries()) {
          assert.ok(until > since);
          assert.equal(+since, +(parts[index - 1]?.until ?? minute(0)));
        }
        assert.equal(+parts.at(-1)!.until, +minute(100));
        const slow = parts.filter(({ until }) => until < minute(49));
        const fast = parts.filter(({ since, until }) => since > minute(50) && until < minute(60));
        for (const { perSecond } of slow) assert.ok(perSecond * 60 < 1.5, `${perSecond}`);
        for (const { perSecond } of fast) assert.ok(perSecond * 60 > 9, `${perSecond}`);
        assert.ok(slow.length > 2 && fast.length > 5);
        assert.deepEqual(await inspector.rate({ since: minute(9), until: minute(8) }), []);
        // Events with the times of others: each part still ends after it begins, and none is lost.
        const times = [30, 30, 5, 70, 65, 70, 90, 20].map(minute);
        await store.append("s", times.map((createdAt) => Noted(undefined, { createdAt })));
        const mixed = await inspector.rate({ ...window, buckets: 1000 });
        assert.equal(mixed.reduce((sum, { events }) => sum + events, 0), await store.position());
        for (const { since, until, events, perSecond } of mixed) {
          assert.ok(until > since && events >= 0 && Number.isFinite(perSecond));
        }
        const [one] = await inspector.rate({ since: minute(10), until: minute(20), buckets: 1 });
        assert.equal(one!.events, 10);
      }),
    );

    it(
      "types() counts the newest, and catalogue() tells of each type",
      on(async (driver) => {
        const store = new EventStore(driver, { events });
        const day = (date: number) => ({ createdAt: new Date(Date.UTC(2026, 0, date)) });
        assert.deepEqual(await inspect(store).types(), {
          ...{ types: [], searchedTo: 1, complete: true, head: 0 },
        });
        await store.append("order:1", [
          Placed({ customer: "ada" }, day(1)),
          ...Array.from({ length: 30 }, (_, index) => Noted(undefined, day(index + 2))),
          Paid({ cents: 1 }, day(40)),
          Paid({ cents: 2 }, day(41)),
        ]);
        await store.scope({ tenantId: "t" }).append("order:1", Noted());
        const all = await collected(store);
        const at = (index: number) => all.at(index)!.position;
        const head = at(-1);
        const inspector = inspect(store);
        const counted = await inspector.types();
        const texts = counted.types.map(({ type, events }) => `${type} ${events}`);
        assert.deepEqual(texts, ["Noted 31", "Paid 2", "Placed 1"]);
        assert.deepEqual(counted.types[1], {
          ...{ type: "Paid", events: 2, versions: [{ version: 1, events: 2 }] },
          ...{ position: at(-2), lastAt: day(41).createdAt },
        });
        assert.deepEqual([counted.complete, counted.searchedTo, counted.head], [true, 1, head]);
        const few = await inspector.types({ within: 2 });
        assert.deepEqual(few.types.map(({ type, events }) => `${type} ${events}`), [
          ...["Noted 1", "Paid 1"],
        ]);
        assert.deepEqual([few.complete, few.searchedTo], [false, head - 1]);
        assert.equal((await inspect(store, { budget: 3 }).types()).searchedTo, head - 2);
        const tenant = await inspect(store.scope({ tenantId: "t" })).types();
        assert.deepEqual(tenant.types.map(({ events }) => events), [1]);

        await new Subscription(store, { name: "mails", types: ["Paid"], handler() {} }).runOnce();
        await new Outbox(store, { publisher() {} }).runOnce();
        const { types, ...rest } = await inspector.catalogue();
        assert.deepEqual(rest, { unknown: [], sampled: head, complete: true, head });
        assert.deepEqual(types.map(({ type, about }) => `${type} ${about}`), [
          ...["Noted 31", "Paid 2", "Placed 1"],
        ]);
        const [, paid, placed] = types;
        assert.deepEqual(paid!.consumers.map(({ name }) => name), ["mails", "outbox"]);
        assert.deepEqual(placed!.consumers.map(({ name }) => name), ["outbox"]);
        assert.deepEqual(paid!.example!.event!.data, { cents: 2 });
        assert.deepEqual([paid!.lastAt, placed!.tagged], [day(41).createdAt, true]);

        // Of a longer log, it counts parts of which one is the newest, and looks for each type within the budget.
        const short = await inspect(store, { budget: 10 }).catalogue();
        assert.deepEqual([short.complete, short.sampled], [false, 10]);
        const known = Object.fromEntries(short.types.map((found) => [found.type, found]));
        assert.ok(known["Noted"]!.about > 20 && known["Noted"]!.about <= head);
        assert.equal(known["Paid"]!.lastAt?.getTime(), +day(41).createdAt, "not in the sample");
        assert.deepEqual([known["Placed"]!.lastAt, known["Placed"]!.example], [
          ...[undefined, undefined],
        ]);
        // A store that knows less.
        const bare = inspect(new EventStore(driver, { events: [Paid], retired: ["Placed"] }));
        const { unknown } = await bare.catalogue();
        assert.deepEqual(unknown.map(({ type, about, retired }) => [type, about, retired]), [
          ...[["Noted", 31, false], ["Placed", 1, true]],
        ]);
      }),
    );

    it(
      "deliveries() tells what became of an event at each consumer that takes it",
      on(async (driver) => {
        const store = new EventStore(driver, { events });
        const inspector = inspect(store);
        const states = async (streamId: string, version: number, tenantId?: string) => {
          const scoped = tenantId === undefined ? store : store.scope({ tenantId });
          const { events: [found] } = (await inspect(scoped)
            .stream(streamId, { from: version, to: version }))!;
          const deliveries = await inspector.deliveries(found!.stored);
          return deliveries.map(({ consumer, consumerTenantId, state, parking }) =>
            [consumerTenantId ?? "", consumer, state, parking?.position ?? 0].join(" ")
          );
        };
        await store.append("order:a", [Noted(), Paid({ cents: 1 }), Noted()]);
        await store.append("order:b", Noted());
        await store.publish("item:c", Noted());
        assert.deepEqual(await states("order:a", 1), []);
        const at = async (streamId: string, version: number) =>
          (await inspector.stream(streamId, { from: version }))!.events[0]!.stored.position;
        const first = await at("order:a", 1);

        const failing = (error: unknown) => (event: { streamId: string }) => {
          if (event.streamId === "order:a") throw error;
        };
        const make = (name: string, options: object = {}, scope = store) =>
          new Subscription(scope, { name, handler() {}, ...options });
        const consumers = [
          make("all"),
          make("paid", { types: ["Paid"] }),
          make("items", { categories: ["item"] }),
          make("picky", { handler: failing(new PermanentError("no")) }),
          make("patient", { handler: failing(new Error("away")), retry: { minDelay: 60_000 } }),
          make("late", { from: "now" }),
          make("tenants", {}, store.scope({ tenantId: "t" })),
          new Outbox(store, { publisher() {} }),
        ];
        for (const consumer of consumers) await consumer.runOnce();
        await store.append("order:b", Noted());
        await make("slow").runOnce();
        await store.append("order:b", Noted());

        assert.deepEqual(await states("order:a", 1), [
          " all handled 0",
          " late handled 0",
          ` patient retrying ${first}`,
          ` picky parked ${first}`,
          " slow handled 0",
        ]);
        assert.deepEqual(await states("order:a", 2), [
          " all handled 0",
          " late handled 0",
          " paid handled 0",
          ` patient held up ${first}`,
          ` picky held up ${first}`,
          " slow handled 0",
        ]);
        assert.deepEqual(await states("item:c", 1), [
          ...[" all handled 0", " items handled 0", " late handled 0", " outbox handled 0"],
          ...[" patient handled 0", " picky handled 0", " slow handled 0"],
        ]);
        assert.deepEqual(await states("order:b", 2), [
          " all to come 0",
          " late to come 0",
          " patient to come 0",
          " picky to come 0",
          " slow handled 0",
        ]);
        await store.scope({ tenantId: "t" }).append("order:a", Noted());
        assert.deepEqual((await states("order:a", 1, "t")).at(-1), "t tenants to come 0");

        // Each lane is as far as it is.
        await make("lanes", { lanes: 2, from: "now" }).runOnce();
        const lane = slotOf("", "order:b") % 2;
        const key = { scope: "all", name: "lanes", version: 1, lane };
        await store.append("order:b", Noted());
        const { epoch } = (await driver.checkpoints!.claim(key, "a", 60_000))!;
        const position = await driver.settled();
        const none = { parked: [], deferred: [], released: [] };
        const passed = { position, lease: undefined, stalled: false, recovered: false, ...none };
        await driver.checkpoints!.advance(key, epoch, passed);
        assert.ok((await states("order:b", 4)).includes(" lanes handled 0"));
        await assert.rejects(inspector.deliveries(undefined as never), TypeError);
      }),
    );

    it(
      "consumers() says how they are, and parked() what waits for a person",
      on(async (driver) => {
        const store = new EventStore(driver, { events });
        const old = { createdAt: new Date(Date.now() - 3600_000) };
        const inspector = inspect(store);
        assert.deepEqual(await inspector.consumers(), []);
        assert.deepEqual(await inspector.parked(), { streams: [], next: undefined });
        const known = (name: string, options: object = {}) =>
          new Subscription(store, { name, handler() {}, ...options });
        await known("idle", { types: ["Paid"] }).runOnce();
        await known("idle-lanes", { types: ["Paid"], lanes: 2 }).runOnce();
        for (const stream of ["b", "a", "c"]) {
          await store.append(`order:${stream}`, Noted(undefined, old));
        }
        const refuse = () => Promise.reject(new PermanentError("no"));
        await known("picky", { handler: refuse }).runOnce();
        await new Outbox(store, { publisher() {} }).runOnce();
        await known("failing", { handler: () => Promise.reject(new Error("away")) }).runOnce();
        const tenant = store.scope({ tenantId: "t" });
        await tenant.append("order:z", Noted(undefined, old));
        await new Subscription(tenant, { name: "picky", handler: refuse }).runOnce();

        const words = async () =>
          Object.fromEntries(
            (await inspector.consumers()).map((
              { tenantId = "", name, health },
            ) => [`${tenantId}${name}`, health]),
          );
        const { idle, picky, tpicky, outbox, ...rest } = await words();
        assert.deepEqual(
          [idle, rest["idle-lanes"], picky, tpicky, outbox],
          ["up to date", "up to date", "needs you", "needs you", "up to date"],
        );
        const later = new Date(+old.createdAt + 1);
        const laneOf = (stream: string) => slotOf("", stream) % 2;
        const [first, second] = ["order:a", "order:b"].sort((a, b) => laneOf(a) - laneOf(b));
        assert.deepEqual([laneOf(first!), laneOf(second!)], [0, 1]);
        await store.append(first!, Paid({ cents: 1 }, old));
        await store.append(second!, Paid({ cents: 1 }, { createdAt: later }));
        const [late] = (await inspector.consumers()).filter(({ name }) => name === "idle");
        assert.equal(late!.health, "nobody runs it");
        assert.deepEqual(late!.oldest, old.createdAt);
        assert.ok(late!.age >= 3600_000 && late!.lag === late!.head - late!.position);
        const both = (await inspector.consumers()).find(({ name }) => name === "idle-lanes")!;
        assert.deepEqual(both.oldest, old.createdAt, "of the lane that is furthest behind");
        const lane = {
          scope: "all",
          name: "idle-lanes",
          version: 1,
          lane: 0,
        };
        const { epoch } = (await driver.checkpoints!.claim(lane, "a", 60_000))!;
        const passed = { position: both.head, lease: undefined, stalled: false, recovered: false };
        const none = { parked: [], deferred: [], released: [] };
        await driver.checkpoints!.advance(lane, epoch, { ...passed, ...none });
        const other = (await inspector.consumers()).find(({ name }) => name === "idle-lanes")!;
        assert.deepEqual(other.oldest, later, "of the other lane");
        const patient = await inspect(store, { maxAge: 7200_000 }).consumers();
        assert.equal(patient.find(({ name }) => name === "idle-lanes")!.health, "catching up");
        const short = await inspect(store, { budget: 1 }).consumers();
        const unsure = short.find(({ name }) => name === "idle")!;
        assert.deepEqual([unsure.oldest, unsure.health], [undefined, "catching up"]);
        assert.equal(unsure.searchedTo, unsure.position + 1);
        const key = { scope: "all", name: "idle", version: 1 };
        await driver.checkpoints!.due([key]);
        assert.equal((await words())["idle"], "behind");
        await driver.checkpoints!.setFailure!(key, { code: "FILTER_MISMATCH", message: "m" });
        assert.equal((await words())["idle"], "misconfigured");

        const place = ({ consumer, tenantId, streamId }: InspectedParking) =>
          [consumer, tenantId, streamId].join();
        const parkedOf = async (search: ParkedSearch) =>
          (await inspector.parked(search)).streams.map(place);
        const all = await parkedOf({});
        assert.equal(all.length, 7);
        for (const consumer of [undefined, { name: "failing" }]) {
          for (const limit of [1, 2, 3, 4, 6, 7]) {
            const found: string[] = [];
            let after: ParkedCursor | undefined;
            do {
              const { streams, next } = await inspector.parked({ limit, after, consumer });
              found.push(...streams.map(place));
              after = next && JSON.parse(JSON.stringify(next));
            } while (after !== undefined);
            assert.deepEqual(found, await parkedOf({ consumer }), `${limit} at a time`);
          }
        }
        const own = ["a", "b", "c"].map((id) => `picky,,order:${id}`);
        assert.deepEqual(await parkedOf({ consumer: { name: "picky" } }), [
          ...own,
          "picky,t,order:z",
        ]);
        assert.deepEqual(await parkedOf({ consumer: { name: "picky", version: 2 } }), []);
        const [one] = (await inspect(tenant).parked()).streams;
        assert.deepEqual([one!.consumerTenantId, one!.dueAt, one!.attempts], [
          "t",
          undefined,
          1,
        ]);
        assert.match(one!.error!, /no/);
        assert.ok(Math.abs(+one!.failedAt - Date.now()) < 60_000);
      }),
    );
  });
}

async function collected<E>(
  store: { readonly readAll: () => AsyncIterable<E> },
): Promise<readonly E[]> {
  const found: E[] = [];
  for await (const event of store.readAll()) found.push(event);
  return found;
}

function ids(found: readonly InspectedEvent[]): readonly string[] {
  return found.map(({ stored }) => stored.id);
}

type Tree = readonly [id: string, ...Tree[]];

function tree(nodes: readonly InspectedNode[]): readonly Tree[] {
  return nodes.map(({ stored, effects }): Tree => [stored.id, ...tree(effects)]);
}
