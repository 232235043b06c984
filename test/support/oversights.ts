import type { MatchCondition, MatchQuery } from "event-sourcery";
import { requesting, type Sabotage } from "./sabotage.ts";

/** Ways to break one promise of a driver's conditions each; by what a driver does then. */
export const oversights: Readonly<Record<string, Sabotage>> = {
  "ignores conditions": checking(() => undefined),
  "forgets what a query has returned": checking((condition) => ({ ...condition, seen: [] })),
  "checks a condition from the head": checking((condition) => ({ ...condition, after: 1e6 })),
  "checks only the first item of a condition": checking(({ items, ...rest }) => ({
    ...rest,
    items: items.slice(0, 1),
  })),
  "takes one tag of a condition for all": checking(({ items, ...rest }) => ({
    ...rest,
    items: items.map(({ types, tags }) => ({ types, tags: tags?.slice(0, 1) })),
  })),
  "checks a condition in the tenant that has none": (session) => ({
    async append(requests) {
      for (const { condition } of requests) {
        if (condition === undefined) continue;
        const { items, after } = condition;
        const { events } = await session.query!({ tenantId: "", items, after, limit: 1 });
        const [match] = events;
        if (match === undefined || condition.seen.includes(match.position)) continue;
        const conflict = { kind: "condition", match } as const;
        return [{ status: "refused", conflict, transactionAborted: false }];
      }
      return await session.append(requests);
    },
  }),
  "checks a condition in a step before the append": (session) => ({
    async append(requests) {
      return await Promise.all(requests.map(async (request) => {
        const { condition, ...rest } = request;
        if (condition === undefined) return (await session.append([request]))[0]!;
        const { items, after, seen } = condition;
        const query = { tenantId: rest.tenantId, items, after, limit: 1e6 };
        const { events } = await session.query!(query);
        const holds = events.every(({ position }) => seen.includes(position));
        return (await session.append([holds ? rest : request]))[0]!;
      }));
    },
  }),
  "reads the first page of the matches again and again": querying(({ after: _, ...query }) => ({
    ...query,
    after: 0,
  })),
  "reads the matches of all types": querying((query) => ({
    ...query,
    items: query.items.map(({ tags = [] }) => ({ tags })),
  })),
  "takes what its query has not read for settled": (session) => ({
    query: async (query) => ({ ...await session.query!(query), settled: 1e6 }),
  }),
};

function checking(change: (condition: MatchCondition) => MatchCondition | undefined): Sabotage {
  return requesting(({ condition }) => ({ condition: condition && change(condition) }));
}

function querying(change: (query: MatchQuery) => MatchQuery): Sabotage {
  return (session) => ({ query: async (query) => await session.query!(change(query)) });
}
