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
import { test } from "node:test";
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
