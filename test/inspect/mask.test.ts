// What an inspector shows of types, consumers and sensitive fields, whatever the driver.
import {
  defineEvent,
  type Event,
  EventStore,
  PermanentError,
  Projection,
  Subscription,
} from "event-sourcery";
import { inspect } from "event-sourcery/inspect";
import { memory } from "event-sourcery/memory";
import { subjectKeys } from "event-sourcery/privacy";
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import * as v from "valibot";
import { z } from "zod";

const secret = "ada@example.org";

/** A store with an event whose mail is sealed, and with one that was stored before the mail was sensitive. */
async function people() {
  const driver = memory();
  const Older = defineEvent<{ id: string; mail: string }>()("Joined");
  await new EventStore(driver, { events: [Older] }).append(
    "user:1",
    Older({ id: "1", mail: secret }),
  );
  const Joined = defineEvent<{ id: string; email: string }>()("Joined", {
    upcast: [({ id, mail }: { id: string; mail: string }) => {
      if (mail === "broken") throw new Error(`cannot read ${secret}`);
      return { id, email: mail };
    }],
    sensitive: { subject: ({ id }) => id, fields: { email: "[hidden]" } },
  });
  const Left = defineEvent("Left");
  const store = new EventStore(driver, { events: [Joined, Left], keys: subjectKeys() });
  await store.append("user:1", [Joined({ id: "1", email: secret }), Left()]);
  return { driver, store, Older };
}

test("with masks, no view shows a sensitive field, whether it was stored sealed or not", async () => {
  const { driver, store, Older } = await people();
  const user = (events: readonly Event[]) => events.map(({ data }) => data);
  const refuse = () => Promise.reject(new PermanentError(`no mail to ${secret}`));
  await new Subscription(store, { name: "mails", types: ["Joined"], handler: refuse }).runOnce();
  await new Subscription(store, { name: "bye", types: ["Left"], handler: refuse }).runOnce();
  await new EventStore(driver, { events: [Older] }).append(
    "user:2",
    Older({ id: "2", mail: "broken" }),
  );

  const open = inspect(store, { aggregates: { user } });
  const masked = inspect(store, { aggregates: { user }, sensitive: "mask" });
  const views = async (inspector: typeof open) => ({
    log: await inspector.log(),
    state: await inspector.state("user:1"),
    diff: await inspector.diff("user:1", 0, 2),
    trace: await inspector.event((await inspector.log({ after: 0 })).events[0]!.stored.id),
    parked: await inspector.parked({ consumer: { name: "mails" } }),
  });
  const shown = await views(open);
  for (const view of Object.values(shown)) assert.match(JSON.stringify(view), /ada@/);
  assert.equal(JSON.stringify(await views(masked)).includes("ada@"), false);

  const { events } = await masked.log({ after: 0 });
  for (const { event, stored } of events.slice(0, 2)) {
    assert.deepEqual(event!.data, { id: "1", email: "[hidden]" });
    assert.deepEqual(stored.data, { id: "1", email: "[hidden]" });
  }
  assert.deepEqual([events[3]!.stored.data, events[3]!.problem!.code], [
    undefined,
    "CORRUPT_EVENT",
  ]);
  const [mails] = (await masked.parked({ consumer: { name: "mails" } })).streams;
  assert.equal(mails!.error, "hidden: its event has sensitive fields");
  const [bye] = (await masked.parked({ consumer: { name: "bye" } })).streams;
  assert.match(bye!.error!, /no mail/, "of a type without sensitive fields");

  // A catalogue masks its examples, whatever the inspector shows.
  const { types } = await open.catalogue();
  assert.equal(JSON.stringify(types).includes("ada@"), false);
  assert.deepEqual(types[0]!.versions, [{ version: 2, events: 1 }, { version: 1, events: 2 }]);
  assert.deepEqual([types[0]!.type, types[0]!.sensitive], ["Joined", ["email"]]);
  // Nothing was changed for the store itself.
  assert.match(JSON.stringify(await store.load("user:1")), /ada@/);
});

test("with masks, a page of parked streams asks for the types of its events once", async () => {
  const { driver, store } = await people();
  const Left = defineEvent("Left");
  for (let user = 3; user < 40; user++) await store.append(`user:${user}`, Left());
  await new Subscription(store, {
    name: "bye",
    handler: () => Promise.reject(new PermanentError("no mail")),
  }).drain();
  const masked = inspect(store, { sensitive: "mask" });
  const probe = mock.method(driver as { probe: NonNullable<typeof driver.probe> }, "probe");
  const scan = mock.method(driver, "scan");
  const { streams } = await masked.parked();
  const hidden = streams.filter(({ error }) => error?.startsWith("hidden"));
  assert.deepEqual(hidden.map(({ streamId }) => streamId), ["user:1"]);
  assert.equal(streams.length, 38);
  const groups = await masked.parkedGroups();
  assert.deepEqual(groups.map(({ streams }) => streams), [38]);
  assert.deepEqual([probe.mock.callCount(), scan.mock.callCount()], [2, 0]);
});

