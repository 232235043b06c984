import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  decision,
  type DecisionResult,
  defineEvent,
  type Driver,
  type EventOf,
  EventStore,
  isEventSourceryError,
  Outbox,
} from "../../mod.ts";
import { given } from "../../src/testing/mod.ts";
import { expectType } from "../types/expect.ts";
import { watch } from "../support/raw.ts";

const Opened = defineEvent<{ course: string; seats: number }>()("Opened", {
  tags: ({ course }) => [`course:${course}`],
});
const Joined = defineEvent<{ course: string; student: string }>()("Joined", {
  tags: ({ course, student }) => [`course:${course}`, `student:${student}`],
});
const Noticed = defineEvent<string>()("Noticed");
type CourseEvent = EventOf<typeof Opened> | EventOf<typeof Joined> | EventOf<typeof Noticed>;

interface Join {
  readonly course: string;
  readonly student: string;
}
const full = new RangeError("full");

const join = decision({
  query: ({ course }: Join) => ({ types: ["Opened", "Joined"], tags: [`course:${course}`] }),
  initialState: () => ({ seats: 0, events: 0 }),
  evolve: ({ seats, events }, event: CourseEvent) => ({
    seats: event.type === "Opened" ? event.data.seats : seats - 1,
    events: events + 1,
  }),
  decide({ course, student }, { seats }) {
    if (seats < 1) throw full;
    const streamId = `course:${course}`;
    return [
      { streamId, events: Joined({ course, student }) },
      { streamId: `student:${student}`, events: [Noticed(course)] },
      { streamId: "nothing", events: [] },
    ];
  },
});

const open = (driver: Driver = memory()) =>
  new EventStore(driver, { events: [Opened, Joined, Noticed] });

test("handle() of a decision appends to several streams, and evolves by what its query matches", async () => {
  const store = open();
  await store.append("course:a", Opened({ course: "a", seats: 2 }));
  await store.append("course:b", Opened({ course: "b", seats: 9 }));
  const result = await join.handle(store, { course: "a", student: "x" });
  expectType<DecisionResult<{ seats: number; events: number }, CourseEvent>>()(result);
  assert.deepEqual(result.events.map(({ streamId, type }) => [streamId, type]), [
    ["course:a", "Joined"],
    ["student:x", "Noticed"],
  ]);
  assert.deepEqual(result.state, { seats: 1, events: 2 });
  assert.equal(result.position, 4);
});

test("handle() of a decision lets a refusal through unchanged", async () => {
  const store = open();
  await assert.rejects(
    join.handle(store, { course: "a", student: "x" }),
    (error) => error === full,
  );
});

test("handle() of a decision decides again after a conflict, and never above the limit", async () => {
  const driver = memory();
  // Stores of their own, so that their commands are not queued one after the other.
  const stores = Array.from({ length: 8 }, () => open(copy(driver)));
  await stores[0]!.append("course:a", Opened({ course: "a", seats: 3 }));
  const patient = decision({ ...join, retries: 50 });
  const results = await Promise.allSettled(
    stores.map((store, index) => patient.handle(store, { course: "a", student: `${index}` })),
  );
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 3);
  for (const result of results) {
    if (result.status === "rejected") assert.equal(result.reason, full);
  }
  assert.equal((await stores[0]!.query({ types: ["Joined"] })).events.length, 3);
});

test("handle() of a decision gives up after its retries", async () => {
  const store = open();
  let tries = 0;
  const beaten = decision({
    query: () => ({ types: ["Noticed"] }),
    initialState: () => undefined,
    evolve: (state: undefined, _event: CourseEvent) => state,
    decide: () => ({ streamId: "a", events: Noticed("mine") }),
    retries: 2,
  });
  const overtaken = {
    ...store,
    query: (async (query) => {
      const found = await store.query(query);
      await store.append("b", Noticed(`theirs ${++tries}`));
      return found;
    }) as typeof store.query,
  };
  await assert.rejects(beaten.handle(overtaken, "go"), (error) => {
    assert(isEventSourceryError(error, "CONCURRENCY"));
    return error.condition?.streamId === "b";
  });
  assert.deepEqual([tries, await store.version("a")], [3, 0]);
});

test("handle() of a decision writes nothing when nothing was decided", async () => {
  const { driver, requests } = watch(memory());
  const idle = decision({ ...join, decide: () => [] });
  const result = await idle.handle(open(driver), { course: "a", student: "x" });
  assert.deepEqual(result, { events: [], state: { seats: 0, events: 0 }, position: undefined });
  assert.deepEqual(requests, []);
});

test("handle() of a decision publishes its events when publish is set", async () => {
  const store = open();
  await store.append("course:a", Opened({ course: "a", seats: 2 }));
  await decision({ ...join, publish: true }).handle(store, { course: "a", student: "x" });
  const published: string[] = [];
  const outbox = new Outbox(store, { publisher: ({ type }) => void published.push(type) });
  await outbox.runOnce();
  assert.deepEqual(published, ["Joined", "Noticed"]);
});

test("decision() refuses parts that are none, and a decide that is asynchronous", async () => {
  for (const part of ["query", "initialState", "evolve", "decide"]) {
    assert.throws(() => decision({ ...join, [part]: undefined }), TypeError, part);
  }
  assert.throws(() => decision({ ...join, retries: -1 }), RangeError);
  const late = decision({ ...join, decide: (async () => []) as never });
  await assert.rejects(late.handle(open(), { course: "a", student: "x" }), TypeError);
});

test("given() tests a decision on the events that its query matches", () => {
  const command = { course: "a", student: "x" };
  const opened = [Opened({ course: "a", seats: 1 }), Opened({ course: "b", seats: 0 })];
  given(join, opened).when(command).emits(Joined(command), Noticed("a"));
  given(join, opened).when(command).hasState({ seats: 0, events: 2 });
  given(join, [...opened, Joined(command)]).when(command).fails(full);
  given(join).when(command).fails(RangeError);
});

/** The same driver as another object. */
function copy(driver: ReturnType<typeof memory>): ReturnType<typeof memory> {
  return new Proxy(driver, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
