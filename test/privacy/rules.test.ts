// The rules of sealed fields, one by one, on a store in memory.
import {
  Aggregate,
  decider,
  defineEvent,
  type Driver,
  type EventOf,
  EventStore,
  importEvents,
  isEventSourceryError,
  Outbox,
  Projection,
  Repository,
  type Sensitive,
  type StoredEvent,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import {
  aesKeyWrapper,
  type KeyStore,
  type KeyWrapper,
  SubjectForgotten,
  type SubjectKey,
  subjectKeys,
  type SubjectKeysOptions,
} from "event-sourcery/privacy";
import fakeTimers from "@sinonjs/fake-timers";
import assert from "node:assert/strict";
import { test } from "node:test";
import { gate } from "../support/gate.ts";

interface Person {
  id: string;
  email: string | null;
  phone?: string | null;
}

const Registered = defineEvent<Person>()("Registered", {
  sensitive: { subject: ({ id }) => id, fields: { email: null, phone: "none" } },
});
const Moved = defineEvent<{ id: string; address: { street: string; zip: string } | null }>()(
  "Moved",
  { sensitive: { subject: ({ id }) => id, fields: { "address.street": "[gone]" } } },
);
const Noted = defineEvent<number>()("Noted");
const events = [Registered, Moved, Noted, SubjectForgotten] as const;

const ada = { id: "u-1", email: "ada@example.org" };
const bob = { id: "u-2", email: "bob@example.org" };

function storeOn(driver: Driver = memory(), options?: SubjectKeysOptions) {
  return new EventStore(driver, { events, keys: subjectKeys(options) });
}

async function stored(driver: Driver, streamId: string): Promise<readonly StoredEvent[]> {
  const range = { from: 1, to: 1000, limit: 1000, backwards: false };
  return (await driver.load({ tenantId: "", streamId, ...range })).events;
}

const dataOf = (list: readonly { readonly data: unknown }[]) => list.map(({ data }) => data);

/** Keys in a map, for a store of one's own. */
class Vault implements KeyStore {
  readonly rows: Map<string, SubjectKey & { at?: Date }> = new Map();
  asked = 0;
  down = false;
  #check() {
    this.asked++;
    if (this.down) throw new Error("the vault is sealed");
  }
  async current(tenantId: string, subjects: readonly string[]) {
    this.#check();
    return subjects.map((subject) => {
      const name = `${tenantId}/${subject}`;
      const row = this.rows.get(name) ??
        { id: `${name} 1.2`, subject, key: crypto.getRandomValues(new Uint8Array(32)) };
      this.rows.set(name, row);
      return row;
    });
  }
  async find(ids: readonly string[]) {
    this.#check();
    return [...this.rows.values()].filter(({ id }) => ids.includes(id));
  }
  async forget(tenantId: string, subject: string) {
    this.#check();
    const name = `${tenantId}/${subject}`;
    const row = this.rows.get(name);
    const at = row?.at ?? new Date();
    this.rows.set(name, { id: row?.id ?? `${name} 1.2`, subject, key: undefined, at });
    return { at, keys: row?.key ? 1 : 0 };
  }
  async forgotten(tenantId: string, subject: string) {
    return this.rows.get(`${tenantId}/${subject}`)?.at;
  }
}

test("sensitive fields that are malformed are refused where the event type is made", () => {
  const define = (sensitive: unknown) => () =>
    defineEvent<Person>()("Odd", { sensitive: sensitive as Sensitive<Person> });
  const subject = () => "u";
  for (
    const wrong of [
      ...[null, 5, "email", () => 5].filter(Boolean),
      ...[{ fields: {} }, { subject }, { subject, fields: [] }, { subject: "u", fields: {} }],
      { subject, fields: { email: null }, mask: null },
      { subject, fields: { "": 1 } },
      { subject, fields: { "a..b": 1 } },
      { subject, fields: { a: 1, "a.b": 1 } },
      { subject, fields: { "a.*.c": 1, "a.b": 1 } },
      [{ subject, fields: { a: 1 } }, { subject, fields: { a: 1 } }],
      [{ subject, fields: { a: 1 } }, { subject, fields: { "*": 1 } }],
    ]
  ) assert.throws(define(wrong), TypeError, JSON.stringify(wrong));
  assert.throws(define({ subject, fields: { email: () => 5 } }), { code: "INVALID_EVENT" });
  define([{ subject, fields: { "a.b": 1, "a.c": 2 } }, { subject, fields: { "b.*.c": 1 } }])();
});

