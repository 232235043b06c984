import assert from "node:assert/strict";
import { test } from "node:test";
import { Aggregate, AggregateDiscardedError, Repository } from "../../mod.ts";
import { AlreadyTurnedOn, lights, LightSwitch, TurnedOn } from "../support/lights.ts";

test("an aggregate is empty when it is new", () => {
  const light = new LightSwitch();
  assert.deepEqual([light.id, light.version, light.changes], ["", 0, []]);
});

test("emit() applies an event and keeps it to be saved", () => {
  const light = new LightSwitch();
  light.turnOn();
  light.turnOff();
  assert.equal(light.shines, false);
  assert.deepEqual(light.changes.map(({ type }) => type), ["TurnedOn", "TurnedOff"]);
  assert.equal(light.version, 0);
});

test("emit() keeps nothing when the command refuses before it", () => {
  const light = new LightSwitch();
  light.turnOn();
  assert.throws(() => light.turnOn(), AlreadyTurnedOn);
  assert.equal(light.changes.length, 1);
});

test("emit() keeps no event that apply() threw at", () => {
  class Broken extends LightSwitch {
    protected override apply(): void {
      throw new Error("no");
    }
  }
  const light = new Broken();
  assert.throws(() => light.turnOn(), { message: "no" });
  assert.deepEqual(light.changes, []);
});

test("changes gives a copy, not what the aggregate holds", () => {
  const light = new LightSwitch();
  light.turnOn();
  (light.changes as unknown[]).length = 0;
  assert.equal(light.changes.length, 1);
});

test("an aggregate has its id and version when a repository has made it", async () => {
  const { repository } = lights();
  await repository.create("hall", (light) => {
    assert.deepEqual([light.id, light.version], ["hall", 0]);
    light.turnOn();
  });
  const light = await repository.load("hall");
  assert.deepEqual([light?.id, light?.version, light?.changes], ["hall", 1, []]);
});

test("an aggregate refuses commands when its command failed", async () => {
  const { repository, store } = lights();
  let dead: LightSwitch | undefined;
  const failing = repository.aggregate("hall", (light) => {
    dead = light;
    light.turnOn();
    throw new Error("no");
  });
  await assert.rejects(failing, { message: "no" });
  assert.throws(() => dead?.turnOff(), AggregateDiscardedError);
  await assert.rejects(repository.save(dead!), { code: "AGGREGATE_DISCARDED" });
  assert.equal(await store.version("light:hall"), 0);
});

test("an aggregate works by itself when there is no repository", async () => {
  const { store } = lights();
  const light = new LightSwitch();
  light.turnOn();
  await store.append("light:hall", light.changes, { expectedVersion: light.version });
  assert.equal(await store.version("light:hall"), 1);
});

test("an aggregate may keep its state in private fields", async () => {
  const { store } = lights();
  class Counter extends Aggregate<ReturnType<typeof TurnedOn>> {
    #count = 0;
    protected apply(): void {
      this.#count++;
    }
    get count(): number {
      return this.#count;
    }
  }
  await store.append("a", [TurnedOn(), TurnedOn()]);
  const counter = await new Repository(store, Counter).load("a");
  assert.equal(counter?.count, 2);
});
