import type { AppendOutcome, Session, StoredEvent, StreamPage } from "event-sourcery";
import assert from "node:assert/strict";
import {
  answering,
  reading,
  renaming,
  requesting,
  type Sabotage,
  storing,
  writing,
} from "./sabotage.ts";

const all = 1e6;

/** Ways to break one promise of a driver each; by what a driver does then. */
export const sabotages: Readonly<Record<string, Sabotage>> = {
  "ignores all expected versions": writing(() => ({ expectedVersion: "any" })),
  "ignores the ids of expected events": writing(() => ({ expectedEventId: undefined })),
  'ignores "noStream"': writing(({ expectedVersion: expected }) => ({
    expectedVersion: expected === "noStream" ? "any" : expected,
  })),
  'ignores "streamExists"': writing(({ expectedVersion: expected }) => ({
    expectedVersion: expected === "streamExists" ? "any" : expected,
  })),
  "ignores a number": writing(({ expectedVersion: expected }) => ({
    expectedVersion: typeof expected === "number" && expected > 0 ? "any" : expected,
  })),
  "ignores 0": writing(({ expectedVersion: expected }) => ({
    expectedVersion: expected === 0 ? "any" : expected,
  })),
  "checks the version in a step before the append": (session) => ({
    async append(requests) {
      const checked = await Promise.all(requests.map(async (request) => {
        const [{ streamId, expectedVersion } = assert.fail()] = request.writes;
        const { tenantId } = request;
        const query = { tenantId, streamId, from: 1, to: all, limit: 1, backwards: true };
        const version = (await session.load(query)).events[0]?.version ?? 0;
        const holds = request.writes.length > 1 || expectedVersion !== "noStream" || version > 0;
        return holds ? request : {
          ...request,
          writes: request.writes.map((write) => ({ ...write, expectedVersion: "any" as const })),
        };
      }));
      return await session.append(checked);
    },
  }),
  "stores the streams of a request one by one": (session) => ({
    async append(requests) {
      return await Promise.all(requests.map(async ({ tenantId, writes }) => {
        const outcomes: AppendOutcome[] = [];
        for (const write of writes) {
          outcomes.push(...await session.append([{ tenantId, writes: [write] }]));
        }
        const stored = outcomes.flatMap((outcome) =>
          outcome.status === "stored" ? outcome.writes : []
        );
        return stored.length === writes.length
          ? { status: "stored", writes: stored } as const
          : outcomes.find(({ status }) => status === "refused")!;
      }));
    },
  }),
  "stores the first event of a request that is refused": answering(
    async (outcome, { tenantId, writes }, session) => {
      if (outcome.status === "refused" && outcome.conflict.kind !== "id") {
        const first = { ...writes[0]!, expectedVersion: "any" as const };
        const request = { tenantId, writes: [{ ...first, events: first.events.slice(0, 1) }] };
        await session.append([request]);
      }
      return outcome;
    },
  ),
  "stores a repeated event again": answering(async (outcome, { tenantId, writes }, session) => {
    if (outcome.status === "stored" || outcome.conflict.kind !== "id") return outcome;
    const renamed = writes.map((write) => ({
      ...write,
      events: write.events.map((event) => ({ ...event, id: crypto.randomUUID() })),
    }));
    return (await session.append([{ tenantId, writes: renamed }]))[0]!;
  }),
  "does not tell which ids it knows": answering((outcome) =>
    outcome.status === "stored" || outcome.conflict.kind !== "id"
      ? outcome
      : { ...outcome, conflict: { kind: "version", versions: [undefined] } }
  ),
  "tells another version of an id it knows": answering((outcome) =>
    outcome.status === "stored" || outcome.conflict.kind !== "id" ? outcome : {
      ...outcome,
      conflict: {
        kind: "id",
        existing: outcome.conflict.existing.map((event) => ({
          ...event,
          version: event.version + 1,
        })),
      },
    }
  ),
  "loses the transaction with a conflict": answering((outcome, _request, _session, depth) =>
    outcome.status === "stored" || depth === 0 ? outcome : { ...outcome, transactionAborted: true }
  ),
  "fails a whole group when one of it is refused": (session) => ({
    async append(requests) {
      const outcomes = await session.append(requests);
      return outcomes.find(({ status }) => status === "refused") === undefined
        ? outcomes
        : Promise.reject(new Error("refused"));
    },
  }),
  "answers a group in another order": (session) => ({
    append: async (requests) => (await session.append(requests.toReversed())),
  }),

  "numbers events from 0": reading(({ version }) => ({ version: version - 1 })),
  "gives each stream positions of its own": reading(({ version }) => ({ position: version })),
  "forgets the position of a deleted event": (session) => ({
    async settled() {
      const filters = { tenantId: undefined, categories: undefined, types: undefined };
      const query = { ...filters, tags: undefined, after: 0, until: all, limit: all };
      return (await session.scan(query)).events.at(-1)?.position ?? 0;
    },
  }),
  "settles what a transaction has not committed": (session, depth) => {
    let last = 0;
    return depth === 0 ? {} : {
      async append(requests) {
        const outcomes = await session.append(requests);
        for (const outcome of outcomes) {
          if (outcome.status === "stored") last = outcome.writes.at(-1)!.positions.at(-1)!;
        }
        return outcomes;
      },
      settled: async () => Math.max(last, await session.settled()),
    };
  },

  "loads from the start": (session) => ({ load: (query) => session.load({ ...query, from: 1 }) }),
  "loads to the end": (session) => ({ load: (query) => session.load({ ...query, to: all }) }),
  "loads one event too many": (session) => ({
    load: (query) => session.load({ ...query, limit: query.limit + 1 }),
  }),
  "loads forwards only": (session) => ({
    load: (query) => session.load({ ...query, backwards: false }),
  }),
  "loads backwards from the wrong end": (session) => ({
    async load(query) {
      const { events, more } = await session.load({ ...query, backwards: false });
      return { events: events.toReversed(), more };
    },
  }),
  "says that a full page is the last": (session) => ({
    load: async (query) => ({ ...await session.load(query), more: false }),
  }),
  "gives the same objects twice": (session) => {
    const loaded = new Map<
      string,
      Promise<StreamPage>
    >();
    return {
      async load(query) {
        const key = JSON.stringify(query);
        const found = loaded.get(key) ?? session.load(query);
        const before = await found;
        const now = await session.load(query);
        loaded.set(key, found);
        return before.events.length === now.events.length ? before : now;
      },
    };
  },

  "ignores the categories of a filter": (session) => ({
    scan: (query) => session.scan({ ...query, categories: undefined }),
  }),
  "ignores the types of a filter": (session) => ({
    scan: (query) => session.scan({ ...query, types: undefined }),
  }),
  "ignores the tags of a filter": (session) => ({
    scan: (query) => session.scan({ ...query, tags: undefined }),
  }),
  "wants one of the tags only": (session) => ({
    scan: (query) => session.scan({ ...query, tags: query.tags?.slice(0, 1) }),
  }),
  "takes an empty filter for none": (session) => ({
    scan: (query) => {
      const { categories, types } = query;
      const filters = {
        categories: categories?.length === 0 ? undefined : categories,
        types: types?.length === 0 ? undefined : types,
      };
      return session.scan({ ...query, ...filters });
    },
  }),
  "looks up the event after a position": (session) => ({
    probe: (positions) => session.probe!(positions.map((position) => position + 1)),
  }),
  "looks up events under the type of another": (session) => ({
    async probe(positions) {
      const found = await session.probe!(positions);
      return found.map((event) => event && { ...event, type: "Other" });
    },
  }),
  "looks up events of the last position only": (session) => ({
    async probe(positions) {
      const last = (await session.probe!(positions)).at(-1);
      return positions.map(() => last);
    },
  }),
  "finds events of one tenant for another": (session) => ({
    find: (_, id) => session.find!("", id),
  }),
  "finds events that were deleted": (session) => {
    const found = new Map<string, StoredEvent>();
    return {
      async find(tenantId, id) {
        const event = await session.find!(tenantId, id) ?? found.get(`${tenantId}\0${id}`);
        if (event !== undefined) found.set(`${tenantId}\0${id}`, event);
        return event;
      },
    };
  },
  "traces flows of all tenants": (session) => ({
    correlated: (query) => session.correlated!({ ...query, tenantId: "" }),
  }),
  "traces a flow from its start each time": (session) => ({
    correlated: (query) => session.correlated!({ ...query, after: 0 }),
  }),
  "traces one page of a flow": (session) => ({
    correlated: async (query) => ({ ...await session.correlated!(query), more: false }),
  }),
  "forgets which events are imported": storing(() => ({ imported: false })),
  "scans forwards only": (session) => ({
    scan: (query) => session.scan({ ...query, backwards: false }),
  }),
  "says it has scanned all after one page backwards": (session) => ({
    async scan(query) {
      const page = await session.scan(query);
      return query.backwards ? { ...page, scanned: query.after + 1 } : page;
    },
  }),
  "lists streams of any prefix": (session) => ({
    streams: (query) => session.streams({ ...query, prefix: undefined }),
  }),
  "takes a prefix for a pattern": (session) => ({
    streams: async ({ prefix, ...query }) =>
      (await session.streams(query)).filter(({ streamId }) =>
        new RegExp(`^${prefix?.replaceAll("%", ".*").replaceAll("_", ".") ?? ""}`).test(streamId)
      ),
  }),
  "scans beyond the limit of the search": (session) => ({
    scan: (query) => session.scan({ ...query, until: all }),
  }),
  "says it has scanned all after one page": (session) => ({
    scan: async (query) => ({ ...await session.scan(query), scanned: query.until }),
  }),
  "counts `after` inclusively": (session) => ({
    scan: (query) => session.scan({ ...query, after: Math.max(0, query.after - 1) }),
  }),

  "stores for no tenant": requesting(() => ({ tenantId: "" })),
  "loads whatever the tenant": (session) => ({
    load: (query) => session.load({ ...query, tenantId: "" }),
  }),
  "scans whatever the tenant": (session) => ({
    scan: (query) => session.scan({ ...query, tenantId: undefined }),
  }),
  "scans one tenant where all are wanted": (session) => ({
    scan: (query) => session.scan({ ...query, tenantId: query.tenantId ?? "" }),
  }),
  "lists whatever the tenant": (session) => ({
    streams: (query) => session.streams({ ...query, tenantId: "" }),
  }),
  "deletes for another tenant": (session) => ({
    delete: (_tenantId, streamId) => session.delete("", streamId),
  }),
  "deletes for all tenants": (session) => ({
    async delete(tenantId, streamId) {
      for (const tenant of [tenantId, "", "acme", "ACME"]) await session.delete(tenant, streamId);
    },
  }),
  "tells tenants apart by lower case": requesting(({ tenantId }) => (
    { tenantId: tenantId.toLowerCase() }
  )),

  "deletes nothing": () => ({ delete: async () => {} }),
  "deletes what begins alike": (session) => ({
    async delete(tenantId, streamId) {
      const query = { tenantId, category: undefined, after: undefined, limit: all };
      for (const { streamId: found } of await session.streams(query)) {
        if (found.startsWith(streamId)) await session.delete(tenantId, found);
      }
    },
  }),
  "fails to delete what is not there": (session) => ({
    async delete(tenantId, streamId) {
      const query = { tenantId, streamId, from: 1, to: all, limit: 1, backwards: false };
      if ((await session.load(query)).events.length === 0) throw new Error("not found");
      await session.delete(tenantId, streamId);
    },
  }),

  "lists by UTF-16 units": (session) => ({
    streams: async (query) =>
      [...await session.streams({ ...query, after: undefined, limit: all })]
        .sort((a, b) => a.streamId < b.streamId ? -1 : 1)
        .filter(({ streamId }) => query.after === undefined || streamId > query.after)
        .slice(0, query.limit),
  }),
  "lists by a language's rules": (session) => ({
    streams: async (query) =>
      [...await session.streams(query)].sort((a, b) => a.streamId.localeCompare(b.streamId)),
  }),
  "lists the first page only": (session) => ({
    streams: async (query) => query.after === undefined ? await session.streams(query) : [],
  }),
  "lists all categories": (session) => ({
    streams: (query) => session.streams({ ...query, category: undefined }),
  }),
  "lists when a stream was first changed": (session) => ({
    streams: async (query) =>
      (await session.streams(query)).map((stream) => ({ ...stream, updatedAt: stream.createdAt })),
  }),

  "runs a transaction without one": (session) => ({ transaction: (work) => work(session) }),
  "keeps a savepoint that is rolled back": (session, depth) =>
    depth === 0 ? {} : { transaction: (work) => work(session) },
  "swallows the error of a transaction": (session) => ({
    async transaction<R>(work: (inner: Session) => Promise<R>): Promise<R> {
      let result: R;
      try {
        return await session.transaction(async (inner) => result = await work(inner));
      } catch {
        return result!;
      }
    },
  }),
  "wraps the error of a transaction": (session) => ({
    transaction: (work) =>
      session.transaction(work).catch((cause) => Promise.reject(new Error("failed", { cause }))),
  }),

  "forgets what is published": storing(() => ({ published: false })),
  "publishes everything": storing(() => ({ published: true })),
  "forgets tags": storing(() => ({ tags: [] })),
  "sorts tags": storing(({ tags }) => ({ tags: tags.toSorted() })),
  "forgets annotations": storing(() => ({ codec: null })),
  "forgets metadata": storing(() => ({ metadata: "{}" })),
  "forgets the schema version": storing(() => ({ schemaVersion: 1 })),
  "forgets milliseconds": storing(({ createdAt }) => (
    { createdAt: createdAt.replace(/\.\d+/, ".000") }
  )),
  "gives data as text": reading(({ data }) => ({ data: JSON.stringify(data) })),
  "sorts the keys of data": reading(({ data }) => ({ data: sorted(data) })),

  "lowers names": renaming((name) => name.toLowerCase()),
  "trims names": renaming((name) => name.trim() || "blank"),
  "cuts names": renaming((name) => name.slice(0, 255)),
  "normalizes names": renaming((name) => name.normalize()),
};

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}