test("a store of sensitive fields needs keys, and takes only real ones", () => {
  const make = (keys: unknown) => () =>
    new EventStore(memory(), { events: [Registered], keys: keys as "mask" });
  assert.throws(make(undefined), /TypeError: keys must be given/);
  for (const wrong of ["reveal", {}, () => {}, 5, null]) {
    assert.throws(make(wrong), /TypeError: keys must be/, String(wrong));
  }
  make("mask")();
});

test("options of subjectKeys() are checked", () => {
  const wrong = (options: unknown) => () => subjectKeys(options as SubjectKeysOptions);
  for (
    const [options, error] of [
      [5, TypeError],
      [{ maxAge: -1 }, RangeError],
      [{ max: 0 }, RangeError],
      [{ wrappers: {} }, TypeError],
      [{ wrappers: [{ id: "a" }] }, TypeError],
      [{ store: {} }, TypeError],
      [{ store: new Vault(), wrappers: [{ id: "a", wrap() {}, unwrap() {} }] }, TypeError],
    ] as const
  ) assert.throws(wrong(options), error);
});

test("an event that cannot be sealed is refused, and nothing is stored", async () => {
  const refused = [
    Registered({ ...ada, id: "" }),
    Registered({ ...ada, id: "x".repeat(501) }),
    Registered({ ...ada, id: undefined as never }),
    Moved({ id: "u", address: "street" as never }),
    Moved({ id: "u", address: new Map() as never }),
  ];
  const store = storeOn();
  for (const event of refused) {
    await assert.rejects(store.append("s", [Noted(1), event]), (error: unknown) => {
      assert.ok(isEventSourceryError(error, "INVALID_EVENT"));
      assert.ok(!error.message.includes("example.org"));
      return true;
    });
  }
  assert.equal(await store.version("s"), 0);
});

test("a field that is missing, or behind null, seals nothing, and needs no subject", async () => {
  const driver = memory();
  const store = storeOn(driver);
  const open = { id: undefined as never, address: null };
  await store.append("s", [Moved(open), Moved({ id: "u-1", address: { street: "1", zip: "2" } })]);
  const [first, second] = await stored(driver, "s");
  assert.deepEqual([first!.codec?.["sealed"], first!.data], [undefined, {
    id: null,
    address: null,
  }]);
  assert.deepEqual(second!.data, { id: "u-1", address: { street: "[gone]", zip: "2" } });
});

test("tags and subjects that read a sensitive field are refused, in every way of reading", () => {
  const ways: ((data: Person) => unknown)[] = [
    (data) => data.email,
    (data) => ({ ...data }),
    (data) => JSON.stringify(data),
    (data) => Object.values(data),
    (data) => structuredClone(data),
  ];
  for (const way of ways) {
    const Tagged = defineEvent<Person>()("Tagged", {
      sensitive: { subject: ({ id }) => id, fields: { email: null, phone: null } },
      tags: (data) => [`t:${way(data)}`],
    });
    assert.throws(() => Tagged({ ...ada, phone: "1" }), /"email" is sensitive/);
    assert.deepEqual(Tagged(ada, { tags: ["own"] }).tags, ["own"]);
  }
  const Tagged = defineEvent<Person>()("Tagged", {
    sensitive: { subject: ({ id }) => id, fields: { email: null } },
    tags: ({ id }) => [`user:${id}`],
  });
  assert.deepEqual(Tagged(ada).tags, ["user:u-1"]);
});

test("a subject that depends on a sensitive field is refused", async () => {
  const Odd = defineEvent<Person>()("Odd", {
    sensitive: { subject: ({ email }) => email!, fields: { email: null } },
  });
  const store = new EventStore(memory(), { events: [Odd], keys: subjectKeys() });
  await assert.rejects(store.append("s", Odd(ada)), /TypeError: "email" is sensitive/);
  assert.equal(await store.version("s"), 0);
});

