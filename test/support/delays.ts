import type { Schedule } from "event-sourcery";
import type { Sabotage } from "./sabotage.ts";

/** Ways to break one promise of a driver's schedule each; by what a driver does then. */
export const delays: Readonly<Record<string, Sabotage>> = {
  "delivers what is not due": scheduling((own) => ({
    add: (event) => own.add({ ...event, dueAt: Math.min(event.dueAt, Date.now() - 1) }),
  })),
  "forgets what an event carries": scheduling((own) => ({
    add: (event) => own.add({ ...event, codec: null }),
  })),
  "takes everything of a stream": scheduling((own) => ({
    async take(query) {
      const taken = [...await own.take(query)];
      for (let more = taken; more.length > 0;) {
        more = [...await own.take(query)];
        taken.push(...more);
      }
      return taken;
    },
  })),
  "takes more than is wanted": scheduling((own) => ({
    take: (query) => own.take({ ...query, limit: 10 }),
  })),
  "takes events of other tenants": scheduling((own) => ({
    take: (query) => own.take({ ...query, tenantId: undefined }),
  })),
  "takes other events than the one of the id": scheduling((own) => ({
    take: (query) => own.take({ ...query, id: undefined }),
  })),
  "returns what is due in the wrong order": scheduling((own) => ({
    take: async (query) => (await own.take(query)).toReversed(),
  })),
  "replaces what waits under an id": scheduling((own) => ({
    async add(event) {
      await own.remove(event.tenantId, event.id);
      return await own.add(event);
    },
  })),
  "shares ids among tenants": scheduling((own) => ({
    add: (event) => own.add({ ...event, tenantId: "" }),
  })),
  "removes nothing from the schedule": scheduling(() => ({ remove: async () => true })),
  "removes without saying so": scheduling((own) => ({
    async remove(tenantId, id) {
      await own.remove(tenantId, id);
      return false;
    },
  })),
  "lets others overtake what is tried again": scheduling((own) => ({
    async fail(tenantId, id, failure) {
      await own.fail(tenantId, id, { ...failure, attempts: 0 });
    },
  })),
  "tries again what has failed for good": scheduling((own) => ({
    fail: (tenantId, id, failure) => own.fail(tenantId, id, { ...failure, delay: 1 }),
  })),
  "never tries again": scheduling((own) => ({
    fail: (tenantId, id, failure) => own.fail(tenantId, id, { ...failure, delay: undefined }),
  })),
  "retries nothing": scheduling(() => ({ retry: async () => true })),
  "lists the failed events of all tenants": scheduling((own) => ({
    failed: () => own.failed(undefined),
  })),
  "knows nothing of the future": scheduling(() => ({ next: async () => undefined })),
  "counts what failed as waiting": scheduling((own) => ({
    async count(tenantId) {
      const { waiting, failed } = await own.count(tenantId);
      return { waiting: waiting + failed, failed: 0 };
    },
  })),
  "keeps the schedule of a stream that is deleted": (session) => ({
    async delete(tenantId, streamId) {
      const taken = await session.transaction((inner) =>
        inner.schedule!.take({ tenantId: undefined, id: undefined, limit: 100 })
      );
      await session.delete(tenantId, streamId);
      for (const event of taken) await session.schedule!.add(event);
    },
  }),
};

function scheduling(change: (own: Schedule) => Partial<Schedule>): Sabotage {
  return ({ schedule }) => {
    const own = schedule!;
    return {
      schedule: {
        add: (event) => own.add(event),
        remove: (tenantId, id) => own.remove(tenantId, id),
        take: (query) => own.take(query),
        fail: (tenantId, id, failure) => own.fail(tenantId, id, failure),
        retry: (tenantId, id) => own.retry(tenantId, id),
        failed: (tenantId) => own.failed(tenantId),
        next: (tenantId) => own.next(tenantId),
        count: (tenantId) => own.count(tenantId),
        ...change(own),
      },
    };
  };
}
