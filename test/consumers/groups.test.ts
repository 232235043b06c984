// Failures in bulk: grouped by their cause, redriven and given up together; a rebuild that shows how far it is.
import { defineEvent, EventStore, PermanentError, Projection, Subscription } from "event-sourcery";
import { inspect } from "event-sourcery/inspect";
import { memory } from "event-sourcery/memory";
import { subjectKeys } from "event-sourcery/privacy";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fingerprintOf } from "../../src/errors/describe.ts";
import { places } from "../support/places.ts";

const timeout = 60_000;
const Invited = defineEvent<{ email: string }>()("Invited");

test("failures of one kind have one fingerprint, whatever values their messages hold", () => {
  const of = (text: string, streamId = "user:ada", consumer = "mailer") =>
    fingerprintOf(consumer, text, streamId);
  const alike = [
    [
      'Error: no user "Ada" at 10:31 in order:42',
      'Error: no user "Bob \\"B\\" C" at 11:02 in order:7',
    ],
    ["RangeError: 17 is too large", "RangeError: 4,711.5 is too large"],
    ["Error: ada@example.com was refused", "Error: bob@example.org was refused"],
    ["Error: cannot open /tmp/a", "Error: cannot open /var/lib/b"],
    ["Error: 6f9619ff-8b86-d011-b42d-00cf4fc964ff", "Error: 0c0b5d2e-7a10-4d0b-9d3c-55d1c2f0a001"],
    ['Error: of {"a":1}', 'Error: of {"b":[2]}'],
    ["Error: it broke\nat line 1", "Error: it broke\nat line 99"],
    ["Error: items 1, 2, 3 lack", "Error: items 4 lack"],
    ["Error: 550 <ada @example.org> is no address", "Error: 550 <bob> is no address"],
  ];
  for (const [a = "", b = ""] of alike) assert.equal(of(a), of(b), a);
  assert.equal(of("Error: ada is gone"), of("Error: bob is gone", "user:bob"), "the stream's id");
  const different = new Set([
    ...[
      of("Error: gone"),
      of("TypeError: gone"),
      of("Error: refused"),
      of("Error: gone", "a", "b"),
    ],
    of("Error: the mailbox of ada is full", "x"),
  ]);
  assert.equal(different.size, 5);
  for (const group of different) assert.match(group, /^[0-9a-z]{10}$/);
});