test("each subject of an event has its own seal: forgetting one leaves the other", async () => {
  const Paid = defineEvent<
    { from: string; to: string; iban: string; target: string; why: string }
  >()(
    "Paid",
    {
      sensitive: [
        { subject: ({ from }) => from, fields: { iban: "[iban]" } },
        { subject: ({ to }) => to, fields: { target: "[target]" } },
        { subject: ({ from }) => from, fields: { why: "[why]" } },
      ],
    },
  );
  const driver = memory();
  const store = new EventStore(driver, { events: [Paid], keys: subjectKeys() });
  const data = { from: "u-1", to: "u-2", iban: "DE1", target: "DE2", why: "rent" };
  await store.append("s", [Paid(data), Paid({ ...data, to: "u-1" })]);
  assert.equal((await stored(driver, "s"))[0]!.codec?.["sealed"]?.split(" ").length, 2);
  await store.forget("u-1");
  const gone = { ...data, iban: "[iban]", why: "[why]" };
  assert.deepEqual(dataOf(await store.load("s")), [gone, {
    ...gone,
    to: "u-1",
    target: "[target]",
  }]);
  const { events: [late] } = await store.append("s", Paid(data));
  assert.deepEqual(late.data, gone);
  await store.forget("u-2");
  assert.deepEqual(dataOf(await store.load("s"))[0], { ...gone, target: "[target]" });
});

test("a sealed text that was moved or changed does not open", async () => {
  const driver = memory();
  const store = storeOn(driver);
  await store.append("a", Registered(ada));
  const [row] = await stored(driver, "a");
  const { tenantId: _, streamId: __, version: ___, position: ____, ...rest } = row!;
  const other = (await (await store.append("b", Noted(1)), stored(driver, "b")))[0]!;
  const write = async (streamId: string, changes: object, tenantId = "") => {
    const event = {
      ...{ ...other, ...rest, imported: false, createdAt: new Date(row!.createdAt).toISOString() },
      ...{ data: JSON.stringify(row!.data), metadata: "{}", codec: JSON.stringify(row!.codec) },
      id: crypto.randomUUID(),
      ...changes,
    };
    const slot = 1;
    const writes = [{
      streamId,
      category: "",
      slot,
      expectedVersion: "any" as const,
      events: [event],
    }];
    await driver.append([{ tenantId, writes }]);
    return await new EventStore(driver, { events, keys: subjectKeys() })
      .scope({ tenantId }).load(streamId).then(() => "opened", ({ code }) => code);
  };
  const [part] = row!.codec!["sealed"]!.split(" ");
  const flipped = part!.replace(/.$/, (last) => last === "A" ? "B" : "A").replace(/=$/, "");
  assert.deepEqual(
    [
      await write("c", {}),
      await write("d", { id: row!.id }, "acme"),
      await write("e", { type: "Moved" }),
      await write("f", { codec: JSON.stringify({ sealed: flipped.slice(0, -8) + "AAAAAAAA" }) }),
      await write("g", { codec: JSON.stringify({ sealed: "nonsense" }) }),
    ].map((code) => code),
    ["CORRUPT_EVENT", "CORRUPT_EVENT", "CORRUPT_EVENT", "CORRUPT_EVENT", "KEY_UNAVAILABLE"],
  );
  assert.deepEqual(dataOf(await store.load("a")), [ada]);
});

test("aliases and upcasters see what was sealed, or the mask that was stored", async () => {
  const driver = memory();
  const Old = defineEvent<{ id: string; mail: string }>()("Old", {
    sensitive: { subject: ({ id }) => id, fields: { mail: "[v1]" } },
  });
  const before = new EventStore(driver, { events: [Old], keys: subjectKeys() });
  await before.append("s", [Old({ id: "u-1", mail: "a@b" }), Old({ id: "u-2", mail: "c@d" })]);
  await before.forget("u-2");
  const seen: unknown[] = [];
  const New = defineEvent<Person>()("New", {
    aliases: ["Old"],
    upcast: [(data) => {
      seen.push(data);
      const { id, mail } = data as { id: string; mail: string };
      return { id, email: mail };
    }],
    sensitive: { subject: ({ id }) => id, fields: { email: "[v2]" } },
  });
  const store = new EventStore(driver, { events: [New], keys: subjectKeys() });
  const read = dataOf(await store.load("s"));
  assert.deepEqual(read, [{ id: "u-1", email: "a@b" }, { id: "u-2", email: "[v1]" }]);
  assert.deepEqual(seen, [{ id: "u-1", mail: "a@b" }, { id: "u-2", mail: "[v1]" }]);
});

