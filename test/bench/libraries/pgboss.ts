import PgBoss from "pg-boss";
import { type Library, type Order, order, type Place } from "../library.ts";

interface Job {
  readonly stream: string;
  readonly data: Order;
}

/** pg-boss, which is fastest where it fetches and completes 500 jobs together: a job an event. */
export async function open({ url }: Place): Promise<Library> {
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false });
  boss.on("error", () => {});
  await boss.start();
  await boss.createQueue("placed");
  return {
    append: (stream, from, count) =>
      boss.insert(
        Array.from({ length: count }, (_, n) => ({
          name: "placed",
          data: { stream, data: order(from + n) },
        })),
      ),
    async consume(handle) {
      while (true) {
        const jobs = await boss.fetch<Job>("placed", { batchSize: 500 });
        if (jobs.length === 0) return;
        for (const { data: { stream, data } } of jobs) handle(stream, data);
        await boss.complete("placed", jobs.map(({ id }) => id));
      }
    },
    async follow(handle, signal) {
      // 0.5 s is the shortest pause that it allows.
      const options = { pollingIntervalSeconds: 0.5, batchSize: 100 };
      const id = await boss.work<Job>("placed", options, (jobs) => {
        for (const { data: { stream, data } } of jobs) handle(stream, data);
        return Promise.resolve();
      });
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await boss.offWork({ id });
    },
    send: (stream, data) => boss.send("placed", { stream, data }),
    close: () => boss.stop({ graceful: false }),
  };
}
