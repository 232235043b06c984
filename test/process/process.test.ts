// A process reacts to each event exactly once: its answers, its schedules and its commands come with its checkpoint.
import {
  ConcurrencyError,
  defineEvent,
  type EventOf,
  EventStore,
  type Handler,
  isEventSourceryError,
  Outbox,
  PermanentError,
  Process,
  type RecordedEvent,
  Scheduler,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { given } from "event-sourcery/testing";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { places } from "../support/places.ts";

const timeout = 60_000;
const Asked = defineEvent<{ of: string; number: number }>()("Asked");
const Answered = defineEvent<{ number: number }>()("Answered");
const Alarm = defineEvent("Alarm");
const Rang = defineEvent("Rang");
const Noted = defineEvent<{ number: number }>()("Noted");
const events = [Asked, Answered, Alarm, Rang, Noted] as const;
type AnyEvent = EventOf<(typeof events)[number]>;
type Own = EventOf<typeof Answered | typeof Alarm | typeof Rang>;
type React = (
  event: RecordedEvent<EventOf<typeof Asked>>,
  state: State,
  context: { readonly store: EventStore<AnyEvent, unknown>; readonly signal: AbortSignal },
) => Promise<Own | readonly Own[]> | readonly Own[] | Own;
interface State {
  readonly count: number;
  readonly numbers: readonly number[];
}

const retry = { minDelay: 1, maxDelay: 20 };
const evolve = (state: State, event: Own): State =>
  event.type === "Answered"
    ? { count: state.count + 1, numbers: [...state.numbers, event.data.number] }
    : state;

/** A process that answers each question, or reacts to it in another way. */
function answering(
  store: EventStore<AnyEvent, unknown>,
  react: React = ({ data: { number } }) => Answered({ number }),
  options: { publish?: boolean; snapshots?: { every: number }; retries?: number } = {},
) {
  return new Process(store, {
    ...{ name: "clerk", retry, evolve, ...options },
    initialState: (): State => ({ count: 0, numbers: [] }),
    handlers: { Asked: { correlate: ({ data }) => data.of, react } },
  });
}

const ask = (store: EventStore<AnyEvent, unknown>, of: string, number: number, stream = "ask:1") =>
  store.append(stream, Asked({ of, number }));
const answersOf = async (store: EventStore<AnyEvent, unknown>, key: string) =>
  (await store.load(`clerk:${key}`)).filter(Answered.is).map(({ data }) => data.number);

for (const [name, open] of Object.entries(places)) {
  test(`${name}: what a process answers, schedules and stores comes once, with its checkpoint`, {
    timeout,
  }, async () => {
    const { driver, close } = await open();
    after(close);
    const store = new EventStore(driver, { events });
    let crashes = 2;
    const seen: [boolean, number, number][] = [];
    const process = new Process(store, {
      ...{ name: "clerk", retry, evolve, publish: true },
      initialState: (): State => ({ count: 0, numbers: [] }),
      handlers: {
        Asked: {
          correlate: ({ data }) => data.of === "nobody" ? undefined : data.of,
          async react({ data: { number } }, state, { store, key, schedule, isNew }) {
            seen.push([isNew, state.count, number]);
            await store.append(`note:${key}`, Noted({ number }));
            await schedule(Alarm(undefined, { id: `${key}-${number}` }), { at: new Date(0) });
            if (number === 2 && crashes-- > 0) throw new RangeError("crash");
            return Answered({ number });
          },
        },
        Alarm: { react: (_event, { count }) => count > 1 ? [Rang(), Rang()] : [] },
      },
    });
    for (const number of [1, 2]) await ask(store, "ada", number);
    await ask(store, "nobody", 3);
    await ask(store, "bob", 4, "ask:2");
    while ((await process.status()).position < (await store.position())) {
      await process.drain();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    while ((await process.parked()).length > 0) await process.drain();
    assert.deepEqual(await answersOf(store, "ada"), [1, 2]);
    assert.deepEqual(await answersOf(store, "bob"), [4]);
    assert.equal(await store.version("note:ada"), 2);
    assert.equal(await store.version("clerk:nobody"), 0);
    assert.ok(seen.some(([isNew, count, number]) => isNew && count === 0 && number === 4));
    assert.ok(seen.some(([isNew, count, number]) => !isNew && count === 1 && number === 2));
    const scheduler = new Scheduler(store);
    assert.deepEqual(await scheduler.drain(), { delivered: 3, failed: 0 });
    await process.drain();
    const types = (await store.load("clerk:ada")).map(({ type }) => type);
    assert.deepEqual(types, [
      ...["Answered", "Answered", "Alarm", "Alarm", "Rang", "Rang", "Rang", "Rang"],
    ]);
    assert.deepEqual((await store.load("clerk:bob")).map(({ type }) => type), [
      "Answered",
      "Alarm",
    ]);
    // The cause and the flow are those of the event that it answers.
    const [asked] = await store.load("ask:1");
    const [answered] = await store.load("clerk:ada");
    assert.equal(answered!.metadata.causationId, asked!.id);
    const published: string[] = [];
    await new Outbox(store, { publisher: ({ type }) => void published.push(type) }).drain();
    assert.deepEqual(published.toSorted(), [
      ...Array(3).fill("Answered"),
      ...Array(4).fill("Rang"),
    ]);
  });

  test(
    `${name}: after a conflict it reacts again, and the first time leaves nothing`,
    {
      timeout,
    },
    async () => {
      const { driver, another, close } = await open();
      after(close);
      const store = new EventStore(driver, { events });
      const other = new EventStore(another, { events });
      const signals: AbortSignal[] = [];
      const process = answering(store, async ({ data: { number } }, state, { store, signal }) => {
        await store.append("note", Noted({ number }));
        if (signals.push(signal) === 1) {
          // Somebody is faster: beside the transaction where that can be, else in it.
          const faster = name === "Postgres" ? other : store;
          await faster.append("clerk:ada", Answered({ number: -1 }));
          if (name !== "Postgres") throw new ConcurrencyError("clerk:ada", 0, 1);
        }
        return Answered({ number: state.count });
      });
      await ask(store, "ada", 1);
      assert.equal((await process.runOnce()).failed, 0);
      const numbers = await answersOf(store, "ada");
      assert.deepEqual(numbers, name === "Postgres" ? [-1, 1] : [0]);
      assert.deepEqual([signals.length, new Set(signals).size], [2, 1]);
      assert.equal(await store.version("note"), 1);
    },
  );
}

test("a conflict that has aborted the transaction leaves it, and the event comes again", async () => {
  const store = new EventStore(memory(), { events });
  // One for each time that the event is handled, however often it is reacted to.
  const signals: AbortSignal[] = [];
  const process = answering(store, async ({ data: { number } }, _state, { store, signal }) => {
    await store.append("note", Noted({ number }));
    if (signals.push(signal) > 1) return Answered({ number });
    throw new ConcurrencyError("clerk:ada", 0, undefined, { transactionAborted: true });
  });
  await ask(store, "ada", 1);
  while ((await process.runOnce()).parked > 0);
  assert.deepEqual([signals.length, new Set(signals).size], [2, 2]);
  assert.deepEqual(await answersOf(store, "ada"), [1]);
  assert.equal(await store.version("note"), 1);
});

test("Process parks the stream of an event at which it throws, not the process", async () => {
  const store = new EventStore(memory(), { events });
  let broken = true;
  const process = answering(store, ({ data: { number } }) => {
    if (number === 1 && broken) throw new PermanentError("no such thing");
    return Answered({ number });
  });
  await ask(store, "ada", 1, "ask:1");
  await ask(store, "ada", 2, "ask:1");
  await ask(store, "ada", 3, "ask:2");
  await process.drain();
  assert.deepEqual(await answersOf(store, "ada"), [3]);
  assert.deepEqual((await process.parked()).map(({ streamId }) => streamId), ["ask:1"]);
  broken = false;
  await process.redrive("ask:1");
  await process.drain();
  assert.deepEqual(await answersOf(store, "ada"), [3, 1, 2]);
});

test("Process keeps a process for each tenant and key, and refuses keys that are no ids", async () => {
  const store = new EventStore(memory(), { events });
  for (const tenantId of ["a", "b"]) await ask(store.scope({ tenantId }), "ada", 1);
  await ask(store, "", 2);
  const process = answering(store);
  assert.equal((await process.runOnce()).failed, 1);
  for (const tenantId of ["a", "b"]) {
    assert.deepEqual(await answersOf(store.scope({ tenantId }), "ada"), [1]);
  }
  assert.match((await process.parked())[0]!.error!, /key must not be empty/);
});

test("Process keeps snapshots of long processes, of what was committed", async () => {
  const driver = memory();
  const store = new EventStore(driver, { events });
  const process = answering(store, undefined, { snapshots: { every: 2 } });
  for (let number = 1; number <= 9; number++) await ask(store, "ada", number);
  await process.drain();
  assert.deepEqual(await answersOf(store, "ada"), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const { snapshot } = await driver.snapshots!.load({
    ...{ tenantId: "", streamId: "clerk:ada", kind: "process", stateVersion: 1 },
    ...{ to: 100, at: undefined, limit: 10 },
  });
  assert.ok(snapshot!.version >= 2, `${snapshot?.version}`);
});

test("Process refuses options that are malformed, lanes, and drivers that cannot", async () => {
  const store = new EventStore(memory(), { events });
  const options = {
    ...{ name: "clerk", evolve, initialState: (): State => ({ count: 0, numbers: [] }) },
    handlers: { Asked: { correlate: () => "a", react: () => [] } },
  };
  const wrong: [object, RegExp][] = [
    [{ name: "a:b" }, /colon/],
    [{ name: "" }, /name/],
    [{ evolve: 1 }, /evolve/],
    [{ initialState: 1 }, /initialState/],
    [{ handlers: {} }, /at least one/],
    [{ handlers: { Asked: {} } }, /react of "Asked"/],
    [{ handlers: { Asked: { react: () => [], correlate: 1 } } }, /correlate of "Asked"/],
    [{ handlers: { Unknown: { react: () => [] } } }, /Unknown/],
    [{ lanes: 2 }, /one lane/],
    [{ concurrency: 2 }, /one lane/],
    [{ retries: -1 }, /retries/],
    [{ publish: 1 }, /publish/],
    [{ onFilterChange: "rebuild" }, /onFilterChange/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => new Process(store, { ...options, ...change }), message);
  }
  await assert.rejects(new Process(store, options).relane(2), /it has one/);
  const poor = Object.assign(memory(), { capabilities: { transactions: false } });
  assert.throws(
    () => new Process(new EventStore(poor, { events }), options),
    (error) => isEventSourceryError(error, "UNSUPPORTED"),
  );
});

test("given() of a process tells emitted events, states, failures and the passing of time", async () => {
  const called: string[] = [];
  const handler: Handler<AnyEvent, AnyEvent> = ({ type }) => void called.push(type);
  const store = new EventStore(memory(), { events, subscriptions: { Rang: [handler] } });
  const hour = 3_600_000;
  const at = (hours: number) => new Date(Date.UTC(2030, 0, 1) + hours * hour);
  const process = new Process(store, {
    ...{ name: "clerk", evolve, initialState: (): State => ({ count: 0, numbers: [] }) },
    handlers: {
      Asked: {
        correlate: ({ data, streamId }) => streamId === "ask:me" ? "me" : data.of,
        async react({ data: { number } }, { count }, { schedule, store, key, isNew }) {
          if (number < 0) throw new RangeError("negative");
          assert.equal(isNew, count === 0);
          await store.append("note", Noted({ number }));
          await store.unschedule(`${key}-${number - 1}`);
          await schedule(Alarm(undefined, { id: `${key}-${number}` }), { at: at(number) });
          return Answered({ number });
        },
      },
      Alarm: {
        react: ({ metadata, createdAt }) => {
          assert.deepEqual([metadata["dueAt"], createdAt], [createdAt, createdAt]);
          return Rang();
        },
      },
    },
  });
  const one = Asked({ of: "ada", number: 1 });
  const three = Asked({ of: "ada", number: 3 });
  await given(process).when(one).emits(Answered({ number: 1 }));
  await given(process, one).hasState({ count: 1, numbers: [1] });
  await given(process, Answered({ number: 0 })).when(one).hasState({ count: 2, numbers: [0, 1] });
  await given(process).when(Asked({ of: "ada", number: -1 })).fails(/negative/);
  await given(process, one).at(at(0)).emitsNothing();
  await given(process, one).at(at(1)).emits(Rang());
  await given(process, [one, three]).at(at(3)).emits(Rang(), Rang());
  await given(process, [one, Asked({ of: "ada", number: 2 })]).at(at(5)).emits(Rang());
  await given(process, [{ ...one, streamId: "ask:me" }]).when({ ...three, streamId: "ask:me" })
    .hasState({ count: 2, numbers: [1, 3] });
  await assert.rejects(given(process, one).when(three).emits(Rang()), /emit Rang/);
  assert.throws(() => given(process).at(1 as unknown as Date), TypeError);
  assert.ok(called.length > 0, "it is the process's own store");
  for (const stream of ["clerk:ada", "note", "ask:me"]) {
    assert.equal(await store.version(stream), 0, "all is undone");
  }
  assert.equal((await new Scheduler(store).status()).waiting, 0);
});