test("a key that cannot be had is never a mask", async () => {
  const driver = memory();
  await storeOn(driver).append("s", [Noted(1), Registered(ada)]);
  const plain = new EventStore(driver, { events: [Noted], unknownEvents: "keep" });
  await assert.rejects(plain.load("s"), { code: "KEY_UNAVAILABLE", retryable: true });
  await assert.rejects(plain.forget("u-1"), { code: "UNSUPPORTED" });
  await assert.rejects(plain.forgotten("u-1"), { code: "UNSUPPORTED" });
  const others = new EventStore(driver, { events, keys: subjectKeys({ store: new Vault() }) });
  await assert.rejects(others.load("s"), { code: "KEY_UNAVAILABLE" });
  const seen: number[] = [];
  for await (const { version } of others.read("s", { to: 1 })) seen.push(version);
  assert.deepEqual(seen, [1]);
});

test('keys: "mask" never opens, and appends nothing sensitive', async () => {
  const driver = memory();
  await storeOn(driver).append("s", Registered(ada));
  const store = new EventStore(driver, { events, keys: "mask" });
  assert.deepEqual(dataOf(await store.load("s")), [{ id: "u-1", email: null }]);
  await assert.rejects(store.append("s", Registered(ada)), { code: "UNSUPPORTED" });
  await assert.rejects(store.forget("u-1"), { code: "UNSUPPORTED" });
  await store.append("s", Noted(1));
  assert.equal(await store.version("s"), 2);
});

test("a store of keys of one's own is asked once a page, and its outage stores nothing", async () => {
  const vault = new Vault();
  const driver = memory();
  const store = storeOn(driver, { store: vault });
  await store.append("s", [ada, bob, ada].map((person) => Registered(person)));
  assert.equal(vault.asked, 1);
  assert.deepEqual(dataOf(await store.load("s")), [ada, bob, ada]);
  assert.equal(vault.asked, 1);
  const again = storeOn(driver, { store: vault, maxAge: 0 });
  assert.deepEqual(dataOf(await again.load("s")), [ada, bob, ada]);
  assert.equal(vault.asked, 2);
  vault.down = true;
  await assert.rejects(again.load("s"), { code: "KEY_UNAVAILABLE" });
  const unknown = Registered({ id: "u-3", email: "x" });
  await assert.rejects(store.append("s", unknown), { code: "KEY_UNAVAILABLE" });
  await assert.rejects(store.forget("u-1"));
  assert.equal(await store.version("s"), 3);
  vault.down = false;
  assert.deepEqual((await store.forget("u-1")).keys, 1);
  assert.deepEqual(dataOf(await again.load("s")), [{ ...ada, email: null }, bob, {
    ...ada,
    email: null,
  }]);
  assert.equal(await store.version("$subject:u-1"), 1);
});

test("another process reads what was forgotten for at most maxAge", async () => {
  const clock = fakeTimers.install({ toFake: ["Date"] });
  try {
    const driver = memory();
    const [here, there] = [storeOn(driver), storeOn(driver, { maxAge: 1000 })];
    await here.append("s", Registered(ada));
    assert.deepEqual(dataOf(await there.load("s")), [ada]);
    await here.forget("u-1");
    const masked = [{ id: "u-1", email: null }];
    assert.deepEqual(dataOf(await here.load("s")), masked);
    clock.tick(999);
    assert.deepEqual(dataOf(await there.load("s")), [ada]);
    clock.tick(1);
    assert.deepEqual(dataOf(await there.load("s")), masked);
  } finally {
    clock.uninstall();
  }
});

test("a key that was looked up before it was destroyed does not come back", async () => {
  const { passed, open } = gate();
  let slow = false;
  const vault = new Vault();
  const find = vault.find.bind(vault);
  vault.find = async (ids) => {
    const rows = await find(ids);
    if (slow) await passed;
    return rows;
  };
  const driver = memory();
  await storeOn(driver, { store: vault }).append("s", Registered(ada));
  const store = storeOn(driver, { store: vault });
  slow = true;
  const reading = store.load("s");
  await new Promise((resolve) => setTimeout(resolve, 5));
  slow = false;
  await store.forget("u-1");
  open();
  assert.deepEqual(dataOf(await reading), [ada]);
  assert.deepEqual(dataOf(await store.load("s")), [{ id: "u-1", email: null }]);
});

