import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, Repository, UnknownOutcomeError } from "../../mod.ts";
import { AlreadyTurnedOn, lights, LightSwitch, TurnedOff, TurnedOn } from "../support/lights.ts";
import { watch } from "../support/raw.ts";
import { types } from "../support/shop.ts";

test("create() saves a new aggregate and returns what the command returned", async () => {
  const { repository, store } = lights();
  const result = await repository.create("hall", async (light) => {
    light.turnOn();
    return "on";
  });
  assert.equal(result, "on");
  assert.deepEqual(types(await store.load("light:hall")), ["TurnedOn"]);
});

test("create() throws ConcurrencyError when the stream exists", async () => {
  const { repository, store } = lights();
  await store.append("light:hall", TurnedOff());
  let called = 0;
  const commands = [(light: LightSwitch) => light.turnOn(), () => {}];
  for (const command of commands) {
    const creating = repository.create("hall", (light) => (called++, command(light)));
    await assert.rejects(creating, { code: "CONCURRENCY", expected: "noStream", actual: 1 });
  }
  assert.equal(called, 2); // it does not try again
  assert.equal(await store.version("light:hall"), 1);
});

test("create() writes nothing when the command emits nothing", async () => {
  const { repository, store } = lights();
  await repository.create("hall", () => {});
  assert.equal(await store.version("light:hall"), 0);
  assert.equal(await repository.load("hall"), undefined);
});

test("aggregate() loads, runs and saves, and begins anew where there is nothing", async () => {
  const { repository, store } = lights();
  await repository.aggregate("hall", (light) => light.turnOn());
  const shines = await repository.aggregate("hall", (light) => {
    assert(light.shines);
    light.turnOff();
    light.turnOn();
    light.turnOff();
    return light.shines;
  });
  assert.equal(shines, false);
  assert.equal(await store.version("light:hall"), 4);
});

test("aggregate() writes nothing when there is nothing to save", async () => {
  const { repository, driver } = lights();
  const { driver: watched, requests } = watch(driver);
  const store = new EventStore(watched, { events: [TurnedOn, TurnedOff] });
  assert.equal(await new Repository(store, LightSwitch).aggregate("hall", () => 5), 5);
  assert.deepEqual(requests, []);
  await repository.aggregate("hall", (light) => light.turnOff());
});

test("aggregate() lets a domain error through unchanged and leaves nothing", async () => {
  const { repository, store } = lights();
  await repository.aggregate("hall", (light) => light.turnOn());
  const error = new AlreadyTurnedOn("mine");
  for (
    const fail of [() => Promise.reject(error), () => {
      throw error;
    }]
  ) {
    const refused = repository.aggregate("hall", async (light) => {
      light.turnOff();
      return await fail();
    });
    await assert.rejects(refused, (caught) => caught === error);
  }
  await assert.rejects(repository.aggregate("hall", (light) => light.turnOn()), AlreadyTurnedOn);
  assert.equal(await store.version("light:hall"), 1);
});

test("aggregate() saves what came after a refusal that the command caught", async () => {
  const { repository, store } = lights();
  await repository.aggregate("hall", (light) => light.turnOn());
  await repository.aggregate("hall", (light) => {
    assert.throws(() => light.turnOn(), AlreadyTurnedOn);
    light.turnOff();
  });
  assert.deepEqual(types(await store.load("light:hall")), ["TurnedOn", "TurnedOff"]);
});

test("aggregate() tells the command about the aggregate", async () => {
  const { repository, store } = lights();
  const at = (minute: number) => ({ createdAt: new Date(minute * 60_000) });
  await repository.aggregate("hall", (_light, context) => {
    assert.deepEqual(context, {
      isNew: true,
      version: 0,
      createdAt: undefined,
      updatedAt: undefined,
      attempt: 1,
      store,
    });
  });
  await store.append(
    "light:hall",
    [TurnedOn(undefined, at(1)), TurnedOff(undefined, at(2))] as const,
  );
  await repository.aggregate("hall", (_light, context) => {
    const { isNew, version, createdAt, updatedAt } = context;
    assert.deepEqual([isNew, version], [false, 2]);
    assert.deepEqual([createdAt, updatedAt], [new Date(60_000), new Date(120_000)]);
  });
});

