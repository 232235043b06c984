import assert from "node:assert/strict";
import type { Driver, Session } from "../../driver/driver.ts";
import type { DueEvent, DueQuery, NewScheduledEvent, Schedule } from "../../driver/schedule.ts";
import { Scheduler } from "../../process/scheduler.ts";
import { type Cases, dataOf, lacks, newEvent, Noted, rejects, type Rig } from "../rig.ts";

const hour = 3_600_000;
const everything: DueQuery = { tenantId: undefined, id: undefined, limit: 10 };

/** An event that is due since so many milliseconds. */
function since(ago: number, fields: Partial<NewScheduledEvent> = {}): NewScheduledEvent {
  const { createdAt: _, ...encoded } = newEvent();
  return { ...encoded, tenantId: "", streamId: "s", dueAt: Date.now() - ago, ...fields };
}

async function add(to: Schedule, ...events: readonly NewScheduledEvent[]): Promise<void> {
  for (const event of events) await to.add(event);
}

async function take(
  driver: Driver,
  query: Partial<DueQuery> = {},
): Promise<readonly DueEvent[]> {
  return await driver.transaction((session) =>
    scheduleOf(session).take({ ...everything, ...query })
  );
}

async function ids(driver: Driver, query?: Partial<DueQuery>): Promise<readonly string[]> {
  return (await take(driver, query)).map(({ id }) => id);
}

function scheduleOf(session: Session): Schedule {
  assert.ok(session.schedule !== undefined, "a transaction has the schedule of its driver");
  return session.schedule;
}

async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const failure = { attempts: 1, error: "broken", delay: hour };

