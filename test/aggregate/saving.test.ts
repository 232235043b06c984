import assert from "node:assert/strict";
import { test } from "node:test";
import { AggregateDiscardedError, Repository } from "../../mod.ts";
import { lights, LightSwitch, TurnedOff, TurnedOn } from "../support/lights.ts";
import { ids, types } from "../support/shop.ts";

test("load() gives undefined when there is no stream", async () => {
  assert.equal(await lights().repository.load("hall"), undefined);
});

test("load() gives the aggregate as of a version", async () => {
  const { repository, store } = lights();
  await store.append("light:hall", [TurnedOn(), TurnedOff(), TurnedOn()] as const);
  for (
    const [version, shines, expected] of [[1, true, 1], [2, false, 2], [3, true, 3], [
      9,
      true,
      3,
    ]] as const
  ) {
    const light = await repository.load("hall", { version });
    assert.deepEqual([light?.shines, light?.version], [shines, expected]);
  }
});

test("load() gives the aggregate as of an instant", async () => {
  const { repository, store } = lights();
  const at = (minute: number) => ({ createdAt: new Date(minute * 60_000) });
  await store.append(
    "light:hall",
    [TurnedOn(undefined, at(1)), TurnedOff(undefined, at(3))] as const,
  );
  const version = async (minute: number) =>
    (await repository.load("hall", { at: new Date(minute * 60_000) }))?.version;
  assert.deepEqual(await Promise.all([0, 1, 2, 3, 4].map(version)), [undefined, 1, 1, 2, 2]);
});

test("load() throws when version or instant are out of range", async () => {
  const { repository } = lights();
  for (const version of [0, -1, 1.5, NaN, 2 ** 53]) {
    await assert.rejects(repository.load("hall", { version }), RangeError);
  }
  await assert.rejects(repository.load("hall", { version: "1" as never }), TypeError);
  await assert.rejects(repository.load("hall", { at: new Date(NaN) }), RangeError);
  await assert.rejects(repository.load("hall", { at: 5 as never }), TypeError);
});

test("save() stores the changes once, and moves the version on", async () => {
  const { repository, store } = lights();
  await store.append("light:hall", TurnedOff());
  const light = (await repository.load("hall"))!;
  light.turnOn();
  await repository.save(light);
  assert.deepEqual([light.version, light.changes], [2, []]);
  await repository.save(light);
  light.turnOff();
  await repository.save(light);
  assert.deepEqual(types(await store.load("light:hall")), ["TurnedOff", "TurnedOn", "TurnedOff"]);
});

test("save() stamps metadata, which an event's own overrides", async () => {
  const { repository, store } = lights();
  class Own extends LightSwitch {
    own(): void {
      this.emit(TurnedOn(undefined, { metadata: { user: "own" } }));
      this.emit(TurnedOff());
    }
  }
  await store.append("light:hall", TurnedOff());
  const own = new Repository(store, Own);
  const light = (await own.load("hall"))!;
  light.own();
  await own.save(light, { metadata: { user: "u" } });
  const users = (await store.load("light:hall")).map(({ metadata }) => metadata["user"]);
  assert.deepEqual(users, [undefined, "own", "u"]);
  assert.equal((await repository.load("hall"))?.version, 3);
});

test("save() throws ConcurrencyError when another writer was faster", async () => {
  const { repository, store } = lights();
  await store.append("light:hall", TurnedOff());
  const light = (await repository.load("hall"))!;
  await store.append("light:hall", TurnedOff());
  light.turnOn();
  await assert.rejects(repository.save(light), { code: "CONCURRENCY", expected: 1, actual: 2 });
  assert.equal(await store.version("light:hall"), 2);
});

test("save() of an older version conflicts", async () => {
  const { repository, store } = lights();
  await store.append("light:hall", [TurnedOff(), TurnedOff()]);
  const light = (await repository.load("hall", { version: 1 }))!;
  light.turnOn();
  await assert.rejects(repository.save(light), { code: "CONCURRENCY", expected: 1, actual: 2 });
});

test("save() keeps what was emitted while it was storing", async () => {
  const { repository, store } = lights();
  await store.append("light:hall", TurnedOff());
  const light = (await repository.load("hall"))!;
  light.turnOn();
  const saving = Promise.all([repository.save(light), repository.save(light)]);
  light.turnOff();
  await saving;
  assert.deepEqual(types(light.changes), ["TurnedOff"]);
  await repository.save(light);
  assert.equal(await store.version("light:hall"), 3);
});

test("save() throws when the aggregate has no id", async () => {
  const { repository } = lights();
  const light = new LightSwitch();
  light.turnOn();
  await assert.rejects(repository.save(light), { name: "RangeError", message: /^id must not be/ });
});

