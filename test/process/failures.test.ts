// What counts as a failure of a scheduled event, and what a process meets that is not of its making.
import {
  ConnectionError,
  defineEvent,
  type EventOf,
  EventStore,
  isEventSourceryError,
  PermanentError,
  Process,
  Scheduler,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { subjectKeys } from "event-sourcery/privacy";
import assert from "node:assert/strict";
import { test } from "node:test";

const Due = defineEvent<{ number: number }>()("Due");
const past = () => new Date(Date.now() - 1000);

test("a connection that is lost is no failure of the event", async () => {
  let calls = 0;
  const store = new EventStore(memory(), {
    events: [Due],
    subscriptions: {
      Due: [() => {
        calls++;
        throw new ConnectionError();
      }],
    },
  });
  await store.schedule("a", Due({ number: 1 }), { at: past() });
  const scheduler = new Scheduler(store, { retry: { attempts: 1 } });
  await assert.rejects(scheduler.runOnce(), (error) => isEventSourceryError(error, "CONNECTION"));
  assert.equal(calls, 1, "nor is it tried again at once");
  assert.deepEqual(await scheduler.failed(), []);
  assert.equal((await scheduler.status()).waiting, 1);
});

test("among others, too, once each is tried on its own", async () => {
  const calls: number[] = [];
  const store = new EventStore(memory(), {
    events: [Due],
    subscriptions: {
      Due: [({ data: { number } }) => {
        calls.push(number);
        if (number === 2) throw new RangeError("broken");
        if (calls.length > 2) throw new ConnectionError();
      }],
    },
  });
  await store.schedule("a", Due({ number: 1 }), { at: past() });
  await store.schedule("b", Due({ number: 2 }), { at: past() });
  const scheduler = new Scheduler(store, { retry: { attempts: 1 } });
  await assert.rejects(scheduler.runOnce(), (error) => isEventSourceryError(error, "CONNECTION"));
  assert.deepEqual([calls, await scheduler.failed()], [[1, 2, 1], []]);
});

test("an event whose handler throws a PermanentError fails at once", async () => {
  const store = new EventStore(memory(), {
    events: [Due],
    subscriptions: {
      Due: [() => {
        throw new PermanentError("no such account");
      }],
    },
  });
  await store.schedule("a", Due({ number: 1 }, { id: "due" }), { at: past() });
  const scheduler = new Scheduler(store, { retry: { attempts: 10 } });
  assert.deepEqual(await scheduler.runOnce(), { delivered: 0, failed: 1 });
  assert.deepEqual((await scheduler.failed()).map(({ id, attempts }) => [id, attempts]), [
    ["due", 1],
  ]);
});

test("what is kept of the failure of a sealed event is the error's name", async () => {
  const Mailed = defineEvent<{ user: string; email: string }>()("Mailed", {
    sensitive: { subject: ({ user }) => user, fields: { email: "[gone]" } },
  });
  const store = new EventStore(memory(), {
    events: [Mailed],
    keys: subjectKeys(),
    subscriptions: {
      Mailed: [({ data }) => {
        throw new RangeError(`cannot reach ${data.email}`);
      }],
    },
  });
  await store.schedule("ada", Mailed({ user: "ada", email: "ada@b.c" }), { at: past() });
  const scheduler = new Scheduler(store, { retry: { attempts: 1 } });
  assert.deepEqual(await scheduler.runOnce(), { delivered: 0, failed: 1 });
  const [failed] = await scheduler.failed();
  assert.match(failed!.error, /RangeError/);
  assert.doesNotMatch(failed!.error, /ada@b\.c/);
});

test(
  "Process passes over events in its own stream that this release does not know, and is told the attempt",
  { timeout: 30_000 },
  async () => {
    const Asked = defineEvent<{ of: string }>()("Asked");
    const Answered = defineEvent("Answered");
    const Retired = defineEvent("Retired");
    const driver = memory();
    await new EventStore(driver, { events: [Retired] }).append("clerk:ada", Retired());
    const store = new EventStore(driver, { events: [Asked, Answered], unknownEvents: "keep" });
    const attempts: number[] = [];
    const clerk = new Process(store, {
      ...{ name: "clerk", retry: { minDelay: 0, maxDelay: 0 } },
      initialState: (): number => 0,
      evolve: (count, event: EventOf<typeof Answered>) => {
        assert.equal(event.type, "Answered");
        return count + 1;
      },
      handlers: {
        Asked: {
          correlate: ({ data }) => data.of,
          react: (_event, count, { attempt }) => {
            if (attempts.push(attempt) < 3) throw new RangeError("not yet");
            assert.equal(count, 0);
            return Answered();
          },
        },
      },
    });
    await store.append("ask:1", Asked({ of: "ada" }));
    await store.append("ask:2", Asked({ of: "bob" }));
    while ((await clerk.parked()).length > 0 || (await clerk.status()).lag > 0) await clerk.drain();
    assert.equal(await store.version("clerk:ada"), 2);
    assert.ok(attempts.includes(2), `attempts ${attempts}`);
  },
);