test("a page that tells of a forgotten subject opens nothing of it any more", async () => {
  const driver = memory();
  const [here, there] = [storeOn(driver), storeOn(driver)];
  await here.append("s", Registered(ada));
  assert.deepEqual(dataOf(await there.load("s")), [ada]);
  await here.forget("u-1");
  const read = [];
  for await (const { data } of there.readAll()) read.push(data);
  assert.deepEqual(read, [{ id: "u-1", email: null }, { subject: "u-1" }]);
});

test("what a transaction forgets reads as masks in it at once, and as before after a rollback", async () => {
  const driver = memory();
  const store = storeOn(driver);
  await store.append("s", Registered(ada));
  const undone = new RangeError("undone");
  await assert.rejects(
    store.transaction(async ({ store: inner }) => {
      await inner.forget("u-1");
      assert.deepEqual(dataOf(await store.load("s")), [ada]);
      assert.deepEqual(dataOf(await inner.load("s")), [{ id: "u-1", email: null }]);
      assert.deepEqual(dataOf((await inner.append("s", Registered(ada))).events), [{
        id: "u-1",
        email: null,
      }]);
      throw undone;
    }),
    undone,
  );
  assert.equal(await store.forgotten("u-1"), undefined);
  assert.deepEqual(dataOf(await store.load("s")), [ada]);
  const keys = driver.keys!;
  const find = keys.find.bind(keys);
  let asked = 0;
  Object.assign(keys, { find: (ids: readonly string[]) => (asked++, find(ids)) });
  assert.deepEqual(dataOf(await store.load("s")), [ada]);
  assert.equal(asked, 0, "the key is remembered again");
  await store.transaction(async ({ store: inner }) => void await inner.forget("u-1"));
  assert.deepEqual(dataOf(await store.load("s")), [{ id: "u-1", email: null }]);
});

test("forget() leaves a notice once, where the store lists it, and checks its subject", async () => {
  const driver = memory();
  const store = storeOn(driver);
  const { at } = await store.forget("never seen");
  assert.deepEqual(await store.forget("never seen"), { subject: "never seen", at, keys: 0 });
  const [notice, ...others] = await store.load("$subject:never seen");
  assert.deepEqual([notice?.id, notice?.data, others.length], [
    "forgotten:never seen",
    { subject: "never seen" },
    0,
  ]);
  await store.append("s", Registered({ id: "never seen", email: "x" }));
  assert.deepEqual(dataOf(await store.load("s")), [{ id: "never seen", email: null }]);
  const silent = new EventStore(memory(), { events: [Registered], keys: subjectKeys() });
  await silent.forget("u-1");
  assert.deepEqual([...await silent.streams()], []);
  for (const [wrong, error] of [["", RangeError], [5, TypeError], ["x".repeat(501), RangeError]]) {
    await assert.rejects(store.forget(wrong as string), error as typeof RangeError);
  }
  await store.forget("x".repeat(500));
});

test("a tenant's subject is its own", async () => {
  const store = storeOn();
  const acme = store.scope({ tenantId: "acme" });
  for (const one of [store, acme]) await one.append("s", Registered(ada));
  await acme.forget("u-1");
  assert.deepEqual(dataOf(await store.load("s")), [ada]);
  assert.deepEqual(dataOf(await acme.load("s")), [{ id: "u-1", email: null }]);
  assert.equal(await store.forgotten("u-1"), undefined);
  assert.ok(await acme.forgotten("u-1") instanceof Date);
});

test("appends to a stream keep the order of their calls while one is sealed", async () => {
  const store = storeOn();
  const calls = Array.from(
    { length: 30 },
    (_, index) =>
      store.append(
        "s",
        index % 3 === 0 ? Registered({ id: `u-${index}`, email: "x" }) : Noted(index),
      ),
  );
  const results = await Promise.all(calls);
  assert.deepEqual(results.map(({ version }) => version), results.map((_, index) => index + 1));
  const refused = [
    store.append("t", Registered({ ...ada, id: "" })),
    store.append("t", Noted(1)),
    store.append("t", Noted(2)),
  ];
  const [first, second, third] = await Promise.allSettled(refused);
  assert.equal(first!.status, "rejected");
  assert.deepEqual([second, third].map((one) => one!.status), ["fulfilled", "fulfilled"]);
  assert.deepEqual(dataOf(await store.load("t")), [1, 2]);
});

