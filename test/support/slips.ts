import type { NewSnapshot, Snapshots } from "event-sourcery";
import type { Sabotage } from "./sabotage.ts";

/** Ways to break one promise of a driver's snapshots each; by what a driver does then. */
export const slips: Readonly<Record<string, Sabotage>> = {
  "uses snapshots behind the version that is asked for": keeping((own) => ({
    load: (query) => own.load({ ...query, to: Number.MAX_SAFE_INTEGER }),
  })),
  "uses snapshots behind the instant that is asked for": keeping((own) => ({
    load: (query) => own.load({ ...query, at: undefined }),
  })),
  "shares snapshots among kinds": keying({ kind: "all" }),
  "shares snapshots among versions of the state": keying({ stateVersion: 1 }),
  "shares snapshots among tenants": keying({ tenantId: "" }),
  "shares snapshots among streams": keeping((own) => ({
    async load(query) {
      const { snapshot } = await own.load({ ...query, streamId: "s", limit: 1 });
      return { ...await own.load(query), snapshot };
    },
  })),
  "loads snapshots without the events after them": keeping((own) => ({
    async load(query) {
      const page = await own.load(query);
      return page.snapshot === undefined ? page : { ...page, events: [], more: false };
    },
  })),
  "replaces later snapshots by earlier ones": keeping((own) => ({
    async save(snapshot) {
      await own.drop(snapshot.tenantId, [snapshot.streamId]);
      await own.save(snapshot);
    },
  })),
  "keeps the snapshots that are to be dropped": keeping(() => ({ drop: async () => {} })),
  "drops the snapshots of all streams": keeping((own) => ({
    drop: (tenantId, _) => own.drop(tenantId, ["s", "s:1", "total:a"]),
  })),
  "keeps the snapshots of a stream that is deleted"(session, depth) {
    let last: NewSnapshot | undefined;
    return {
      ...keeping((own) => ({
        async save(snapshot) {
          last = snapshot;
          await own.save(snapshot);
        },
      }))(session, depth),
      async delete(tenantId, streamId) {
        await session.delete(tenantId, streamId);
        if (last?.streamId === streamId) await session.snapshots!.save(last);
      },
    };
  },
};

function keeping(change: (own: Snapshots) => Partial<Snapshots>): Sabotage {
  return ({ snapshots }) => {
    const own = snapshots!;
    return {
      snapshots: {
        load: (query) => own.load(query),
        save: (snapshot) => own.save(snapshot),
        drop: (tenantId, streamIds) => own.drop(tenantId, streamIds),
        ...change(own),
      },
    };
  };
}

/** Makes a part of the key the same for all. */
function keying(part: Partial<NewSnapshot>): Sabotage {
  return keeping((own) => ({
    load: (query) => own.load({ ...query, ...part }),
    save: (snapshot) => own.save({ ...snapshot, ...part }),
  }));
}
