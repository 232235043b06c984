import assert from "node:assert/strict";
import type { StoredSubject, Subjects } from "../../driver/subjects.ts";
import { defineEvent } from "../../event/define.ts";
import { SubjectForgotten } from "../../privacy/forgotten.ts";
import { subjectKeys } from "../../privacy/keys.ts";
import { EventStore } from "../../store/store.ts";
import { type Cases, lacks, rejects, type Rig, together } from "../rig.ts";

const Joined = defineEvent<{ member: string; name: string; at: Date }>()("Joined", {
  sensitive: { subject: ({ member }) => member, fields: { name: "[gone]", at: new Date(0) } },
});

const early = "2026-01-31T12:00:00.123Z";
const late = "2026-02-28T12:00:00.000Z";
const odd = `ünusual "subject" ' % 🔑`;

function row(subject: string, id: string = `id of ${subject}`): StoredSubject {
  return { subject, id, keys: JSON.stringify([{ of: id }]) };
}

const byId = (rows: readonly StoredSubject[]) =>
  rows.map(({ id, keys }) => [id, keys !== null]).sort();

/** The keys of subjects, whose events have sensitive fields. */
export const subjects: Cases = Object.fromEntries(
  Object.entries<(rig: Rig, keys: Subjects) => Promise<void>>({
    async "the row of a subject is made once, and found by its subject or id"(_, keys) {
      assert.deepEqual(await keys.read("", ["a"]), []);
      const rows = [row("b"), row("a"), row(odd)];
      assert.deepEqual(byId(await keys.make("", rows)), byId(rows));
      assert.deepEqual(await keys.make("", [row("a", "another")]), []);
      assert.deepEqual(await keys.make("", [row("c"), row("a", "another")]), [row("c")]);
      assert.deepEqual(await keys.read("", ["a", "unknown"]), [row("a")]);
      assert.deepEqual(await keys.read("", [odd]), [row(odd)]);
      assert.deepEqual(await keys.read("acme", ["a"]), []);
      await keys.make("acme", [row("a", "of acme")]);
      const found = await keys.find(["unknown", "of acme", "id of b", `id of ${odd}`]);
      assert.deepEqual(byId(found), byId([row("a", "of acme"), row("b"), row(odd)]));
      assert.deepEqual(byId(await keys.list("id of b", 2)), byId([row("c"), row(odd)]));
      assert.deepEqual((await keys.list(undefined, 10)).length, 5);
    },

    async "forgetting a subject removes its keys for ever"(_, keys) {
      await keys.make("", [row("a")]);
      await keys.make("acme", [row("a", "of acme")]);
      assert.equal(await keys.forgotten("", "a"), undefined);
      assert.equal(await keys.forgotten("", "unknown"), undefined);
      assert.deepEqual(await keys.forget("", "a", "new", early), { at: early, destroyed: true });
      assert.deepEqual(await keys.forget("", "a", "new", late), { at: early, destroyed: false });
      assert.deepEqual(await keys.forget("", "b", "id of b", late), {
        at: late,
        destroyed: false,
      });
      assert.deepEqual(await keys.forget("", "b", "new", late), { at: late, destroyed: false });
      assert.equal(await keys.forgotten("", "a"), early);
      assert.equal(await keys.forgotten("", "b"), late);
      assert.deepEqual(await keys.make("", [row("a", "next"), row("b", "next")]), []);
      assert.deepEqual(byId(await keys.read("", ["a", "b"])), [["id of a", false], [
        "id of b",
        false,
      ]]);
      assert.deepEqual(byId(await keys.find(["id of a", "of acme"])), [["id of a", false], [
        "of acme",
        true,
      ]]);
      assert.deepEqual(await keys.list(undefined, 10), [row("a", "of acme")]);
    },

    async "keys are replaced where they are those that were read"(_, keys) {
      await keys.make("", [row("a")]);
      const { keys: before } = row("a");
      assert.equal(await keys.replace("id of a", "others", "new"), false);
      assert.equal(await keys.replace("unknown", before!, "new"), false);
      assert.equal(await keys.replace("id of a", before!, "new"), true);
      assert.deepEqual(await keys.read("", ["a"]), [{ ...row("a"), keys: "new" }]);
      await keys.forget("", "a", "other", early);
      assert.equal(await keys.replace("id of a", "new", "newer"), false);
      assert.deepEqual(await keys.read("", ["a"]), [{ ...row("a"), keys: null }]);
    },

    async "keys go with the transaction that made or forgot them"({ driver }, keys) {
      if (!driver.capabilities.transactions) return;
      const undone = new RangeError("undone");
      await keys.make("", [row("a")]);
      await assert.rejects(
        driver.transaction(async (session) => {
          await session.keys!.make("", [row("b")]);
          await session.keys!.forget("", "a", "new", early);
          assert.deepEqual(byId(await session.keys!.read("", ["a", "b"])), [
            ["id of a", false],
            ["id of b", true],
          ]);
          throw undone;
        }),
        undone,
      );
      assert.deepEqual(await keys.read("", ["a", "b"]), [row("a")]);
      assert.equal(await keys.forgotten("", "a"), undefined);
      // A first use that has not committed yet is not missed.
      let forgotten: Promise<unknown> | undefined;
      await driver.transaction(async (session) => {
        await session.keys!.make("", [row("c")]);
        forgotten = keys.forget("", "c", "new", late);
        forgotten.catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 20));
      });
      assert.deepEqual(await forgotten, { at: late, destroyed: true });
      assert.deepEqual(await keys.read("", ["c"]), [{ ...row("c"), keys: null }]);
    },

    async "a store seals what is a person's, and reads masks once they are forgotten"({ driver }) {
      const events = [Joined, SubjectForgotten];
      const store = new EventStore(driver, { events, keys: subjectKeys() });
      const data = (member: string) => ({ member, name: `Ada \0 ${member}`, at: new Date(7) });
      const racers = Array.from({ length: 8 }, (_, index) => index % 2 === 0 ? "u-1" : "u-2");
      const results = await together(
        racers.map((member) => store.append("club:1", Joined(data(member)))),
      );
      assert.deepEqual(results.map(({ events: [event] }) => event.data), racers.map(data));
      const { events: stored } = await driver.load({
        ...{ tenantId: "", streamId: "club:1", from: 1, to: 100, limit: 100, backwards: false },
      });
      assert.ok(!JSON.stringify(stored).includes("Ada "), "nothing is stored in the clear");
      const { at, keys } = await store.forget("u-1");
      assert.equal(keys, 1);
      assert.deepEqual(await store.forgotten("u-1"), at);
      assert.deepEqual(await store.forget("u-1"), { subject: "u-1", at, keys: 0 });
      const masked = { member: "u-1", name: "[gone]", at: new Date(0) };
      const late = await store.append("club:1", Joined(data("u-1")));
      assert.deepEqual(late.events[0].data, masked);
      const expected = [
        ...racers.map((member) => member === "u-1" ? masked : data(member)),
        masked,
      ];
      const read = await new EventStore(driver, { events, keys: subjectKeys() }).load("club:1");
      assert.deepEqual(read.map((event) => event.data), expected);
      const [notice, ...others] = await store.load("$subject:u-1");
      assert.deepEqual([notice?.data, others], [{ subject: "u-1" }, []]);
    },
  }).map(([name, run]) => [
    name,
    async (rig: Rig) => {
      const { keys } = rig.driver;
      if (keys !== undefined) return await run(rig, keys);
      const make = async () =>
        new EventStore(rig.driver, { events: [Joined], keys: subjectKeys() });
      await rejects(make(), "UNSUPPORTED");
      await lacks(rig, make);
    },
  ]),
);
