// The database fails at any moment, before or after it did what it was asked: run() goes on, and nothing is lost.
import {
  type Checkpoints,
  ConnectionError,
  type Driver,
  EventStore,
  type Progress,
  Projection,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { desk } from "../support/desk.ts";
import { until } from "../support/journal.ts";
import { fold, judge } from "../support/oracle.ts";
import { Noted, replace } from "../support/relay.ts";
import { running } from "../support/running.ts";
import { write } from "../support/scribe.ts";
import { Chance, seed } from "../support/seed.ts";
import { all } from "../support/shop.ts";
import { caughtUp } from "../support/stage.ts";

const timeout = 60_000;
// What was claimed without an answer is held until its lease has run out.
const quick = { lease: 100, batchSize: 5, retry: { minDelay: 1, maxDelay: 4 } };

test(
  `Outbox loses nothing on a database that fails at any moment (SEED=${seed})`,
  { timeout },
  async () => {
    const chance = new Chance();
    const whole = memory();
    const healthy = desk(whole);
    const { journal, store } = healthy;
    const sent = new Set<string>();
    const wrong: unknown[] = [];
    const failing = desk(
      flaky(whole, chance, async (progress) => {
        journal.note({ what: "wrote", worker: "some", progress });
        // To a worker it would be one more failure of the database.
        await covered(whole, progress, sent).catch((error) => wrong.push(error));
      }),
      journal,
    );
    for (const worker of ["worker 1", "worker 2"]) journal.note({ what: "killed", worker });
    const make = () =>
      failing.outbox(quick, ({ id }) => {
        if (chance.below(5) === 0) throw new Error("it is down for some");
        sent.add(id);
      });
    const workers = [make(), make()];
    const told: unknown[] = [];
    const watching = healthy.outbox({}, () => {});
    await running(workers, async () => {
      for (let round = 0; round < 10; round++) {
        await write(healthy, journal, chance, 3);
        await until(() => told.length > 10 * round);
      }
      await caughtUp(watching);
    }, { onError: (error) => told.push(error) });
    assert.deepEqual(wrong, []);
    judge(journal.entries(), await all(store.readAll()));
    journal.remove();
    failing.journal.remove();
  },
);

test(`Projection takes effect once on a database that fails at any moment (SEED=${seed})`, {
  timeout,
}, async () => {
  const chance = new Chance();
  const whole = memory();
  const { journal, store } = desk(whole);
  const failing = new EventStore(flaky(whole, chance), { events: [Noted] });
  const make = (store: typeof failing) =>
    new Projection(store, {
      ...quick,
      name: "model",
      categories: ["s"],
      handlers: {
        Noted: async ({ streamId, version }, { store }) =>
          void await store.append(`model-${streamId}`, Noted(version)),
      },
    });
  const told: unknown[] = [];
  await running([make(failing), make(failing)], async () => {
    for (let round = 0; round < 10; round++) {
      await write({ store }, journal, chance, 3);
      await until(() => told.length > 5 * round);
    }
    await caughtUp(make(store));
  }, { onError: (error) => told.push(error) });
  const log = await all(store.readAll({ categories: ["s"] }));
  const model: Record<string, string> = {};
  for (const { streamId } of log) {
    const copies = await store.load(`model-${streamId}`);
    model[streamId] = copies.map(({ data }) => data).join();
  }
  assert.deepEqual(model, fold(log));
  journal.remove();
});

test("an event whose transaction never came about is handled by the next pass", async () => {
  const whole = memory();
  let broken = true;
  const driver = replace(whole, {
    async transaction(work) {
      if (broken) throw new ConnectionError();
      return await whole.transaction(work);
    },
  });
  const { journal, store } = desk(driver);
  const seen: number[] = [];
  const projection = new Projection(store, {
    name: "model",
    handlers: { Noted: ({ data }) => void seen.push(data) },
  });
  await desk(whole, journal).commit("a", 1);
  await assert.rejects(projection.runOnce(), { code: "CONNECTION" });
  assert.equal((await projection.status()).position, 0);
  broken = false;
  assert.equal((await projection.runOnce()).handled, 1);
  assert.deepEqual(seen, [1]);
  journal.remove();
});

test("a worker whose claim was not answered goes on with its next pass", async () => {
  const whole = memory();
  const own = whole.checkpoints!;
  let broken = true;
  const { commit, journal, outbox } = desk(replace(whole, {
    checkpoints: replace(own, {
      async claim(...given) {
        const claimed = await own.claim(...given);
        if (broken) throw new ConnectionError();
        return claimed;
      },
    }),
  }));
  await commit("a", 1);
  const consumer = outbox({}, () => {});
  for (let times = 0; times < 3; times++) {
    await assert.rejects(consumer.runOnce(), { code: "CONNECTION" });
  }
  broken = false;
  assert.equal((await consumer.runOnce()).handled, 1);
  journal.remove();
});

/** A driver that fails now and then, before or after it did what it was asked. */
function flaky(
  driver: Driver,
  chance: Chance,
  wrote: (progress: Progress) => Promise<void> = async () => {},
): Driver {
  const maybe = async <R>(work: () => Promise<R>): Promise<R> => {
    const fate = chance.below(16);
    if (fate === 0) throw new ConnectionError();
    const result = await work();
    if (fate === 1) throw new ConnectionError();
    return result;
  };
  const own = driver.checkpoints!;
  const advance = async (...[lane, epoch, progress]: Parameters<Checkpoints["advance"]>) => {
    const written = await own.advance(lane, epoch, progress);
    if (written) await wrote(progress);
    return written;
  };
  return replace(driver, {
    checkpoints: replace(own, {
      register: (...given) => maybe(() => own.register(...given)),
      claim: (...given) => maybe(() => own.claim(...given)),
      advance: (...given) => maybe(() => advance(...given)),
      parked: (...given) => maybe(() => own.parked(...given)),
      lanes: (...given) => maybe(() => own.lanes(...given)),
      due: () => maybe(() => own.due()),
    }),
    scan: (query) => maybe(() => driver.scan(query)),
    settled: () => maybe(() => driver.settled()),
    poll: (seen) => maybe(() => driver.poll!(seen)),
    transaction: (work) => maybe(() => driver.transaction(work)),
  });
}

/** Checks that the checkpoint has passed nothing but what was sent, or is parked by now. */
async function covered(
  driver: Driver,
  { position }: Progress,
  sent: ReadonlySet<string>,
): Promise<void> {
  const consumer = { scope: "all", name: "outbox", version: 1 };
  const parked = await driver.checkpoints!.parked(consumer);
  const query = { tenantId: undefined, categories: undefined, types: undefined, tags: undefined };
  const page = { after: 0, until: position, limit: 10_000 };
  const { events } = await driver.scan({ ...query, ...page, published: true });
  for (const event of events) {
    const waits = parked.some((row) =>
      row.streamId === event.streamId && row.position <= event.position
    );
    assert.ok(sent.has(event.id) || waits, `${event.streamId} ${event.version} (SEED=${seed})`);
  }
}
