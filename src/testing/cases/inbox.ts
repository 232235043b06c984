import assert from "node:assert/strict";
import type { Session } from "../../driver/driver.ts";
import type { HandledMessages, MessageKey } from "../../driver/inbox.ts";
import { Inbox } from "../../process/inbox.ts";
import { type Cases, lacks, Noted, type Rig } from "../rig.ts";

const message: MessageKey = { tenantId: "", name: "inbox", messageId: "m" };

/** Marks a message in a transaction of its own. */
async function mark({ driver }: Rig, key: Partial<MessageKey> = {}): Promise<boolean> {
  return await driver.transaction((session) => marksOf(session).mark({ ...message, ...key }));
}

function marksOf(session: Session): HandledMessages {
  assert.ok(session.inbox !== undefined, "a transaction has the inbox of its driver");
  return session.inbox;
}

async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The messages that an inbox has handled. */
export const inbox: Cases = Object.fromEntries(
  Object.entries<(rig: Rig, marks: HandledMessages) => Promise<void>>({
    async "mark() marks a message once for each tenant, inbox and id"(rig) {
      const keys = [{}, { tenantId: "acme" }, { name: "other" }, { messageId: "M" }];
      for (const key of keys) assert.equal(await mark(rig, key), true, JSON.stringify(key));
      for (const key of keys) assert.equal(await mark(rig, key), false, JSON.stringify(key));
      await rig.driver.transaction(async (session) => {
        assert.equal(await marksOf(session).mark({ ...message, messageId: "n" }), true);
        assert.equal(await marksOf(session).mark({ ...message, messageId: "n" }), false);
      });
    },

    async "mark() marks nothing in a transaction or savepoint that is rolled back"(rig) {
      const marked = async (session: Session) => {
        assert.equal(await marksOf(session).mark(message), true);
        throw new RangeError("refused");
      };
      await assert.rejects(rig.driver.transaction(marked), RangeError);
      await rig.driver.transaction(async (session) => {
        await assert.rejects(session.transaction(marked), RangeError);
        assert.equal(await marksOf(session).mark(message), true);
      });
      assert.equal(await mark(rig), false);
    },

    async "mark() waits for a transaction that has marked the message"(rig) {
      const second = await rig.second();
      for (const fails of [true, false]) {
        const key = { messageId: String(fails) };
        let waiting: Promise<boolean> | undefined;
        const first = rig.driver.transaction(async (session) => {
          await marksOf(session).mark({ ...message, ...key });
          waiting = mark({ ...rig, driver: second }, key);
          waiting.catch(() => {});
          await pause(20);
          if (fails) throw new RangeError("refused");
        });
        await first.catch(() => {});
        assert.equal(await waiting, fails, fails ? "it takes over" : "it is marked");
      }
    },

    async "clean() removes the oldest marks of an inbox, of all tenants"(rig, marks) {
      const old = [{}, { tenantId: "acme" }, { name: "other" }];
      for (const key of old) {
        await mark(rig, key);
        await pause(5);
      }
      await marks.clean("inbox", 60_000, 10);
      for (const key of old) assert.equal(await mark(rig, key), false, "it is not old");
      await marks.clean("inbox", 1, 1);
      assert.equal(await mark(rig, { tenantId: "acme" }), false, "it is not the oldest");
      assert.equal(await mark(rig), true, "it was the oldest");
      await pause(5);
      await marks.clean("inbox", 1, 10);
      assert.equal(await mark(rig, { tenantId: "acme" }), true);
      assert.equal(await mark(rig), true);
      assert.equal(await mark(rig, { name: "other" }), false, "it is of another inbox");
    },

    async "an inbox handles a message once, and its effects come with it"({ store }) {
      const messages = new Inbox(store, { name: "notes" });
      const receive = (fails: boolean) =>
        messages.once("m", async ({ store }) => {
          await store.append("a", Noted("once"));
          if (fails) throw new RangeError("refused");
          return "done";
        });
      await assert.rejects(receive(true), RangeError);
      assert.equal(await store.version("a"), 0);
      assert.deepEqual(await receive(false), { handled: true, result: "done" });
      assert.deepEqual(await receive(false), { handled: false });
      assert.equal(await store.version("a"), 1);
    },
  }).map(([name, run]) => [
    name,
    async (rig: Rig) => {
      const { inbox, capabilities } = rig.driver;
      if (inbox !== undefined && capabilities.transactions) return await run(rig, inbox);
      await lacks(rig, async () => new Inbox(rig.store, { name: "notes" }));
    },
  ]),
);