test("the same event appended again is stored once, and comes back as it is", async () => {
  const store = storeOn();
  const event = Registered(ada);
  const first = await store.append("s", event);
  assert.deepEqual(await store.append("s", event), first);
  assert.deepEqual(await store.load("s"), first.events);
  await store.forget("u-1");
  assert.deepEqual(dataOf((await store.append("s", event)).events), [{ id: "u-1", email: null }]);
});

test("handlers, queries, traces and folds see what load() gives", async () => {
  const seen: unknown[] = [];
  const Tagged = defineEvent<Person>()("Tagged", {
    sensitive: { subject: ({ id }) => id, fields: { email: null } },
    tags: ({ id }) => [`user:${id}`],
  });
  const store = new EventStore(memory(), {
    events: [Tagged],
    keys: subjectKeys(),
    subscriptions: { "*": [({ data }) => void seen.push(data)] },
  });
  const read = async () => {
    const { events: [found] } = await store.query({ tags: ["user:u-1"] });
    const trace = await store.trace(found!.metadata.correlationId!);
    const folded = await store.fold("s", [] as unknown[], (state, { data }) => [...state, data]);
    return [found!.data, trace!.roots[0]!.event.data, ...folded];
  };
  await store.append("s", Tagged(ada));
  assert.deepEqual(await read(), [ada, ada, ada]);
  await store.forget("u-1");
  const masked = { id: "u-1", email: null };
  assert.deepEqual(await read(), [masked, masked, masked]);
  await store.append("s", Tagged(ada));
  assert.deepEqual(seen, [ada, masked]);
});

test("an import seals like an append", async () => {
  const driver = memory();
  const store = storeOn(driver);
  const history = [ada, bob].map((person) => ({ streamId: "s", event: Registered(person) }));
  assert.equal((await importEvents(store, history)).imported, 2);
  assert.ok(!JSON.stringify(await stored(driver, "s")).includes("example.org"));
  assert.deepEqual(dataOf(await store.load("s")), [ada, bob]);
});

test("an outbox must say what becomes of sensitive fields", async () => {
  const store = storeOn();
  const publisher = () => {};
  const make = (sensitive?: unknown, on = store) => () =>
    new Outbox(on, { publisher, sensitive: sensitive as "mask" });
  for (const wrong of [undefined, "show", true]) {
    assert.throws(make(wrong), /TypeError: sensitive must be "mask" or "reveal"/);
  }
  const masking = new EventStore(memory(), { events, keys: "mask" });
  assert.throws(make("reveal", masking as never), /TypeError: sensitive must be "mask"/);
  make(undefined, masking as never)();
  await store.publish("s", Registered(ada));
  for (const sensitive of ["mask", "reveal"] as const) {
    const sent: unknown[] = [];
    const publish = ({ data }: { data: unknown }) => void sent.push(data);
    await new Outbox(store, { name: sensitive, sensitive, publisher: publish }).drain();
    assert.deepEqual(sent, [sensitive === "mask" ? { id: "u-1", email: null } : ada]);
  }
});

test("a consumer waits for keys that are away, and counts no attempt against the event", async () => {
  const vault = new Vault();
  const driver = memory();
  const store = storeOn(driver, { store: vault, maxAge: 0 });
  await store.append("s", [Registered(ada), Registered(bob)]);
  const seen: unknown[] = [];
  for (const transaction of [false, true]) {
    const consumer = new Subscription(store, {
      name: `reader ${transaction}`,
      transaction,
      handler: ({ data }) => void seen.push(data),
    });
    vault.down = true;
    await assert.rejects(consumer.runOnce(), { code: "KEY_UNAVAILABLE" });
    assert.deepEqual(await consumer.parked(), []);
    vault.down = false;
    await consumer.runOnce();
  }
  assert.deepEqual(seen, [ada, bob, ada, bob]);
  const other = storeOn(driver, { store: new Vault() });
  const lost = new Subscription(other, { name: "lost", handler() {} });
  await assert.rejects(lost.runOnce(), { code: "KEY_UNAVAILABLE" });
  assert.deepEqual(await lost.parked(), []);
});

