import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { decider, EventStore, Outbox, Repository } from "../../mod.ts";
import { AlreadyTurnedOn, type LightEvent, lights, LightSwitch } from "../support/lights.ts";
import { TurnedOff, TurnedOn } from "../support/lights.ts";
import { types } from "../support/shop.ts";

const light = decider({
  category: "light",
  initialState: () => false,
  evolve: (_shines: boolean, event: LightEvent) => event.type === "TurnedOn",
  decide: (command: "on" | "off", shines) => {
    if ((command === "on") === shines) return [];
    return command === "on" ? TurnedOn() : TurnedOff();
  },
});

test("execute() returns what the command returned, and the version and position after it", async () => {
  const { repository, store } = lights();
  await store.append("light:porch", TurnedOn());
  const { result, version, position, events, aggregate } = await repository.execute(
    "hall",
    (light, context) => {
      light.turnOn();
      light.turnOff();
      return context.version;
    },
  );
  assert.deepEqual([result, version, position], [0, 2, 3]);
  assert.deepEqual(events, await store.load("light:hall"));
  assert.deepEqual([aggregate.version, aggregate.shines, aggregate.changes], [2, false, []]);
  aggregate.turnOn();
  assert.equal((await repository.save(aggregate)).version, 3);
});

test("execute() and save() that save nothing tell the version, and no position", async () => {
  const { repository } = lights();
  const nothing = { position: undefined, events: [] };
  const { aggregate, ...none } = await repository.execute("hall", () => 5);
  assert.deepEqual(none, { result: 5, version: 0, ...nothing });
  assert.deepEqual(await repository.save(aggregate), { version: 0, ...nothing });
  await repository.aggregate("hall", (light) => light.turnOn());
  const { aggregate: hall, ...idle } = await repository.execute("hall", () => {});
  assert.deepEqual(idle, { result: undefined, version: 1, ...nothing });
  assert.deepEqual(await repository.save(hall), { version: 1, ...nothing });
});

test("save() returns the version and position after it", async () => {
  const { repository, store } = lights();
  const hall = await repository.create("hall", (light) => light);
  hall.turnOn();
  const saved = await repository.save(hall, { metadata: { user: "ada" } });
  assert.deepEqual(saved, { version: 1, position: 1, events: await store.load("light:hall") });
  assert.equal(saved.events[0]?.metadata["user"], "ada");
});

test("execute() stamps metadata on the events", async () => {
  const { repository } = lights();
  const options = { metadata: { user: "ada" } };
  const { events } = await repository.execute("hall", (light) => light.turnOn(), options);
  assert.deepEqual(events.map(({ metadata }) => metadata["user"]), ["ada"]);
});

test("execute() refuses another version than the expected one before the command runs", async () => {
  const { repository, store } = lights();
  await repository.aggregate("hall", (light) => light.turnOn());
  let ran = 0;
  for (
    const [id, expectedVersion, actual] of [
      ["hall", 0, 1],
      ["hall", 2, 1],
      ["hall", "noStream", 1],
      ["porch", 1, 0],
      ["porch", "streamExists", 0],
    ] as const
  ) {
    const conflict = { code: "CONCURRENCY", expected: expectedVersion, actual };
    // Also where there would be nothing to save.
    const executing = repository.execute(id, () => ran++, { expectedVersion });
    await assert.rejects(executing, conflict);
    await assert.rejects(light.handle(store, id, "on", { expectedVersion }), conflict);
  }
  assert.equal(ran, 0);
  for (const expectedVersion of [1, "streamExists", "any", undefined] as const) {
    await repository.execute("hall", () => ran++, { expectedVersion });
    assert.equal((await light.handle(store, "hall", "on", { expectedVersion })).version, 1);
  }
  assert.equal(ran, 4);
});

test("execute() with an expected version does not run the command again after a conflict", async () => {
  const { repository, store } = lights({ retries: 5 });
  for (const expectedVersion of [0, "noStream"] as const) {
    const attempts: number[] = [];
    const executing = repository.execute(`hall ${expectedVersion}`, async (light, { attempt }) => {
      attempts.push(attempt);
      await store.append(`light:${light.id}`, TurnedOn());
      light.turnOn();
    }, { expectedVersion });
    await assert.rejects(executing, { code: "CONCURRENCY", expected: 0, actual: 1 });
    assert.deepEqual(attempts, [1]);
  }
});

test("execute() lets what the command throws reach the caller, and saves nothing", async () => {
  const { repository, store } = lights();
  const executing = repository.execute("hall", (light) => {
    light.turnOn();
    light.turnOn();
  });
  await assert.rejects(executing, AlreadyTurnedOn);
  assert.equal(await store.version("light:hall"), 0);
});

test("execute() and handle() refuse options that are malformed", async () => {
  const { repository, store } = lights();
  const run = () => assert.fail("it must not run");
  for (const expectedVersion of [-1, 1.5, "some", null]) {
    const options = { expectedVersion: expectedVersion as number };
    await assert.rejects(repository.execute("hall", run, options), /expectedVersion must be/);
    await assert.rejects(light.handle(store, "hall", "on", options), /expectedVersion must be/);
  }
  await assert.rejects(repository.execute("hall", run, 5 as never), /options must be an object/);
});

test("Repository and decider publish what they save when they are told to", async () => {
  const store = new EventStore(memory(), { events: [TurnedOn, TurnedOff] });
  const published: string[] = [];
  const outbox = new Outbox(store, { publisher: ({ streamId }) => published.push(streamId) });
  await new Repository(store, LightSwitch).aggregate("quiet", (light) => light.turnOn());
  await light.handle(store, "quiet", "off");
  await outbox.runOnce();
  assert.deepEqual(published, []);
  const loud = new Repository(store, LightSwitch, { publish: true });
  await loud.aggregate("a", (light) => light.turnOn());
  await loud.create("b", (light) => light.turnOn());
  await loud.execute("c", (light) => light.turnOn());
  const aggregate = await loud.create("d", (light) => light);
  aggregate.turnOn();
  await loud.save(aggregate);
  await decider({ ...light, publish: true }).handle(store, "e", "on");
  await outbox.runOnce();
  assert.deepEqual([...published].sort(), ["a", "b", "c", "d", "e"].map((id) => `light:${id}`));
  assert.throws(() => new Repository(store, LightSwitch, { publish: 1 as never }), TypeError);
  assert.throws(() => decider({ ...light, publish: "yes" as never }), TypeError);
});

test("handle() tells the position of the last event, if there is one", async () => {
  const { store } = lights();
  const decided = await light.handle(store, "hall", "on");
  assert.deepEqual([decided.version, decided.position, types(decided.events)], [1, 1, [
    "TurnedOn",
  ]]);
  const idle = { version: 1, position: undefined, events: [], state: true };
  assert.deepEqual(await light.handle(store, "hall", "on"), idle);
});