test("aggregate() loads again and runs again when another writer was faster", async () => {
  const { repository, store } = lights();
  const attempts: number[] = [];
  await repository.aggregate("hall", async (light, { attempt, version }) => {
    attempts.push(attempt);
    assert.equal(version, attempt - 1);
    if (attempt < 3) await store.append("light:hall", TurnedOff());
    light.turnOn();
  });
  assert.deepEqual(attempts, [1, 2, 3]);
  assert.deepEqual(types(await store.load("light:hall")), ["TurnedOff", "TurnedOff", "TurnedOn"]);
});

test("aggregate() runs again at most as often as it is told", async () => {
  for (const [retries, expected] of [[undefined, 4], [0, 1], [1, 2]] as const) {
    const { repository, store } = lights({ retries });
    let attempts = 0;
    const running = repository.aggregate("hall", async (light) => {
      attempts++;
      await store.append("light:hall", TurnedOff());
      light.turnOn();
    });
    await assert.rejects(running, { code: "CONCURRENCY" });
    assert.equal(attempts, expected);
  }
});

test("aggregate() does not run again when something else failed", async () => {
  const { driver, store } = lights();
  const { driver: broken } = watch(driver, () => {
    throw new UnknownOutcomeError(["light:hall"]);
  });
  const repository = new Repository(
    new EventStore(broken, { events: [TurnedOn, TurnedOff] }),
    LightSwitch,
  );
  let attempts = 0;
  const running = repository.aggregate("hall", (light) => (attempts++, light.turnOn()));
  await assert.rejects(running, { code: "UNKNOWN_OUTCOME" });
  assert.equal(attempts, 1);
  assert.equal(await store.version("light:hall"), 0);
});

test("aggregate() succeeds for all of two writers' commands", async () => {
  const { repository, store } = lights();
  const other = new Repository(store, LightSwitch);
  for (let round = 0; round < 10; round++) {
    const both = [repository, other].map((each) =>
      each.aggregate("hall", async (light) => {
        await Promise.resolve();
        light.toggle();
      })
    );
    await Promise.all(both);
  }
  assert.equal(await store.version("light:hall"), 20);
});

test("aggregate() runs once for each of 20 concurrent callers", async () => {
  const { store } = lights();
  let runs = 0;
  await Promise.all(
    Array.from(
      { length: 20 },
      () =>
        new Repository(store, LightSwitch).aggregate("hall", async (light) => {
          runs++;
          await new Promise((resolve) => setTimeout(resolve));
          light.toggle();
        }),
    ),
  );
  assert.deepEqual([runs, await store.version("light:hall")], [20, 20]);
});

test("aggregate() lets commands on other streams and of other tenants run beside it", async () => {
  const { store } = lights();
  const repositories = [store, store.scope({ tenantId: "a" })].map((each) =>
    new Repository(each, LightSwitch)
  );
  let open = () => {};
  const gate = new Promise<void>((resolve) => open = resolve);
  let waiting = 0;
  const commands = repositories.flatMap((repository) =>
    ["hall", "cellar"].map((id) =>
      repository.aggregate(id, async (light) => {
        if (++waiting === 4) open();
        await gate;
        light.turnOn();
      })
    )
  );
  await Promise.all(commands);
  assert.equal((await store.streams()).length, 2);
});

test("aggregate() goes on when a command before it failed", async () => {
  const { repository, store } = lights();
  const outcomes = await Promise.allSettled([
    repository.aggregate("hall", async () => assert.fail("no")),
    repository.aggregate("hall", (light) => light.turnOn()),
  ]);
  assert.deepEqual(outcomes.map(({ status }) => status), ["rejected", "fulfilled"]);
  assert.equal(await store.version("light:hall"), 1);
});

test("aggregate() does not hang when a command runs another on the same aggregate", async () => {
  const { repository, store } = lights();
  await repository.aggregate("hall", async () => {
    await repository.aggregate("hall", (light) => light.turnOn());
  });
  assert.equal(await store.version("light:hall"), 1);
});
