// What an observer is told, and that it changes nothing.
import {
  Aggregate,
  decider,
  defineEvent,
  type EventOf,
  EventStore,
  type Observer,
  type Operation,
  Projection,
  Repository,
  Scheduler,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";

const Counted = defineEvent<number>()("Counted");
type Counted = EventOf<typeof Counted>;

class Counter extends Aggregate<Counted> {
  static readonly category = "counter";
  protected apply(): void {}
  count(by: number): void {
    this.emit(Counted(by));
  }
}

const events = [Counted] as const;
const storeWith = (observer?: Observer) => new EventStore(memory(), { events, observer });

/** Records operations as they end, with the error of those that failed. */
function recording(): { readonly heard: [Operation, unknown?][]; readonly observer: Observer } {
  const heard: [Operation, unknown?][] = [];
  return {
    heard,
    observer: {
      async around(operation, run) {
        try {
          const result = await run();
          heard.push([operation]);
          return result;
        } catch (error) {
          heard.push([operation, error]);
          throw error;
        }
      },
    },
  };
}

/** Collects what is printed while something is done. */
async function printing(work: () => Promise<unknown>): Promise<readonly unknown[][]> {
  const { error } = console;
  const lines: unknown[][] = [];
  console.error = (...what: unknown[]) => void lines.push(what);
  try {
    await work();
    await new Promise((resolve) => setTimeout(resolve)); // what an observer rejects with comes later
  } finally {
    console.error = error;
  }
  return lines;
}

test("an observer runs around appends, loads and commands, and sees what came of them", async () => {
  const { heard, observer } = recording();
  const store = storeWith(observer);
  const both = [Counted(1), Counted(2)];
  await store.append("counter:a", both, { expectedVersion: "noStream" });
  const tenant = store.scope({ tenantId: "acme" });
  await tenant.appendAll([
    { streamId: "counter:b", events: Counted(1) },
    { streamId: "other", events: [Counted(2), Counted(3)] },
  ]);
  await store.load("counter:a");
  await store.fold("plain", 0, (sum) => sum);
  const [first, second, loaded, folded] = heard.map(([operation]) => operation);
  assert.equal(first?.name, "append");
  const ids = both.map(({ id, type }) => ({ id, type }));
  assert.deepEqual({ ...first, outcome: undefined }, {
    ...{ name: "append", tenantId: "", streamId: "counter:a", category: "counter" },
    ...{ events: ids, expected: "noStream", outcome: undefined },
  });
  assert.deepEqual(first.outcome?.map(({ version, position }) => [version, position]), [[2, 2]]);
  assert.equal(second?.name, "append");
  assert.deepEqual([second.tenantId, second.category, second.expected, second.events.length], [
    ...["acme", "counter", "any", 3],
  ]);
  assert.deepEqual(second.outcome?.map(({ version }) => version), [1, 2]);
  assert.equal(loaded?.name, "load");
  assert.deepEqual([loaded.streamId, loaded.category, loaded.outcome?.events.length], [
    ...["counter:a", "counter", 2],
  ]);
  assert.deepEqual([folded?.name, folded?.name === "load" && folded.category], ["load", ""]);

  heard.length = 0;
  const counters = new Repository(store, Counter);
  await counters.create("c", (counter) => counter.count(1));
  let rival = true;
  await counters.aggregate("c", async (counter) => {
    if (rival) {
      rival = false;
      await store.append("counter:c", Counted(9));
    }
    counter.count(1);
  });
  const tally = decider({
    category: "tally",
    initialState: () => 0,
    evolve: (sum, { data }: Counted) => sum + data,
    decide: (by: number) => Counted(by),
  });
  await tally.handle(store, "t", 5);
  const commands = heard.flatMap(([operation, error]) =>
    operation.name === "command" ? [[operation, error] as const] : []
  );
  assert.deepEqual(
    commands.map(([{ aggregate, id, attempt, outcome }, error]) => [
      ...[aggregate, id, attempt, outcome?.version, outcome?.events.length],
      error === undefined ? undefined : Reflect.get(Object(error), "code"),
    ]),
    [
      ["Counter", "c", 1, 1, 1, undefined],
      ["Counter", "c", 1, undefined, undefined, "CONCURRENCY"],
      ["Counter", "c", 2, 3, 1, undefined],
      ["tally", "t", 1, 1, 1, undefined],
    ],
  );
});

test("an observer runs around handlers, passes and rebuilds, and sees the handler's own error", async () => {
  const { heard, observer } = recording();
  const store = storeWith(observer);
  await store.append("counter:a", [Counted(1), Counted(2, { metadata: { user: "ada" } })]);
  heard.length = 0;
  const failure = new Error("no printer");
  const reader = new Subscription(store, {
    name: "reader",
    retry: { attempts: 1 },
    onFailure: "skip",
    handler({ data }) {
      if (data === 2) throw failure;
    },
  });
  assert.deepEqual(await reader.runOnce(), { handled: 1, failed: 1, parked: 0, position: 2 });
  const passed = ({ name }: Operation) => name === "handle" || name === "pass";
  const [one, two, pass] = heard.filter(([operation]) => passed(operation));
  assert.equal(one?.[0].name, "handle");
  assert.equal(two?.[0].name, "handle");
  assert.equal(two[1], failure);
  const { events, ...handled } = two[0];
  assert.deepEqual(handled, {
    name: "handle",
    consumer: "reader",
    version: 1,
    lane: 0,
    attempt: 1,
  });
  assert.deepEqual([events[0]?.metadata.user, events[0]?.position, events[0]?.type], [
    ...["ada", 2, "Counted"],
  ]);
  assert.ok(events[0]?.createdAt instanceof Date);
  assert.equal(pass?.[0].name, "pass");
  const { handled: count, failed, skipped, position } = pass[0].outcome!;
  assert.deepEqual({ count, failed, skipped, position }, {
    count: 1,
    failed: 1,
    skipped: 1,
    position: 2,
  });

  const table = new Projection(store, {
    name: "table",
    handlers: { Counted() {} },
    reset() {},
  });
  heard.length = 0;
  await table.rebuild();
  const [last] = heard.at(-1)!;
  assert.equal(last.name, "rebuild");
  assert.equal(last.outcome?.handled, 2);
  const batch = heard.flatMap(([operation]) => operation.name === "handle" ? [operation] : []);
  assert.deepEqual(batch.map(({ events }) => events.length), [2]);
});

/** Observers that do not keep to the contract. */
const faulty: Readonly<Record<string, Observer["around"]>> = {
  "throws": () => {
    throw new Error("fault");
  },
  "throws after it has called run": (_operation, run) => {
    void run();
    throw new Error("fault");
  },
  "rejects afterwards": async (_operation, run) => {
    await run();
    throw new Error("fault");
  },
  "rejects with another error": async (_operation, run) => {
    await run().catch(() => {});
    throw new Error("fault");
  },
  "does not call run": () => Promise.resolve(undefined as never),
  "calls run too late": async (_operation, run) => {
    await Promise.resolve();
    return await run();
  },
};

/** Observers that keep to the contract less than they should, without a fault that could be told. */
const careless: Readonly<Record<string, Observer["around"]>> = {
  "calls run twice": async (_operation, run) => {
    await run();
    return await run();
  },
  "returns something else": async (_operation, run) => {
    await run().catch(() => {});
    return "else" as never;
  },
  "returns nothing": (_operation, run) => void run().catch(() => {}) as never,
  "never ends": (_operation, run) =>
    run().then(() => new Promise<never>(() => {}), () => new Promise<never>(() => {})),
};

for (const [name, around] of Object.entries({ ...faulty, ...careless })) {
  test(`an observer that ${name} changes nothing, and is reported at most once`, async () => {
    const store = storeWith({ around: around! });
    const lines = await printing(async () => {
      const { version } = await store.append("counter:a", Counted(1));
      assert.equal(version, 1);
      const counters = new Repository(store, Counter);
      assert.equal(await counters.aggregate("a", (counter) => (counter.count(2), "done")), "done");
      await assert.rejects(store.append("counter:a", Counted(1), { expectedVersion: 9 }), {
        code: "CONCURRENCY",
      });
      const seen: number[] = [];
      const reader = new Subscription(store, {
        name: "reader",
        retry: { attempts: 1 },
        handler({ data }) {
          seen.push(data);
          if (data === 2) throw new Error("poison");
        },
      });
      assert.deepEqual(await reader.runOnce(), { handled: 1, failed: 1, parked: 1, position: 2 });
      assert.deepEqual(seen, [1, 2]);
      assert.equal((await store.load("counter:a")).length, 2);
    });
    assert.equal(lines.length, name in faulty ? 1 : 0, JSON.stringify(lines));
    if (name in faulty) assert.match(String(lines[0]), /observer failed.*(fault|call run)/);
  });
}

test("an observer's metadata is below that of a scope and of an event, and is given when events are scheduled", async () => {
  const observer: Observer = { metadata: () => ({ user: "ada", source: "observer", trace: "t" }) };
  const store = storeWith(observer);
  const scoped = store.scope({ metadata: { source: "scope", trace: "s" } });
  const { events: [own] } = await scoped.append("a", Counted(1, { metadata: { trace: "e" } }));
  const { correlationId, ...rest } = own.metadata;
  assert.equal(correlationId, own.id);
  assert.deepEqual(rest, { user: "ada", source: "scope", trace: "e" });
  await store.schedule("b", Counted(1), { at: new Date(0) });
  await new Scheduler(store).runOnce();
  assert.equal((await store.load("b"))[0]?.metadata.user, "ada");
});

test("an observer whose metadata cannot be stored is reported once, and the event is stored without", async () => {
  const observer: Observer = { metadata: () => ({ wrong: () => {} }) };
  const store = storeWith(observer);
  const lines = await printing(async () => {
    await store.append("a", Counted(1));
    await store.append("a", Counted(2));
  });
  assert.equal(lines.length, 1);
  assert.deepEqual((await store.load("a")).map(({ metadata }) => Object.keys(metadata)), [
    ...[["correlationId"], ["correlationId"]],
  ]);
});

test("EventStore refuses an observer that is no object", () => {
  for (const observer of [null, "otel", () => {}]) {
    assert.throws(() => storeWith(observer as never), { name: "TypeError", message: /observer/ });
  }
});
