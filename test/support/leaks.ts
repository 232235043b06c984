import type { Subjects } from "event-sourcery";
import type { Sabotage } from "./sabotage.ts";

/** Ways to break one promise about the keys of subjects each; by what a driver does then. */
export const leaks: Readonly<Record<string, Sabotage>> = {
  "makes a second row of a subject": holding((own) => ({
    async make(tenantId, rows) {
      await own.make(tenantId, rows);
      return rows;
    },
  })),
  "makes no row where one of several is there": holding((own) => ({
    async make(tenantId, rows) {
      const there = await own.read(tenantId, rows.map(({ subject }) => subject));
      return there.length > 0 ? [] : await own.make(tenantId, rows);
    },
  })),
  "shares subjects among tenants": holding((own) => ({
    read: (_, subjects) => own.read("", subjects),
    make: (_, rows) => own.make("", rows),
    forget: (_, subject, id, at) => own.forget("", subject, id, at),
  })),
  "finds no keys of other tenants": holding((own) => ({
    find: async (ids) => await own.find(ids.filter((id) => id !== "of acme")),
  })),
  "keeps the keys of a forgotten subject": holding((own) => ({
    async forget(tenantId, subject, id, at) {
      const [before] = await own.read(tenantId, [subject]);
      return before === undefined
        ? await own.forget(tenantId, subject, id, at)
        : { at, destroyed: true };
    },
  })),
  "forgets only subjects that it knows": holding((own) => ({
    async forget(tenantId, subject, id, at) {
      const [before] = await own.read(tenantId, [subject]);
      return before === undefined
        ? { at, destroyed: false }
        : await own.forget(tenantId, subject, id, at);
    },
  })),
  "misses a first use that has not committed": holding((own) => ({
    async forget(tenantId, subject, id, at) {
      const [before] = await own.read(tenantId, [subject]);
      const done = await own.forget(tenantId, subject, id, at);
      return before === undefined ? { at: done.at, destroyed: false } : done;
    },
  })),
  "says of each forgetting that it is the first": holding((own) => ({
    async forget(tenantId, subject, id, at) {
      return { ...await own.forget(tenantId, subject, id, at), destroyed: true };
    },
  })),
  "forgets at the last time it is asked to": holding((own) => ({
    async forget(tenantId, subject, id, at) {
      return { ...await own.forget(tenantId, subject, id, at), at };
    },
  })),
  "does not tell when a subject was forgotten": holding(() => ({
    forgotten: async () => undefined,
  })),
  "replaces keys that others have replaced": holding((own) => ({
    async replace(id, _, keys) {
      const [row] = await own.find([id]);
      return row?.keys ? await own.replace(id, row.keys, keys) : false;
    },
  })),
  "replaces no keys": holding(() => ({ replace: async () => true })),
  "lists forgotten subjects": holding((own) => ({
    list: async (after, limit) => [
      ...await own.list(after, limit),
      ...(await own.find(["id of a"])).filter(({ keys }) => keys === null),
    ],
  })),
  "lists keys from the start each time": holding((own) => ({
    list: (_, limit) => own.list(undefined, limit),
  })),
};

function holding(change: (own: Subjects) => Partial<Subjects>): Sabotage {
  return ({ keys }) => {
    const own = keys!;
    return {
      keys: {
        read: (tenantId, subjects) => own.read(tenantId, subjects),
        make: (tenantId, rows) => own.make(tenantId, rows),
        find: (ids) => own.find(ids),
        forget: (tenantId, subject, id, at) => own.forget(tenantId, subject, id, at),
        forgotten: (tenantId, subject) => own.forgotten(tenantId, subject),
        list: (after, limit) => own.list(after, limit),
        replace: (id, before, keys) => own.replace(id, before, keys),
        ...change(own),
      },
    };
  };
}
