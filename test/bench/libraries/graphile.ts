import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { Pool } from "pg";
import type { Handle, Library, Order, Place } from "../library.ts";
import { order } from "../library.ts";

/** graphile-worker, with all that its manual says makes it fast: a job an event. */
export async function open({ url }: Place): Promise<Library> {
  const pgPool = new Pool({ connectionString: url, max: 10 });
  pgPool.on("error", () => {});
  pgPool.on("connect", (client) => client.on("error", () => {}));
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  const start = (handle: Handle, batched: boolean) =>
    run({
      pgPool,
      logger,
      noHandleSignals: true,
      taskList: {
        placed: (job) => {
          const { stream, data } = job as { readonly stream: string; readonly data: Order };
          handle(stream, data);
        },
      },
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
  return {
    append: (stream, from, count) =>
      utils.addJobs(
        Array.from({ length: count }, (_, n) => ({
          identifier: "placed",
          payload: { stream, data: order(from + n) },
        })),
      ),
    async consume(handle, { count }) {
      let left = count;
      let last = performance.now();
      const runner = await start((stream, data) => {
        handle(stream, data);
        left--;
        last = performance.now();
      }, true);
      while (left > 0 && performance.now() - last < 300) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await runner.stop().catch(() => {}); // it may have ended by itself
    },
    async follow(handle, signal) {
      const runner = await start(handle, false);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await runner.stop();
    },
    send: (stream, data) => utils.addJob("placed", { stream, data }),
    async close() {
      await utils.release();
      await pgPool.end();
    },
  };
}