test("a repository inside a transaction commits and vanishes with it", async () => {
  const { store, repository } = lights();
  const dead: LightSwitch[] = [];
  const work = store.transaction(async ({ store }) => {
    const inside = new Repository(store, LightSwitch);
    await inside.aggregate("hall", (light) => {
      dead.push(light);
      light.turnOn();
    });
    await inside.aggregate("hall", (light) => light.turnOff());
    const loaded = (await inside.load("hall"))!;
    loaded.turnOn();
    await inside.save(loaded);
    dead.push(loaded);
    assert.deepEqual([loaded.version, await store.version("light:hall")], [3, 3]);
    throw new Error("no");
  });
  await assert.rejects(work, { message: "no" });
  assert.equal(await repository.load("hall"), undefined);
  for (const light of dead) {
    assert.throws(() => light.toggle(), AggregateDiscardedError);
    await assert.rejects(repository.save(light), { code: "AGGREGATE_DISCARDED" });
  }
  await store.transaction(async ({ store }) => {
    await new Repository(store, LightSwitch).aggregate("hall", (light) => light.turnOn());
  });
  assert.equal((await repository.load("hall"))?.version, 1);
});

test("an aggregate is dead when the savepoint that saved it was rolled back", async () => {
  const { store } = lights();
  await store.transaction(async ({ store }) => {
    let dead: LightSwitch | undefined;
    const inner = store.transaction(async ({ store }) => {
      await new Repository(store, LightSwitch).aggregate("hall", (light) => {
        dead = light;
        light.turnOn();
      });
      throw new Error("no");
    });
    await assert.rejects(inner, { message: "no" });
    assert.throws(() => dead?.turnOff(), AggregateDiscardedError);
  });
});

test("an aggregate lives on when the transaction that saved it is committed", async () => {
  const { store, repository } = lights();
  const light = await store.transaction(async ({ store }) => {
    await new Repository(store, LightSwitch).aggregate("hall", (light) => light.turnOn());
    const loaded = (await new Repository(store, LightSwitch).load("hall"))!;
    loaded.turnOff();
    await new Repository(store, LightSwitch).save(loaded);
    return loaded;
  });
  light.turnOn();
  await repository.save(light);
  assert.equal(await store.version("light:hall"), 3);
});

test("a repository in a transaction runs a command again when another writer was faster", async () => {
  const { store } = lights();
  await store.transaction(async ({ store }) => {
    await new Repository(store, LightSwitch).aggregate("hall", async (light, { attempt }) => {
      if (attempt === 1) await store.append("light:hall", TurnedOff());
      light.turnOn();
    });
  });
  assert.equal(await store.version("light:hall"), 2);
});

test("a repository takes bare ids when the class has no category", async () => {
  class Plain extends LightSwitch {
    static override readonly category = undefined as unknown as string;
  }
  const { store } = lights();
  const id = crypto.randomUUID();
  await new Repository(store, Plain).aggregate(id, (light) => light.turnOn());
  assert.deepEqual((await store.load(id)).map(({ streamId }) => streamId), [id]);
  assert.equal((await new Repository(store, Plain).load(id))?.id, id);
});

test("a repository takes ids with a colon, and refuses malformed ones", async () => {
  const { repository, store } = lights();
  await repository.aggregate("a:b", (light) => light.turnOn());
  assert.equal(await store.version("light:a:b"), 1);
  for (const id of ["", "a\0", "\ud800", "x".repeat(600), "x".repeat(510), 5]) {
    const wrong = (error: unknown) => error instanceof TypeError || error instanceof RangeError;
    await assert.rejects(repository.aggregate(id as string, (light) => light.turnOn()), wrong);
    await assert.rejects(repository.create(id as string, (light) => light.turnOn()), wrong);
    await assert.rejects(repository.load(id as string), wrong);
  }
});

test("Repository throws when category or retries are wrong", () => {
  const { store } = lights();
  class Colon extends LightSwitch {
    static override readonly category = "light:hall";
  }
  assert.throws(() => new Repository(store, Colon), {
    name: "TypeError",
    message: /^category must/,
  });
  for (const retries of [-1, 1.5, NaN, Infinity]) {
    assert.throws(() => new Repository(store, LightSwitch, { retries }), RangeError);
  }
  assert.throws(() => new Repository(store, LightSwitch, { retries: "3" as never }), TypeError);
});

test("save() stores the emitted events themselves", async () => {
  const { repository, store } = lights();
  let emitted: readonly string[] = [];
  await repository.aggregate("hall", (light) => {
    light.turnOn();
    emitted = ids(light.changes);
  });
  assert.deepEqual(ids(await store.load("light:hall")), emitted);
});

test("create(), aggregate() and execute() refuse a command that is not a function", async () => {
  const { repository } = lights();
  for (const method of ["create", "aggregate", "execute"] as const) {
    const call = repository[method]("hall", {} as never);
    await assert.rejects(call, /^TypeError: run must be a function/, method);
  }
});