test("sealed events of a batch that failed are opened again, one by one", async () => {
  const store = storeOn();
  for (const person of [ada, bob]) await store.publish(person.id, Registered(person));
  const sent: unknown[] = [];
  const outbox = new Outbox(store, {
    sensitive: "reveal",
    publishBatch(batch) {
      if (batch.length > 1) throw new Error("too many");
      sent.push(...dataOf(batch));
    },
  });
  await outbox.drain();
  assert.deepEqual(sent, [ada, bob]);
});

test("what failed on a sealed event is kept without the words of others", async () => {
  const store = storeOn();
  await store.append("s", [Registered(ada)]);
  await store.append("t", [Noted(1)]);
  const consumer = new Subscription(store, {
    name: "reader",
    retry: { minDelay: 60_000 },
    handler: ({ data }) => {
      throw new RangeError(`cannot use ${JSON.stringify(data)}`);
    },
  });
  await consumer.runOnce();
  const errors = (await consumer.parked()).map(({ streamId, error }) => [streamId, error]).sort();
  assert.deepEqual(errors, [["s", "RangeError"], ["t", "RangeError: cannot use 1"]]);
});

test("a projection forgets with its subject, also when it is rebuilt", async () => {
  const emails = new Map<string, string | null>();
  const store = new EventStore(memory({ db: emails }), { events, keys: subjectKeys() });
  const list = new Projection(store, {
    name: "emails",
    handlers: {
      Registered: ({ data }, { db }) => void db.set(data.id, data.email),
      SubjectForgotten: ({ data }, { db }) => void db.delete(data.subject),
    },
    reset: ({ db }) => db.clear(),
  });
  await store.append("s", [Registered(ada), Registered(bob)]);
  await store.forget("u-1");
  await list.drain();
  assert.deepEqual([...emails], [["u-2", bob.email]]);
  await list.rebuild();
  await list.drain();
  assert.deepEqual([...emails], [["u-2", bob.email]]);
});

class Contact extends Aggregate<EventOf<typeof Registered>> {
  static readonly category = "contact";
  emails: (string | null)[] = [];
  protected apply({ data }: EventOf<typeof Registered>): void {
    this.emails.push(data.email);
  }
  protected override snapshot(): unknown {
    return this.emails;
  }
  protected override restore(state: unknown): void {
    this.emails = state as string[];
  }
  register(person: Person): number {
    this.emit(Registered(person));
    return this.emails.length;
  }
}

test("a snapshot is sealed under all keys that went in, and passed over once one is gone", async () => {
  const driver = memory();
  const reports: unknown[] = [];
  const make = () =>
    new EventStore(driver, {
      events,
      keys: subjectKeys(),
      onError: (error) => void reports.push(error),
    });
  const snapshots = { every: 2 };
  const contacts = new Repository(make(), Contact, { snapshots });
  for (const person of [ada, bob, ada, bob, ada]) {
    await contacts.aggregate("1", (contact) => contact.register(person));
  }
  const load = () =>
    driver.snapshots!.load({
      ...{ tenantId: "", streamId: "contact:1", kind: "aggregate", stateVersion: 1 },
      ...{ to: 100, at: undefined, limit: 100 },
    });
  const { snapshot } = await load();
  assert.equal(snapshot?.data, null);
  assert.equal(snapshot?.codec?.["sealed"]?.split(" ").length, 3);
  const { email: a } = ada;
  const { email: b } = bob;
  const fresh = () => new Repository(make(), Contact, { snapshots }).load("1");
  assert.deepEqual((await fresh())?.emails, [a, b, a, b, a]);
  const masking = new EventStore(driver, { events, keys: "mask" });
  const masked = new Repository(masking, Contact, { snapshots: { every: 1 } });
  assert.deepEqual((await masked.load("1"))?.emails, [null, null, null, null, null]);
  assert.deepEqual((await fresh())?.emails, [a, b, a, b, a]);
  await make().forget("u-2");
  assert.deepEqual((await fresh())?.emails, [a, null, a, null, a]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await load()).snapshot?.codec?.["sealed"]?.split(" ").length, 2);
  assert.deepEqual(reports, []);
});

