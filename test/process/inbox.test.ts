// A message is handled once, however often it is delivered, and what comes of it is committed with its mark.
import { defineEvent, EventStore, Inbox, isEventSourceryError } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { places } from "../support/places.ts";
import { Chance, seed } from "../support/seed.ts";

const timeout = 60_000;
const Paid = defineEvent<{ message: string }>()("Paid");
const options = { events: [Paid] } as const;
const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

for (const [name, open] of Object.entries(places)) {
  test(`${name}: of many deliveries of many messages, each is handled once (SEED=${seed})`, {
    timeout,
  }, async () => {
    const { driver, another, close } = await open();
    after(close);
    const stores = [driver, another].map((one) => new EventStore(one, options));
    const chance = new Chance(seed);
    let [handled, duplicates, crashes] = [0, 0, 0];
    const work = async (worker: number) => {
      const store = stores[worker % 2]!;
      const inbox = new Inbox(store, { name: "payments" });
      for (let message = 0; message < 20; message++) {
        // A crashed delivery comes again.
        for (let again = true; again;) {
          const crashesHere = chance.below(5) === 0;
          try {
            const done = await inbox.once(`m${message}`, async ({ store }) => {
              await store.append(`order:${message}`, Paid({ message: `m${message}` }));
              if (crashesHere) throw new RangeError("crash");
            });
            if (done.handled) handled++;
            else duplicates++;
            again = false;
          } catch (error) {
            if (!(error instanceof RangeError)) throw error;
            crashes++;
          }
        }
      }
    };
    await Promise.all(Array.from({ length: 6 }, (_, worker) => work(worker)));
    assert.deepEqual([handled, duplicates], [20, 100], `${crashes} crashes`);
    const streams = await Promise.all(
      Array.from({ length: 20 }, (_, message) => stores[0]!.version(`order:${message}`)),
    );
    assert.deepEqual(streams, Array(20).fill(1));
  });

  test(`${name}: a delivery that takes too long fails the second one, which leaves nothing`, {
    timeout,
  }, async () => {
    const { driver, another, close } = await open(150);
    after(close);
    const [first, second] = [driver, another].map((one) =>
      new Inbox(new EventStore(one, options), { name: "payments" })
    );
    const held = first!.once("m", () => pause(700));
    await pause(50);
    const start = performance.now();
    const late = second!.once("m", () => assert.fail("it is under way"));
    await assert.rejects(late, (error) => isEventSourceryError(error, "BUSY") && error.retryable);
    assert.ok(performance.now() - start < 600);
    assert.equal((await held).handled, true);
    assert.equal((await second!.once("m", () => {})).handled, false);
  });

  test(`${name}: an inbox takes part in the caller's transaction`, { timeout }, async () => {
    const { driver, begin, close } = await open();
    after(close);
    const store = new EventStore(driver, options);
    const once = async (db: unknown, message: string, fails = false) =>
      await new Inbox(store.using(db), { name: "payments" }).once(message, async ({ store }) => {
        await store.append("order:1", Paid({ message }));
        if (fails) throw new RangeError("refused");
      });
    if (name !== "memory") { // where there is no transaction of others to join
      await assert.rejects(
        begin(async (db) => {
          await once(db, "a");
          throw new RangeError("rolled back");
        }),
        RangeError,
      );
      await begin(async (db) => {
        // A savepoint: the rest of the transaction goes on.
        await assert.rejects(once(db, "a", true), RangeError);
        assert.equal((await once(db, "a")).handled, true);
        assert.equal((await once(db, "a")).handled, false);
      });
    }
    await store.transaction(async ({ store }) => {
      const inbox = new Inbox(store, { name: "payments" });
      assert.equal((await inbox.once("b", () => {})).handled, true);
    });
    const inbox = new Inbox(store, { name: "payments" });
    assert.equal((await inbox.once("b", () => {})).handled, false);
    assert.equal(await store.version("order:1"), name === "memory" ? 0 : 1);
  });

  test(`${name}: tenants and inboxes handle the same message, each once`, { timeout }, async () => {
    const { driver, close } = await open();
    after(close);
    const store = new EventStore(driver, options);
    for (const tenantId of ["a", "b"]) {
      for (const name of ["payments", "mails"]) {
        const inbox = new Inbox(store.scope({ tenantId }), { name });
        const work = ({ store }: { store: EventStore<never, unknown> | object }) => store;
        assert.equal((await inbox.once("m", work)).handled, true);
        assert.equal((await inbox.once("m", work)).handled, false);
      }
    }
  });

  test(`${name}: each hundredth message removes what is older than the inbox keeps`, {
    timeout,
  }, async () => {
    const { driver, another, close } = await open();
    after(close);
    const cleaned: [string, number, number][] = [];
    const store = new EventStore(
      new Proxy(driver, {
        get(target, member) {
          if (member === "inbox") {
            return {
              mark: target.inbox!.mark.bind(target.inbox),
              async clean(...given: [string, number, number]) {
                cleaned.push(given);
                await target.inbox!.clean(...given);
              },
            };
          }
          const value: unknown = Reflect.get(target, member, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      }),
      options,
    );
    // Made anew for each message, as in a server.
    const once = (message: string, keep: number) =>
      new Inbox(store, { name: "payments", keep }).once(message, () => {});
    await once("old", 1);
    await pause(10);
    for (let index = 1; index < 99; index++) await once(`m${index}`, 60_000);
    assert.deepEqual(cleaned, []);
    const beside = new Inbox(new EventStore(another, options), { name: "payments" });
    await Promise.all([
      ...Array.from({ length: 5 }, (_, index) => beside.once(`beside ${index}`, () => pause(5))),
      once("last", 5),
    ]);
    assert.deepEqual(cleaned, [["payments", 5, 1000]]);
    assert.equal((await once("old", 60_000)).handled, true, "it was forgotten");
  });
}

test("Postgres: what follows a mark waits for locks as the caller has said", async () => {
  const { driver, begin, execute, close } = await places["Postgres"]!(4321);
  after(close);
  const store = new EventStore(driver, options);
  const patience = async (db: unknown) =>
    JSON.stringify(await execute!(db, "select current_setting('lock_timeout') as patience"));
  await begin(async (db) => {
    await execute!(db, "set local lock_timeout = '77s'");
    const inbox = new Inbox(store.using(db), { name: "payments" });
    for (let count = 0; count < 2; count++) await inbox.once("m", () => {});
    assert.match(await patience(db), /77s/);
  });
});

test("a mark that cannot be removed is told to the store, and costs the message nothing", async () => {
  const driver = memory();
  const errors: unknown[] = [];
  const { inbox } = driver;
  const failing = Object.assign(driver, {
    inbox: {
      mark: inbox!.mark.bind(inbox),
      clean: () => Promise.reject(new Error("read-only")),
    },
  });
  const store = new EventStore(failing, {
    ...options,
    onError: (_, context) => void errors.push(context),
  });
  const payments = new Inbox(store, { name: "payments" });
  for (let count = 0; count < 100; count++) await payments.once(`m${count}`, () => {});
  assert.deepEqual(errors, [{ phase: "inbox", inbox: "payments" }]);
});

test("Inbox refuses options and ids that are malformed, and drivers that cannot", async () => {
  const store = new EventStore(memory(), options);
  for (const wrong of [{ name: "" }, { name: 1 }, { name: "a", keep: 0 }, undefined]) {
    assert.throws(() => new Inbox(store, wrong as { name: string }), /name|keep|options/);
  }
  assert.throws(() => new Inbox({} as typeof store, { name: "a" }), /store must be/);
  const inbox = new Inbox(store, { name: "a" });
  await assert.rejects(inbox.once("", () => {}), RangeError);
  await assert.rejects(inbox.once("m", undefined as never), TypeError);
  for (const lacking of [{ inbox: undefined }, { capabilities: { transactions: false } }]) {
    const driver = Object.assign(memory(), lacking);
    assert.throws(
      () => new Inbox(new EventStore(driver, options), { name: "a" }),
      (error) => isEventSourceryError(error, "UNSUPPORTED"),
    );
  }
});
