import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { decider, EventStore } from "../../mod.ts";
import { type LightEvent, lights, TurnedOff, TurnedOn } from "../support/lights.ts";
import { insert, row, watch } from "../support/raw.ts";
import { ids, types } from "../support/shop.ts";

type Command = "on" | "off" | "blink" | "nothing" | "refuse";
const refusal = new Error("mine");

const light = decider({
  category: "light",
  initialState: () => ({ shines: false, changes: 0 }),
  evolve: ({ changes }, event: LightEvent) => ({
    shines: event.type === "TurnedOn",
    changes: changes + 1,
  }),
  decide(command: Command, { shines }) {
    switch (command) {
      case "on":
        return shines ? [] : TurnedOn();
      case "off":
        return shines ? [TurnedOff()] : [];
      case "blink":
        return [TurnedOn(), TurnedOff()];
      case "nothing":
        return [];
      case "refuse":
        throw refusal;
    }
  },
});

test("handle() appends what was decided, and gives version, events and state", async () => {
  const { store } = lights();
  const { version, events, state } = await light.handle(store, "hall", "blink");
  assert.deepEqual([version, state], [2, { shines: false, changes: 2 }]);
  assert.deepEqual(events, await store.load("light:hall"));
  assert.deepEqual((await light.handle(store, "hall", "on")).version, 3);
});

test("handle() decides on the state that the stream tells of", async () => {
  const { store } = lights();
  await light.handle(store, "hall", "on");
  const { version, events, state } = await light.handle(store, "hall", "on");
  assert.deepEqual([version, events, state], [1, [], { shines: true, changes: 1 }]);
});

test("handle() writes nothing when nothing was decided", async () => {
  const { driver, requests } = watch(memory());
  const store = new EventStore(driver, { events: [TurnedOn, TurnedOff] });
  const { version, events, state } = await light.handle(store, "hall", "nothing");
  assert.deepEqual([version, events, state], [0, [], { shines: false, changes: 0 }]);
  assert.deepEqual(requests, []);
});

test("handle() lets a refusal through unchanged and leaves nothing", async () => {
  const { store } = lights();
  await assert.rejects(light.handle(store, "hall", "refuse"), (error) => error === refusal);
  assert.deepEqual(await store.streams(), []);
});

test("handle() decides again when another writer was faster, at most as often as it is told", async () => {
  for (const [retries, races, expected] of [[undefined, 2, 3], [1, 9, 2], [0, 9, 1]] as const) {
    const { store } = lights();
    let attempts = 0;
    const racing = {
      ...light,
      ...store,
      load: store.load,
      append: async (...args: Parameters<typeof store.append>) => {
        if (++attempts <= races) await store.append("light:hall", TurnedOff());
        return await store.append(...args);
      },
    } as unknown as typeof store;
    const handling = decider({ ...light, retries }).handle(racing, "hall", "on");
    if (races < expected) {
      const { version, events } = await handling;
      assert.deepEqual([version, types(events)], [races + 1, ["TurnedOn"]]);
    } else await assert.rejects(handling, { code: "CONCURRENCY" });
    assert.equal(attempts, expected);
  }
});

test("handle() decides once for each of 20 concurrent callers", async () => {
  const { store } = lights();
  let decided = 0;
  const counting = decider({ ...light, decide: () => (decided++, TurnedOn()) });
  const callers = Array.from({ length: 20 }, () => counting.handle(store, "hall", "on"));
  const versions = (await Promise.all(callers)).map(({ version }) => version);
  assert.deepEqual(versions, Array.from({ length: 20 }, (_, index) => index + 1));
  assert.equal(decided, 20);
});

test("handle() works inside a transaction and vanishes with it", async () => {
  const { store } = lights();
  const work = store.transaction(async ({ store }) => {
    await light.handle(store, "hall", "on");
    assert.equal((await light.handle(store, "hall", "off")).version, 2);
    throw new Error("no");
  });
  await assert.rejects(work, { message: "no" });
  assert.equal(await store.version("light:hall"), 0);
});

test("handle() takes a bare id when there is no category", async () => {
  const { store } = lights();
  const { category: _, ...rest } = light;
  const { events } = await decider(rest).handle(store, "my-id", "on");
  assert.deepEqual(ids(await store.load("my-id")), ids(events));
});

test("handle() passes over unknown events, and counts them", async () => {
  const driver = memory();
  const store = new EventStore(driver, { events: [TurnedOn, TurnedOff], unknownEvents: "keep" });
  await insert(driver, "light:hall", row({ type: "TurnedOn" }), row({ type: "Old" }));
  const { version, state } = await light.handle(store, "hall", "off");
  assert.deepEqual([version, state], [3, { shines: false, changes: 2 }]);
});

test("handle() gives evolve a state and an event alone", async () => {
  const { store } = lights();
  const counted: number[] = [];
  const spying = decider({
    ...light,
    evolve(...args: [state: { shines: boolean; changes: number }, event: LightEvent]) {
      counted.push(args.length);
      return args[0];
    },
  });
  await spying.handle(store, "hall", "blink");
  await spying.handle(store, "hall", "blink");
  assert.deepEqual(counted, [2, 2, 2, 2, 2, 2]);
});

test("handle() throws TypeError when decide answers with a promise", async () => {
  const { store } = lights();
  const wrong = decider({ ...light, decide: (async () => TurnedOn()) as never });
  const refusal = { name: "TypeError", message: "decide must be synchronous, got a promise" };
  await assert.rejects(wrong.handle(store, "hall", "on"), refusal);
  const failing = decider({ ...light, decide: (() => Promise.reject(new Error("late"))) as never });
  await assert.rejects(failing.handle(store, "hall", "on"), refusal);
  assert.equal(await store.version("light:hall"), 0);
});

test("decider() throws when category or retries are wrong", () => {
  assert.throws(() => decider({ ...light, category: "a:b" }), TypeError);
  assert.throws(() => decider({ ...light, category: "" }), RangeError);
  assert.throws(() => decider({ ...light, retries: -1 }), RangeError);
  for (const part of ["initialState", "evolve", "decide"]) {
    const message = `${part} must be a function, got undefined`;
    assert.throws(() => decider({ ...light, [part]: undefined }), { name: "TypeError", message });
  }
});