/** The events that wait for their time. */
export const schedule: Cases = Object.fromEntries(
  Object.entries<(rig: Rig, schedule: Schedule) => Promise<void>>({
    async "take() returns an event as it was added, once"({ driver }, schedule) {
      const rich = since(hour, {
        ...{ data: '{"a":[1,"é"]}', metadata: '{"b":2}', codec: '{"/data/a":"set"}' },
        ...{ tags: ["x", "y"], published: true, schemaVersion: 3, tenantId: "acme" },
      });
      const plain = since(hour - 1, { streamId: "t" });
      assert.deepEqual(await schedule.add(rich).then(placeOf), placeOf(rich));
      await add(schedule, plain);
      const taken = await take(driver);
      assert.deepEqual(taken.map(essence), [rich, plain].map(essence));
      assert.deepEqual(taken.map(({ attempts }) => attempts), [0, 0]);
      assert.deepEqual(await take(driver), []);
    },

    async "take() returns what is due, by its time, and no more than wanted"({ driver }, schedule) {
      await add(
        schedule,
        since(1000, { id: "c", streamId: "c" }),
        since(3000, { id: "a", streamId: "a" }),
        since(-hour, { id: "later", streamId: "later" }),
        since(2000, { id: "b", streamId: "b" }),
      );
      assert.deepEqual(await ids(driver, { limit: 2 }), ["a", "b"]);
      assert.deepEqual(await ids(driver, { limit: 2 }), ["c"]);
    },

    async "take() returns the first of each stream"({ driver }, schedule) {
      const at = { dueAt: Date.now() - 1000 };
      await add(
        schedule,
        since(0, { id: "2", ...at }),
        since(0, { id: "3", ...at }),
        since(2000, { id: "1" }),
        since(500, { id: "other", tenantId: "acme" }),
        since(-hour, { id: "4" }),
      );
      assert.deepEqual(await ids(driver), ["1", "other"]);
      assert.deepEqual(await ids(driver), ["2"]);
      assert.deepEqual(await ids(driver), ["3"]);
      assert.deepEqual(await ids(driver), []);
    },

    async "take() returns what is of a tenant, or of an id, only"({ driver }, schedule) {
      await add(
        schedule,
        since(3000, { id: "a", tenantId: "acme" }),
        since(2000, { id: "b", streamId: "b" }),
        since(1000, { id: "c", streamId: "c" }),
      );
      assert.deepEqual(await ids(driver, { tenantId: "", id: "a" }), []);
      assert.deepEqual(await ids(driver, { tenantId: "", id: "c" }), ["c"]);
      assert.deepEqual(await ids(driver, { tenantId: "" }), ["b"]);
      assert.deepEqual(await ids(driver, { tenantId: "acme" }), ["a"]);
    },

    async "what is done in a transaction that is rolled back is undone"({ driver }, schedule) {
      await add(schedule, since(2000, { id: "a", streamId: "a" }), since(1000, { id: "b" }));
      const work = driver.transaction(async (session) => {
        await add(scheduleOf(session), since(500, { id: "c", streamId: "c" }));
        assert.equal(await scheduleOf(session).remove("", "b"), true);
        const taken = await scheduleOf(session).take(everything);
        assert.deepEqual(taken.map(({ id }) => id), ["a", "c"]);
        throw new RangeError("refused");
      });
      await assert.rejects(work, RangeError);
      assert.deepEqual(await ids(driver), ["a", "b"]);
    },

    async "add() keeps what waits under an id of the tenant"({ driver }, schedule) {
      const first = since(2000, { id: "a", data: "1" });
      const again = since(-hour, { id: "a", data: "2", streamId: "t" });
      await add(schedule, first);
      assert.deepEqual(placeOf(await schedule.add(again)), placeOf(first));
      await add(schedule, { ...again, ...since(1000, { id: "a", tenantId: "acme" }) });
      const taken = await take(driver);
      assert.deepEqual(taken.map(({ tenantId, data }) => [tenantId, data]), [["", "1"], [
        "acme",
        null,
      ]]);
      await add(schedule, again);
      assert.deepEqual(await schedule.count(undefined), { waiting: 1, failed: 0 });
    },

    async "remove() removes one event, and says whether it was there"({ driver }, schedule) {
      await add(
        schedule,
        since(2000, { id: "a" }),
        since(1000, { id: "a", tenantId: "acme" }),
        since(-hour, { id: "b" }),
      );
      const removed = await Promise.all(["a", "b", "c"].map((id) => schedule.remove("", id)));
      assert.deepEqual(removed, [true, true, false]);
      assert.deepEqual((await take(driver)).map(({ tenantId }) => tenantId), ["acme"]);
      assert.equal(await schedule.remove("acme", "a"), false);
    },

    async "two transactions take different events, and none that is removed"(rig, schedule) {
      const second = await rig.second();
      await add(
        schedule,
        since(3000, { id: "1" }),
        since(2000, { id: "2" }),
        since(1000, { id: "t", streamId: "t" }),
      );
      let others: Promise<[readonly string[], boolean]> | undefined;
      const first = await rig.driver.transaction(async (session) => {
        const taken = await scheduleOf(session).take({ ...everything, limit: 1 });
        others = Promise.all([ids(second), second.schedule!.remove("", "1")]);
        others.catch(() => {});
        await pause(20);
        return taken.map(({ id }) => id);
      });
      const [taken, removed] = await others!;
      assert.deepEqual([first, removed], [["1"], false]);
      const rest = [...taken, ...await ids(rig.driver)];
      assert.deepEqual(rest.toSorted(), ["2", "t"]);
    },

    async "fail() delays an event, and what is behind it in its stream"({ driver }, schedule) {
      await add(
        schedule,
        since(3000, { id: "1" }),
        since(2000, { id: "2" }),
        since(1000, { id: "t", streamId: "t" }),
        since(500, { id: "1", tenantId: "acme", streamId: "t" }),
      );
      await schedule.fail("", "1", failure);
      assert.deepEqual(await ids(driver), ["t", "1"]);
      assert.deepEqual(await schedule.failed(undefined), []);
      await schedule.fail("", "1", { ...failure, delay: 5 });
      await pause(20);
      await add(schedule, since(hour, { id: "0" }));
      const [again] = await take(driver);
      assert.deepEqual([again?.id, again?.attempts], ["1", 1]);
      assert.deepEqual(await ids(driver), ["0"]);
      assert.deepEqual(await ids(driver), ["2"]);
    },

    async "fail() without a delay ends it, until retry() puts it first"({ driver }, schedule) {
      const events = [since(2000, { id: "1" }), since(1000, { id: "2" })];
      await add(schedule, ...events, since(500, { id: "1", tenantId: "acme" }));
      await schedule.fail("", "1", { attempts: 3, error: "broken", delay: undefined });
      assert.deepEqual(await ids(driver), ["1"], "that of the other tenant");
      assert.equal(await schedule.next(undefined), undefined);
      const [found, ...others] = await schedule.failed("");
      const { failedAt, ...rest } = found!;
      assert.ok(Math.abs(Date.now() - failedAt) < hour);
      assert.deepEqual([rest, others], [
        { tenantId: "", id: "1", streamId: "s", type: "Noted", attempts: 3, error: "broken" },
        [],
      ]);
      assert.deepEqual(await schedule.failed("acme"), []);
      assert.deepEqual(await schedule.count(""), { waiting: 1, failed: 1 });
      assert.deepEqual(await Promise.all(["1", "2", "3"].map((id) => schedule.retry("", id))), [
        ...[true, false, false],
      ]);
      const [first] = await take(driver);
      assert.deepEqual([first?.id, first?.attempts], ["1", 0]);
      assert.deepEqual(await ids(driver), ["2"]);
      assert.deepEqual(await schedule.failed(""), []);
    },

    async "next() returns when the next event will be due"(_rig, schedule) {
      const isNear = async (delay: number, tenantId?: string) => {
        const next = await schedule.next(tenantId);
        assert.ok(Math.abs(next! - delay) < 60_000, `${next} is about ${delay}`);
      };
      assert.equal(await schedule.next(undefined), undefined);
      await add(
        schedule,
        since(1000, { id: "due" }),
        since(-3 * hour, { id: "c" }),
        since(-2 * hour, { id: "b", tenantId: "acme" }),
      );
      await isNear(2 * hour);
      await isNear(2 * hour, "acme");
      await isNear(3 * hour, "");
      await schedule.fail("", "due", failure);
      await isNear(hour);
      assert.deepEqual(await schedule.count(undefined), { waiting: 3, failed: 0 });
      assert.deepEqual(await schedule.count("acme"), { waiting: 1, failed: 0 });
    },

    async "what is scheduled goes with its stream"({ driver }, schedule) {
      await add(
        schedule,
        since(3000, { id: "a" }),
        since(2000, { id: "b", streamId: "s2" }),
        since(1000, { id: "c", tenantId: "acme" }),
      );
      await driver.delete("", "s");
      assert.deepEqual(await ids(driver), ["b", "c"]);
    },

    async "a scheduler appends what is due, and what is unscheduled never"({ store }) {
      const at = new Date(Date.now() - 1000);
      await store.schedule("a", Noted(1), { at });
      await store.schedule("a", Noted(2, { id: "cancelled" }), { at });
      await store.schedule("a", Noted(3), { at });
      assert.equal(await store.unschedule("cancelled"), true);
      const scheduler = new Scheduler(store, { batchSize: 2 });
      assert.deepEqual(await scheduler.runOnce(), { delivered: 2, failed: 0 });
      const events = await store.load("a");
      assert.deepEqual(dataOf(events), [1, 3]);
      assert.deepEqual(events[0]!.metadata["dueAt"], at);
      assert.equal(await store.unschedule(events[0]!.id), false);
    },
  }).map(([name, run]) => [
    name,
    async (rig: Rig) => {
      const { schedule, capabilities } = rig.driver;
      if (schedule !== undefined && capabilities.transactions) return await run(rig, schedule);
      await rejects(rig.store.schedule("a", Noted(1), { at: new Date() }), "UNSUPPORTED");
      await lacks(rig, async () => new Scheduler(rig.store));
    },
  ]),
);

function placeOf({ streamId, dueAt }: Pick<NewScheduledEvent, "streamId" | "dueAt">) {
  return { streamId, dueAt };
}

function essence(event: NewScheduledEvent): unknown {
  const { tenantId, streamId, dueAt, id, type, schemaVersion, published, tags } = event;
  const [data, metadata, codec] = [event.data, event.metadata, event.codec].map((json) =>
    json === null ? null : JSON.parse(json)
  );
  return {
    ...{ tenantId, streamId, dueAt, id, type, schemaVersion, published },
    ...{ tags: [...tags], data, metadata, codec },
  };
}
