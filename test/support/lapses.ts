import type { Sabotage } from "./sabotage.ts";
import { keeping } from "./sabotage.ts";

/** Ways to break one promise of a driver's checkpoints each; by what a driver does then. */
export const lapses: Readonly<Record<string, Sabotage>> = {
  "lets two workers claim a lane": keeping((own) => ({
    async claim(key, owner, lease) {
      const [state] = (await own.lanes(key)).filter(({ lane }) => lane === key.lane);
      return await own.claim(key, owner, lease) ??
        (state && { ...state, crashes: 0, parked: 0 });
    },
  })),
  "never takes over a lease": keeping((own) => ({
    claim: (key, owner) => own.claim(key, owner, 1e9),
  })),
  "counts no crashes": keeping((own) => ({
    async claim(key, owner, lease) {
      const claimed = await own.claim(key, owner, lease);
      return claimed && { ...claimed, crashes: 0 };
    },
  })),
  "keeps the epoch": keeping((own) => ({
    async advance(key, _, progress) {
      const [state] = await own.lanes(key);
      return await own.advance(key, state!.epoch, progress);
    },
  })),
  "never releases a lane": keeping((own) => ({
    advance: (key, epoch, progress) =>
      own.advance(key, epoch, { ...progress, lease: progress.lease ?? 60_000 }),
  })),
  "forgets what is parked": keeping((own) => ({
    advance: (key, epoch, progress) => own.advance(key, epoch, { ...progress, parked: [] }),
  })),
  "does not park anew what waits": keeping((own) => ({
    advance: (key, epoch, progress) => own.advance(key, epoch, { ...progress, deferred: [] }),
  })),
  "never unparks": keeping((own) => ({
    advance: (key, epoch, progress) => own.advance(key, epoch, { ...progress, released: [] }),
  })),
  "parks again what waits already": keeping((own) => ({
    advance: (key, epoch, progress) => {
      const { parked, deferred } = progress;
      return own.advance(key, epoch, {
        ...progress,
        parked: [...deferred, ...parked],
        deferred: [],
      });
    },
  })),
  "moves the checkpoint of a transaction on its own": (session, depth) =>
    keeping((own) =>
      depth === 0 ? {} : { check: async () => true, advance: async () => own !== undefined }
    )(
      session,
      depth,
    ),
  "lists what other lanes have parked": keeping((own) => ({
    parked: (key) => own.parked(key),
  })),
  "lists the first page of parked streams again and again": keeping((own) => ({
    parkedPage: (query) => own.parkedPage!({ ...query, after: undefined }),
  })),
  "counts what waits behind all that is parked": keeping((own) => ({
    parkedPage: async (query) =>
      (await own.parkedPage!(query)).map((row) => ({ ...row, behind: row.behind! + 1 })),
  })),
  "lists parked streams by their positions": keeping((own) => ({
    parkedPage: async ({ consumer, limit }) => (await own.parked(consumer)).slice(0, limit),
  })),
  "groups all that is parked": keeping((own) => ({
    parkedGroups: async (key, limit) => {
      const groups = await own.parkedGroups!(key, limit);
      return groups.map((group) => ({ ...group, fingerprint: "one" }));
    },
  })),
  "groups as many as there are": keeping((own) => ({
    parkedGroups: (key) => own.parkedGroups!(key, 1000),
  })),
  "forgets when an event failed first": keeping((own) => ({
    parked: async (key, lane) =>
      (await own.parked(key, lane)).map((row) => ({ ...row, firstFailedAt: row.failedAt })),
    parkedGroups: async (key, limit) =>
      (await own.parkedGroups!(key, limit)).map((group) => ({
        ...group,
        firstFailedAt: group.failedAt,
      })),
  })),
  "counts no redriving": keeping((own) => ({
    parked: async (key, lane) =>
      (await own.parked(key, lane)).map((row) => ({ ...row, redriven: 0 })),
  })),
  "redrives a group without a limit": keeping((own) => ({
    redriveGroup: (key, fingerprint) => own.redriveGroup!(key, fingerprint, 1000),
  })),
  "redrives all for a group": keeping((own) => ({
    redriveGroup: (key) => own.redrive(key),
  })),
  "discards a group without a limit": keeping((own) => ({
    discardGroup: (key, fingerprint) => own.discardGroup!(key, fingerprint, 1000),
  })),
  "redrives all for one": keeping((own) => ({
    redrive: (key) => own.redrive(key),
  })),
  "discards everything for one event": keeping((own) => ({
    discard: (key, stream) => own.discard(key, stream, true),
  })),
  "discards what has not failed": keeping((own) => ({
    discard: async (key, stream, all) =>
      await own.discard(key, stream, all) || await own.discard(key, stream, true),
  })),
  "keeps leases when it rewinds": keeping((own) => ({
    rewind: async () => {},
    refilter: (key, filter) => own.refilter(key, filter),
  })),
  "redefines what others work on": keeping((own) => ({
    async redefine(key, _, definition) {
      const epochs = (await own.lanes(key)).map(({ epoch }) => epoch);
      return await own.redefine(key, epochs, definition);
    },
  })),
  "forgets the head that a consumer was registered at": keeping((own) => ({
    register: async (key, definition) => await own.register(key, { ...definition, replay: 0 }),
  })),
  "keeps the head when it rewinds": keeping((own) => ({
    rewind: (key, position) => own.rewind(key, position),
  })),
  "finds nothing due": keeping(() => ({ due: async () => [] })),
  "makes a consumer anew each time": keeping(() => ({
    register: async (_, definition) => definition,
  })),
  "keeps streams parked that are deleted": (session) => ({
    async delete(tenantId, streamId) {
      const rows = await session.load({
        tenantId,
        streamId,
        from: 1,
        to: 1,
        limit: 1,
        backwards: false,
      });
      const consumer = { scope: "all", name: "c", version: 1 };
      const parked = await session.checkpoints!.parked(consumer);
      await session.delete(tenantId, streamId);
      if (rows.events.length === 0 || parked.length === 0) return;
      const [state] = await session.checkpoints!.lanes(consumer);
      const entries = parked.map((row) => ({ ...row, slot: 0 }));
      const progress = { position: 0, lease: 60_000, stalled: false, recovered: false };
      const lists = { parked: entries, deferred: [], released: [] };
      const key = { ...consumer, lane: 0 };
      await session.checkpoints!.advance(key, state!.epoch, { ...progress, ...lists });
    },
  }),
  "hands over what was not published": (session) => ({
    scan: (query) => session.scan({ ...query, published: false }),
  }),
  "reads all lanes in each": (session) => ({
    scan: (query) => session.scan({ ...query, lane: undefined }),
  }),
  "reads other streams with a parked one": (session) => ({
    scan: (query) => session.scan({ ...query, streamId: undefined }),
  }),
};