test('data: "shape" shows types and lengths in the place of data, states and errors', async () => {
  const { driver, store } = await people();
  await store.append(
    "user:1",
    { ...defineEvent("Left")(undefined, { tags: [secret], metadata: { note: secret } }) },
  );
  await new EventStore(driver, { events: [defineEvent("Gone")] }).append("other:1", {
    ...defineEvent("Gone")(),
  });
  const refuse = () => Promise.reject(new PermanentError(`no mail to ${secret}`));
  const mails = new Subscription(store, { name: "mails", handler: refuse, types: ["Joined"] });
  await mails.runOnce();
  const aggregates = {
    user: (events: readonly Event[]) => ({ mails: events.map(({ data }) => data), who: secret }),
    other: () => assert.fail(secret),
  };
  const inspector = inspect(store, { aggregates, data: "shape" });
  const [log, state, diff, parked, groups, catalogue] = await Promise.all([
    inspector.log({ after: 0 }),
    inspector.state("user:1"),
    inspector.diff("user:1", 1, 2),
    inspector.parked(),
    inspector.parkedGroups(),
    inspector.catalogue(),
  ]);
  const trace = await inspector.trace(log.events[0]!.stored.id);
  const broken = await inspector.state("other:1");
  const all = { log, state, diff, parked, groups, catalogue, trace, broken };
  for (const [name, view] of Object.entries(all)) {
    assert.equal(JSON.stringify(view).includes("ada@"), false, name);
  }
  assert.deepEqual(log.events[0]!.event!.data, { id: "string(1)", email: "string(15)" });
  assert.deepEqual(log.events[0]!.stored.data, { id: "string(1)", mail: "string(15)" });
  const { event: left } = log.events[3]!;
  assert.deepEqual(left!.tags, ["string(15)"]);
  assert.equal(left!.metadata["note"], "string(15)");
  assert.equal(left!.metadata.correlationId, left!.id, "ids lead on");
  assert.deepEqual(log.events[4]!.problem, {
    code: "UNKNOWN_EVENT_TYPE",
    message: "UNKNOWN_EVENT_TYPE",
  });
  assert.deepEqual(state!.state, {
    mails: [{ id: "string(1)", email: "string(15)" }, "… (4 items)"],
    who: "string(15)",
  });
  assert.ok(diff!.lines.some(({ kind }) => kind === "added"));
  assert.match(parked.streams[0]!.error!, /^string\(\d+\)$/);
  assert.match(broken!.problem!.message, /^UNKNOWN_EVENT_TYPE$/);
  const unshown = await inspect(store, { data: "shape" }).state("user:1");
  assert.equal(unshown!.problem!.message, 'aggregates has nothing for the category "user"');
  assert.throws(() => inspect(store, { data: "shapes" as "shape" }), TypeError);
});

test('a store with keys "mask" masks what is stored in the clear, too', async () => {
  const { driver, store } = await people();
  const Joined = defineEvent<{ id: string; email: string }>()("Joined", {
    upcast: [({ id, mail }: { id: string; mail: string }) => ({ id, email: mail })],
    sensitive: { subject: ({ id }) => id, fields: { email: "[hidden]" } },
  });
  const masking = new EventStore(driver, {
    ...{ events: [Joined], keys: "mask", retired: ["Left"] },
  });
  const read = async (from: typeof masking | typeof store) =>
    (await from.load("user:1", { to: 2 })).map(({ data }) => data);
  assert.deepEqual(await read(store), Array(2).fill({ id: "1", email: secret }));
  assert.deepEqual(await read(masking), Array(2).fill({ id: "1", email: "[hidden]" }));
});

test("catalogue() describes schemas where their library does, or toJsonSchema", async () => {
  const Paid = defineEvent("Paid", z.object({ cents: z.number() }), { aliases: ["Payed"] });
  const Placed = defineEvent("Placed", v.object({ sku: v.string() }));
  const driver = memory();
  const Payed = defineEvent("Payed", z.object({ cents: z.number() }));
  await new EventStore(driver, { events: [Payed] }).append("order:1", Payed({ cents: 1 }));
  const store = new EventStore(driver, { events: [Paid, Placed] });
  await store.append("order:1", Paid({ cents: 2 }));
  const { types: [paid, placed] } = await inspect(store).catalogue();
  assert.deepEqual(paid!.schema, {
    additionalProperties: false,
    properties: { cents: { type: "number" } },
    required: ["cents"],
    type: "object",
  });
  assert.deepEqual([paid!.aliases, paid!.about], [["Payed"], 2]);
  assert.deepEqual(paid!.example!.event!.data, { cents: 2 });
  assert.deepEqual([placed!.schema, placed!.about], [null, 0]);
  assert.match(placed!.reason!, /valibot describes no schemas/);
  const described = inspect(store, {
    toJsonSchema: (_, type) => type === "Placed" ? { title: "ours" } : undefined,
  });
  assert.deepEqual((await described.catalogue()).types[1]!.schema, { title: "ours" });
});

test("consumers() marks those that the application does not know", async () => {
  const Noted = defineEvent("Noted");
  const store = new EventStore(memory(), { events: [Noted] });
  const tenant = store.scope({ tenantId: "t" });
  const options = { name: "mails", handler() {} };
  const mails = new Subscription(store, options);
  const list = (version: number) =>
    new Projection(store, { name: "list", version, handlers: { Noted() {} }, reset() {} });
  for (const one of [mails, new Subscription(tenant, options), list(1), list(2)]) {
    await one.runOnce();
  }
  const known = async (consumers?: readonly (typeof mails | ReturnType<typeof list>)[]) =>
    Object.fromEntries(
      (await inspect(store, { consumers }).consumers()).map((
        { tenantId = "", name, version, known },
      ) => [`${tenantId}/${name}@${version}`, known]),
    );
  assert.deepEqual(await known([mails, list(2)]), {
    ...{ "/mails@1": true, "t/mails@1": false, "/list@1": false, "/list@2": true },
  });
  assert.deepEqual(Object.values(await known()), Array(4).fill(undefined));
  assert.throws(() => inspect(store, { consumers: [{}] as never }), /TypeError: consumers must be/);
  assert.throws(() => inspect(store, { consumers: {} as never }), /TypeError: consumers must be/);
  assert.throws(() => inspect(store, { sensitive: 1 as never }), /TypeError: sensitive must/);
});