for (const [name, open] of Object.entries(places)) {
  test(`${name}: streams that failed alike are one group, redriven and given up together`, {
    timeout,
  }, async () => {
    const { driver, close } = await open();
    after(close);
    const store = new EventStore(driver, { events: [Invited] });
    let broken = true;
    const sent: string[] = [];
    const mailer = new Subscription(store, {
      name: "mailer",
      handler({ data: { email } }) {
        if (broken && email.startsWith("a")) {
          throw new PermanentError(`mailbox of ${email} is full`);
        }
        if (broken) throw new PermanentError(`no mailbox ${email}`);
        sent.push(email);
      },
    });
    for (const index of Array(6).keys()) {
      const email = `${index < 4 ? "a" : "b"}${index}@example.com`;
      await store.append(`user:${index}`, [
        Invited({ email }),
        Invited({ email: `again ${email}` }),
      ]);
    }
    assert.deepEqual(await mailer.parkedGroups(), []);
    await mailer.drain();
    const [full, none, ...others] = await mailer.parkedGroups();
    assert.deepEqual([full?.streams, none?.streams, others.length], [4, 2, 0]);
    assert.equal(full!.retrying, 0);
    assert.match(full!.error!, /mailbox of a\d@example\.com is full/);
    const [parked] = await mailer.parked();
    assert.deepEqual([parked!.group, parked!.redriven], [full!.group, 0]);
    assert.deepEqual(parked!.firstFailedAt, parked!.failedAt);
    const inspector = inspect(store);
    const shown = await inspector.parkedGroups({ consumer: { name: "mailer" }, limit: 1 });
    assert.deepEqual(
      shown.map(({ consumer, version, group, streams }) => [
        ...[consumer, version, group, streams],
      ]),
      [["mailer", 1, full!.group, 4]],
    );
    assert.equal((await inspector.parked()).streams[0]!.group, full!.group);

    // Nothing was mended: they fail again, and their history goes on.
    assert.equal(await mailer.redrive({ group: full!.group }), 4);
    await mailer.drain();
    const again = (await mailer.parked()).find(({ streamId }) => streamId === parked!.streamId)!;
    assert.deepEqual([again.group, again.redriven, again.attempts], [full!.group, 1, 1]);
    assert.deepEqual(again.firstFailedAt, parked!.firstFailedAt);

    broken = false;
    assert.equal(await mailer.redrive({ group: full!.group, limit: 3 }), 3);
    assert.equal(await mailer.redrive({ group: full!.group, limit: 3 }), 1);
    assert.equal(await mailer.redrive({ group: full!.group, limit: 3 }), 0);
    assert.equal(await mailer.discard({ group: none!.group }), 2);
    assert.equal(await mailer.discard({ group: none!.group }), 0);
    await mailer.drain();
    assert.deepEqual(await mailer.parked(), []);
    const own = (text: string) => sent.filter((email) => email.includes(text)).length;
    assert.equal(sent.length, 10, "all but the two that were given up");
    assert.equal(own("again b"), 2);
    await assert.rejects(mailer.redrive({ group: "" }), RangeError);
    await assert.rejects(mailer.discard({ group: "x", limit: 0 }), RangeError);
  });

  test(`${name}: rebuild() tells how far it is, and its end`, { timeout }, async () => {
    const { driver, close } = await open();
    after(close);
    const store = new EventStore(driver, { events: [Invited] });
    const emails = Array.from({ length: 50 }, (_, index) => Invited({ email: `${index}` }));
    await store.append("user:1", emails);
    const seen: string[] = [];
    const view = new Projection(store, {
      name: "view",
      handlers: { Invited: ({ data }) => void seen.push(data.email) },
      reset: () => void seen.splice(0),
    });
    await view.drain();
    const told: (readonly [number, number, number | undefined])[] = [];
    const { handled } = await view.rebuild({
      onProgress: ({ position, head, rate, remaining }) => {
        assert.ok(rate >= 0);
        told.push([position, head, remaining]);
      },
    });
    const head = await store.position();
    assert.deepEqual(told.at(-1), [head, head, 0]);
    assert.deepEqual([handled, seen.length], [50, 50]);
    const failing = view.rebuild({
      onProgress() {
        throw new RangeError("no terminal");
      },
    });
    await assert.rejects(failing, RangeError);
    assert.equal(seen.length, 50, "after the replay has ended");
    await assert.rejects(view.rebuild({ onProgress: 1 as never }), TypeError);
  });
}

test("a group of sealed events shows the error's name only", async () => {
  const Mailed = defineEvent<{ user: string; email: string }>()("Mailed", {
    sensitive: { subject: ({ user }) => user, fields: { email: "[gone]" } },
  });
  const store = new EventStore(memory(), { events: [Mailed], keys: subjectKeys() });
  const mailer = new Subscription(store, {
    name: "mailer",
    handler({ data }) {
      throw new PermanentError(`no mailbox ${data.email}`);
    },
  });
  await store.append("user:1", Mailed({ user: "ada", email: "ada@b.c" }));
  await mailer.drain();
  assert.doesNotMatch(JSON.stringify(await mailer.parkedGroups()), /ada@b\.c/);
  const poor = new Subscription(
    new EventStore(Object.assign(memory(), { checkpoints: withoutGroups() }), {
      events: [Invited],
    }),
    { name: "poor", handler() {} },
  );
  await assert.rejects(poor.parkedGroups(), { code: "UNSUPPORTED" });
  await assert.rejects(poor.redrive({ group: "x" }), { code: "UNSUPPORTED" });
});

function withoutGroups() {
  return Object.assign(memory().checkpoints!, { parkedGroups: undefined });
}