test("a state of more than eight subjects has no snapshot", async () => {
  const driver = memory();
  const contacts = new Repository(storeOn(driver), Contact, { snapshots: { every: 1 } });
  for (let number = 1; number <= 12; number++) {
    await contacts.aggregate("1", (contact) => contact.register({ id: `u-${number}`, email: "x" }));
  }
  const { snapshot } = await driver.snapshots!.load({
    ...{ tenantId: "", streamId: "contact:1", kind: "aggregate", stateVersion: 1 },
    ...{ to: 100, at: undefined, limit: 100 },
  });
  assert.equal(snapshot?.version, 8);
});

test("a kept state with sensitive fields goes with them, and with the age of its keys", async () => {
  const clock = fakeTimers.install({ toFake: ["Date"] });
  try {
    const driver = memory();
    const store = storeOn(driver, { maxAge: 1000 });
    let evolved = 0;
    const emails = decider({
      category: "contact",
      initialState: (): readonly (string | null)[] => [],
      evolve: (state, { data }: EventOf<typeof Registered>) => {
        evolved++;
        return [...state, data.email];
      },
      decide: (person: Person) => Registered(person),
      cache: { max: 10 },
    });
    const handle = async (person: Person) => {
      evolved = 0;
      const { state } = await emails.handle(store, "1", person);
      return [state, evolved];
    };
    await handle(ada);
    assert.deepEqual(await handle(bob), [[ada.email, bob.email], 1]);
    clock.tick(1001);
    assert.deepEqual(await handle(bob), [[ada.email, bob.email, bob.email], 3]);
    assert.deepEqual((await handle(bob))[1], 1);
    await store.forget("u-1");
    const [state] = await handle(bob);
    assert.deepEqual(state, [null, ...Array.from({ length: 4 }, () => bob.email)]);
  } finally {
    clock.uninstall();
  }
});

async function wrapperOf(id: string): Promise<KeyWrapper> {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const usages: ("wrapKey" | "unwrapKey")[] = ["wrapKey", "unwrapKey"];
  return aesKeyWrapper(id, await crypto.subtle.importKey("raw", secret, "AES-KW", false, usages));
}

test("keys are stored wrapped, and rewrap() puts all under the first wrapper", async () => {
  const driver = memory();
  const [old, next] = [await wrapperOf("old"), await wrapperOf("next")];
  await storeOn(driver).append("s", Registered({ id: "u-0", email: "zero" }));
  const before = storeOn(driver, { wrappers: [old] });
  await before.append("s", [Registered(ada), Registered(bob)]);
  await before.forget("u-2");
  const rows = () => driver.keys!.read("", ["u-0", "u-1", "u-2"]);
  const [, one] = await rows();
  const [packed] = JSON.parse(one!.keys!);
  assert.deepEqual([packed.by, atob(packed.key).length], ["old", 40]);
  const wrong = storeOn(driver, { wrappers: [next] });
  await assert.rejects(wrong.load("s"), { code: "KEY_UNAVAILABLE" });
  const stranger = storeOn(driver, { wrappers: [{ ...next, id: "old" }] });
  await assert.rejects(stranger.load("s"), { code: "KEY_UNAVAILABLE" });
  const keys = subjectKeys({ wrappers: [next, old] });
  const store = new EventStore(driver, { events, keys });
  assert.equal(await keys.rewrap(store), 2);
  assert.equal(await keys.rewrap(store), 0);
  const by = (await rows()).map(({ keys: text }) => text && JSON.parse(text)[0].by);
  assert.deepEqual(by, ["next", "next", null]);
  const after = storeOn(driver, { wrappers: [next] });
  const [zero, first, second] = dataOf(await after.load("s"));
  assert.deepEqual([zero, first, second], [{ id: "u-0", email: "zero" }, ada, {
    id: "u-2",
    email: null,
  }]);
  await assert.rejects(subjectKeys({ store: new Vault() }).rewrap(store), { code: "UNSUPPORTED" });
  await assert.rejects(keys.rewrap({}), TypeError);
});

test("aesKeyWrapper() takes only a key that can wrap", async () => {
  const secret = new Uint8Array(32);
  const other = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt"]);
  assert.throws(() => aesKeyWrapper("a", other), TypeError);
  const half = await crypto.subtle.importKey("raw", secret, "AES-KW", false, ["wrapKey"]);
  assert.throws(() => aesKeyWrapper("a", half), TypeError);
  assert.throws(() => aesKeyWrapper("a", 5 as never), TypeError);
  const { unwrap } = await wrapperOf("a");
  await assert.rejects(unwrap(new Uint8Array(40)));
});
