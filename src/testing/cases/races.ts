import assert from "node:assert/strict";
import type { AppendOptions } from "../../store/writer.ts";
import { collect } from "../../store/read.ts";
import {
  type Cases,
  dataOf,
  Noted,
  notes,
  range,
  rejects,
  type Rig,
  storeOn,
  together,
  transactional,
} from "../rig.ts";

const racers = 16;

/** Concurrent writers. */
export const races: Cases = {
  async 'append() with "noStream" lets one of many racers win'(rig) {
    await oneWins(rig, { expectedVersion: "noStream" }, 0);
  },

  async "append() with a number lets one of many racers win"(rig) {
    await rig.store.append("raced", notes(2));
    await oneWins(rig, { expectedVersion: 2 }, 2);
  },

  async 'append() with "any" never conflicts'({ store, second }) {
    const stores = [store, storeOn(await second())];
    const results = await together(
      range(1, racers).map((racer) =>
        stores[racer % 2]!.append("raced", [Noted([racer, 1]), Noted([racer, 2])])
      ),
    );
    const last = results.map(({ version }) => version).sort((a, b) => a - b);
    assert.deepEqual(last, range(1, racers).map((racer) => 2 * racer));
    const events = await store.load("raced");
    assert.deepEqual(events.map(({ version }) => version), range(1, 2 * racers));
    for (const { version, events: own } of results) {
      assert.deepEqual(events.slice(version - 2, version), own);
    }
    const positions = events.map(({ position }) => position);
    assert.deepEqual(positions, [...new Set(positions)].sort((a, b) => a - b));
  },

  async "append() of the same event by many racers stores it once"({ store, second }) {
    const stores = [store, storeOn(await second())];
    const events = notes(2);
    const results = await together(
      range(1, racers).map((racer) => stores[racer % 2]!.append("raced", events)),
    );
    const stored = await store.load("raced");
    assert.equal(stored.length, 2);
    for (const result of results) assert.deepEqual(result.events, stored);
  },

  async "append() of one id to many streams concurrently stores it in one of them"(
    { store, second },
  ) {
    const stores = [store, storeOn(await second())];
    const outcomes = await Promise.allSettled(
      range(1, racers).map((racer) =>
        stores[racer % 2]!.append(`racer:${racer}`, Noted(racer, { id: "one" }))
      ),
    );
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        const error = await rejects(Promise.reject(outcome.reason), "DUPLICATE_EVENT");
        assert.equal(error.eventId, "one");
      }
    }
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    assert.equal((await collect(store.readAll())).length, 1);
  },

  async "appendAll() of overlapping streams in any order lets one racer win"({ store, second }) {
    const stores = [store, storeOn(await second())];
    const outcomes = await Promise.allSettled(
      range(1, racers).map((racer) => {
        const names = racer % 3 === 0 ? ["a", "b"] : racer % 3 === 1 ? ["b", "a"] : ["c", "b"];
        return stores[racer % 2]!.appendAll(
          names.map((streamId) => ({ streamId, events: Noted(racer), expectedVersion: 0 })),
        );
      }),
    );
    const winners = outcomes.filter(({ status }) => status === "fulfilled");
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        await rejects(Promise.reject(outcome.reason), "CONCURRENCY");
      }
    }
    assert.equal(winners.length, 1);
    const events = await collect(store.readAll());
    assert.equal(events.length, 2);
    assert.equal(new Set(dataOf(events)).size, 1, "both events are the same racer's");
  },

  async "readAll() skips nothing while many writers append"({ store, second }) {
    const stores = [store, storeOn(await second())];
    const write = async (writer: number) => {
      for (const number of range(1, 15)) {
        const streamId = `${number % 2 === 0 ? "shared" : writer}`;
        await stores[writer % 2]!.append(streamId, [Noted([writer, number]), Noted(null)]);
      }
    };
    const seen = await tail(store, range(1, 4).map(write));
    assert.equal(seen.length, 4 * 15 * 2);
    assert.deepEqual(seen, await collect(store.readAll()));
  },

  ...transactional({
    async "readAll() skips nothing while many transactions commit and roll back"(
      { store, second },
    ) {
      const stores = [store, storeOn(await second())];
      const write = async (writer: number) => {
        for (const number of range(1, 6)) {
          const done = stores[writer % 2]!.transaction(async ({ store }) => {
            await store.append(`writer:${writer}`, Noted(number));
            await store.append(`stream:${writer}:${number}`, notes(2));
            if (number % 3 === 0) throw new Error("rolled back");
          });
          await done.catch((error: Error) => assert.equal(error.message, "rolled back"));
        }
      };
      const seen = await tail(store, range(1, 4).map(write));
      assert.equal(seen.length, 4 * 4 * 3);
      assert.deepEqual(seen, await collect(store.readAll()));
    },

    async "append() that loses a race inside a transaction leaves it usable"({ store, second }) {
      const stores = [store, storeOn(await second())];
      const won = await together(
        range(1, 8).map((racer) =>
          stores[racer % 2]!.transaction(async ({ store }) => {
            await store.append(`before:${racer}`, Noted(racer));
            const append = store.append("raced", notes(3, racer), { expectedVersion: "noStream" });
            const outcome = await append.then(() => true, async (error: unknown) => {
              await rejects(Promise.reject(error), "CONCURRENCY");
              return false;
            });
            await store.append(`after:${racer}`, Noted(racer));
            return outcome;
          })
        ),
      );
      assert.equal(won.filter((outcome) => outcome).length, 1);
      const winner = won.indexOf(true) + 1;
      assert.deepEqual(dataOf(await store.load("raced")), range(winner, winner + 2));
      assert.equal((await collect(store.readAll())).length, 3 + 2 * 8);
    },
  }),
};

async function oneWins(
  { store, second }: Rig,
  options: AppendOptions,
  before: number,
): Promise<void> {
  const stores = [store, storeOn(await second())];
  const outcomes = await Promise.allSettled(
    range(1, racers).map((racer) =>
      stores[racer % 2]!.append("raced", [Noted([racer, 1]), Noted([racer, 2])], options)
    ),
  );
  const winners: number[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") winners.push(index + 1);
    else {
      const error = await rejects(Promise.reject(outcome.reason), "CONCURRENCY");
      assert.equal(error.actual, before + 2);
    }
  }
  assert.equal(winners.length, 1);
  const [winner] = winners;
  const stored = await store.load("raced", { from: before + 1 });
  assert.deepEqual(dataOf(stored), [[winner, 1], [winner, 2]]);
}

/** Reads new events again and again while the writers are running, and once more after they have ended. */
async function tail(
  store: Rig["store"],
  writing: readonly Promise<void>[],
): Promise<readonly unknown[]> {
  const seen: { readonly position: number }[] = [];
  const read = async () => {
    for await (const event of store.readAll({ after: seen.at(-1)?.position ?? 0 })) {
      seen.push(event);
    }
  };
  let busy = true;
  const written = together(writing).finally(() => busy = false);
  const reading = async () => {
    while (busy) {
      await read();
      // Some databases answer within microtasks alone: without a timer here, the writers' timers would never fire.
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  await together<unknown>([reading(), written]);
  await read();
  return seen;
}
