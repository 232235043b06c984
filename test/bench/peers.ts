import { postgreSQLEventStoreConsumer } from "@event-driven-io/emmett-postgresql";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { Pool } from "pg";
import PgBoss from "pg-boss";
import { rateOf } from "./measure.ts";

/** Another library that hands out what is stored in Postgres, drained by an empty handler. */
export interface Peer {
  /** Stores so many events or jobs, drains them, and tells how many a second it drained. */
  readonly drain: (count: number) => Promise<number>;
  readonly close: () => Promise<unknown>;
}

/** The consumer of Emmett, as it is set by default. */
export async function emmett(url: string): Promise<Peer> {
  const store = getPostgreSQLEventStore(url);
  let round = 0;
  return {
    async drain(count) {
      for (let stored = 0; stored < count; stored += 100) {
        const events = Array.from({ length: 100 }, (_, index) => ({
          type: "Placed" as const,
          data: { sku: `sku-${index}`, count: 1, price: 19.99, note: "by the front door" },
        }));
        await store.appendToStream(`order-${round}-${stored}`, events);
      }
      let handled = 0;
      const processorId = `drain-${++round}`;
      const consumer = postgreSQLEventStoreConsumer({
        connectionString: url,
        stopWhen: { noMessagesLeft: true },
      });
      // What earlier rounds stored is read again: all of it counts.
      consumer.reactor({ processorId, eachMessage: () => void handled++ });
      const start = performance.now();
      await consumer.start();
      const rate = handled / (performance.now() - start) * 1000;
      await consumer.close();
      return rate;
    },
    close: () => store.close(),
  };
}

/** graphile-worker with 24 concurrent jobs; `batched` with all that its manual says makes it fast. */
export async function graphile(url: string, batched: boolean): Promise<Peer> {
  const pgPool = new Pool({ connectionString: url, max: 26 });
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  return {
    async drain(count) {
      await pgPool.query(
        `select graphile_worker.add_jobs(array_agg(('noop', '{"sku":"sku-1","count":1}', null, null, null, null, null, null)::graphile_worker.job_spec))
         from generate_series(1, $1::int)`,
        [count],
      );
      await pgPool.query("vacuum analyze graphile_worker._private_jobs");
      let left = count;
      return await rateOf(count, async () => {
        let done: () => void = () => {};
        const drained = new Promise<void>((resolve) => done = resolve);
        const runner = await run({
          pgPool,
          logger,
          noHandleSignals: true,
          taskList: { noop: () => void (--left === 0 && done()) },
          preset: {
            worker: {
              concurrentJobs: 24,
              ...(batched && {
                localQueue: { size: 500 },
                completeJobBatchDelay: 0,
                failJobBatchDelay: 0,
              }),
            },
          },
        });
        await drained;
        await runner.stop();
      });
    },
    async close() {
      await utils.release();
      await pgPool.end();
    },
  };
}

/** pg-boss, fetching and completing 500 jobs together, which is the fastest it does. */
export async function pgBoss(url: string): Promise<Peer> {
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue("noop");
  return {
    async drain(count) {
      for (let stored = 0; stored < count; stored += 1000) {
        await boss.insert(
          Array.from({ length: 1000 }, (_, index) => ({
            name: "noop",
            data: { sku: `sku-${index}`, count: 1, price: 19.99, note: "by the front door" },
          })),
        );
      }
      return await rateOf(count, async () => {
        while (true) {
          const jobs = await boss.fetch("noop", { batchSize: 500 });
          if (jobs.length === 0) return;
          await boss.complete("noop", jobs.map(({ id }) => id));
        }
      });
    },
    close: () => boss.stop({ graceful: false }),
  };
}
