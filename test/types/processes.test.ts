import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  type Consumer,
  defineEvent,
  type EventOf,
  EventStore,
  Inbox,
  Process,
  type ProcessContext,
  type RecordedEvent,
  Scheduler,
} from "../../mod.ts";
import { given } from "../../src/testing/mod.ts";
import { expectType, refuses } from "./expect.ts";

const Placed = defineEvent<{ order: string; cents: number }>()("Placed");
const Paid = defineEvent<{ order: string }>()("Paid");
const Confirmed = defineEvent<{ cents: number }>()("Confirmed");
const TimedOut = defineEvent("TimedOut");

type AppEvent = EventOf<typeof Placed | typeof Paid | typeof Confirmed | typeof TimedOut>;
type OwnEvent = EventOf<typeof Confirmed | typeof TimedOut>;

const db = new Map<string, number>();
const store = new EventStore(memory({ db }), { events: [Placed, Paid, Confirmed, TimedOut] });
const at = new Date();

test("Process infers its state, its own events and the database handle", async () => {
  const process = new Process(store, {
    name: "fulfilment",
    initialState: () => ({ cents: 0 }),
    evolve: (state, event: OwnEvent) => {
      expectType<{ cents: number }>()(state);
      return event.type === "Confirmed" ? { cents: event.data.cents } : state;
    },
    handlers: {
      Placed: {
        correlate: (event) => {
          expectType<RecordedEvent<EventOf<typeof Placed>>>()(event);
          return event.data.order;
        },
        react: async (event, state, context) => {
          expectType<number>()(event.data.cents);
          expectType<{ cents: number }>()(state);
          expectType<ProcessContext<AppEvent, typeof db, OwnEvent>>()(context);
          await context.store.append("order:1", Paid({ order: context.key }));
          await context.schedule(TimedOut(), { at });
          context.db.set(context.key, 1);
        },
      },
      Paid: { correlate: () => undefined, react: () => [Confirmed({ cents: 1 })] },
      TimedOut: { react: () => {} },
    },
  });
  expectType<Process<AppEvent, Map<string, number>, { cents: number }, OwnEvent>>()(process);
  const consumers: readonly Consumer[] = [process];
  assert.equal((await consumers[0]?.runOnce())?.handled, 0);
  refuses(() => given(process, [Placed({ order: "1", cents: 1 })]).at(at));
  // @ts-expect-error what the store does not have
  refuses(() => given(process).when(defineEvent("Other")()));
});

test("Process does not compile when it is misused", () => {
  const parts = {
    name: "p",
    initialState: () => 0,
    evolve: (count: number, _event: OwnEvent) => count + 1,
  };
  const correlate = () => "1";
  const paid = Paid({ order: "1" });
  refuses(() => {
    // @ts-expect-error a type that the store does not have
    new Process(store, { ...parts, handlers: { Shipped: { correlate, react: () => {} } } });
    // @ts-expect-error an answer that is none of its own events
    new Process(store, { ...parts, handlers: { Paid: { correlate, react: () => paid } } });
    // @ts-expect-error a handler without its reaction
    new Process(store, { ...parts, handlers: { Paid: { correlate } } });
    // @ts-expect-error a bare function
    new Process(store, { ...parts, handlers: { Paid: () => {} } });
    // @ts-expect-error a key that is no text
    new Process(store, { ...parts, handlers: { Paid: { correlate: () => 1, react: () => {} } } });
    // @ts-expect-error it has one lane
    new Process(store, { ...parts, handlers: {}, lanes: 2 });
    // @ts-expect-error the next state is of another type
    new Process(store, { ...parts, evolve: (_: number, _event: OwnEvent) => "", handlers: {} });
    new Process(store, {
      ...parts,
      // @ts-expect-error an event that the store does not have
      evolve: (count: number, _event: { type: "Other"; data: undefined }) => count,
      handlers: {},
    });
    new Process(store, {
      ...parts,
      handlers: {
        Placed: {
          correlate,
          // @ts-expect-error an event of another stream cannot be scheduled as one of its own
          react: (_event, _state, { schedule }) => void schedule(paid, { at }),
        },
      },
    });
  });
});

test("Scheduler and Inbox take the store's events and its database handle", () => {
  assert.ok(new Scheduler(store) instanceof Scheduler);
  const inbox = new Inbox(store, { name: "broker" });
  refuses(async () => {
    const outcome = await inbox.once("id", async (context) => {
      expectType<Map<string, number>>()(context.db);
      await context.store.append("order:1", Paid({ order: "1" }));
      return 1;
    });
    if (outcome.handled) expectType<number>()(outcome.result);
    // @ts-expect-error a message that was handled earlier has no result
    outcome.result;
    // @ts-expect-error a time is a date
    await store.schedule("order:1", TimedOut(), { at: "tomorrow" });
    // @ts-expect-error an event that the store does not have
    await store.schedule("order:1", defineEvent("Other")(), { at });
    // @ts-expect-error an id is a text
    await store.unschedule(1);
  });
});
