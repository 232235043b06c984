import type {
  Checkpoints,
  ClaimedLane,
  ConsumerDefinition,
  ConsumerFailure,
  ConsumerKey,
  ConsumerState,
  LaneFilter,
  LaneKey,
  LaneState,
  ParkedQuery,
  Progress,
  StoredGroup,
  StoredParking,
  StreamKey,
} from "../../mod.ts";
import { type Consumer, type ConsumerStates, reset, withLane } from "./consumers.ts";
import { compareBytes, compareStreams, keyOf } from "./key.ts";
import { groupsOf, type Parked, parkedAfter, passed, redriven } from "./parked.ts";

/** How a session reaches the stored consumers. */
interface Access {
  readonly read: () => Promise<ConsumerStates>;
  readonly write: <R>(work: (states: ConsumerStates) => R) => Promise<R>;
  /** Returns the number of events of a stream after a position. */
  readonly after: (stream: StreamKey, position: number) => number;
}

/** The checkpoints of a session, inside or outside of a transaction. */
export class MemoryCheckpoints implements Checkpoints {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async register(key: ConsumerKey, definition: ConsumerDefinition): Promise<ConsumerDefinition> {
    return await this.#access.write((states) => {
      const found = states.get(key);
      if (found === undefined) states.put(reset(key, definition, []));
      return found?.definition ?? definition;
    });
  }

  async claim(key: LaneKey, owner: string, lease: number): Promise<ClaimedLane | undefined> {
    return await this.#access.write((states) => {
      const found = states.get(key);
      const lane = found?.lanes[key.lane];
      const now = Date.now();
      if (lane === undefined) return;
      const free = lane.owner === undefined || lane.owner === owner;
      if (!free && lane.leasedUntil > now) return;
      const epoch = lane.epoch + 1;
      const crashes = lane.crashes + (free ? 0 : 1);
      const leasedUntil = now + lease;
      states.put(withLane(found!, key.lane, { ...lane, owner, epoch, crashes, leasedUntil }));
      const failed = found!.failure !== undefined;
      return { position: lane.position, epoch, crashes, parked: found!.parked.size, failed };
    });
  }

  async check(key: LaneKey, epoch: number): Promise<boolean> {
    const lane = (await this.#access.read()).get(key)?.lanes[key.lane];
    return lane?.epoch === epoch && lane.owner !== undefined;
  }

  async advance(key: LaneKey, epoch: number, progress: Progress): Promise<boolean> {
    const { position, lease, stalled, recovered } = progress;
    return await this.#access.write((states) => {
      const found = states.get(key);
      const lane = found?.lanes[key.lane];
      if (lane?.epoch !== epoch || lane.owner === undefined) return false;
      const parked = parkedAfter(found!.parked, progress);
      states.put({
        ...withLane(found!, key.lane, {
          position: Math.max(lane.position, position),
          epoch,
          owner: lease === undefined ? undefined : lane.owner,
          leasedUntil: Date.now() + (lease ?? 0),
          crashes: recovered ? 0 : lane.crashes,
          stalled,
        }),
        parked,
      });
      return true;
    });
  }

  async lanes(key: ConsumerKey): Promise<readonly LaneState[]> {
    return lanesOf((await this.#access.read()).get(key), Date.now());
  }

  async parked(key: ConsumerKey, lane?: LaneFilter): Promise<readonly StoredParking[]> {
    const now = Date.now();
    return [...(await this.#access.read()).get(key)?.parked.values() ?? []]
      .filter(({ slot }) => lane === undefined || slot % lane.lanes === lane.lane)
      .map(({ slot: _, dueAt, redriven = 0, ...row }) => ({
        ...row,
        delay: dueAt === undefined ? undefined : dueAt - now,
        fingerprint: row.fingerprint,
        firstFailedAt: row.firstFailedAt,
        redriven,
      }))
      .sort((a, b) => a.position - b.position);
  }

  async parkedPage(
    { consumer, after, limit }: ParkedQuery,
  ): Promise<readonly StoredParking[]> {
    return (await this.parked(consumer))
      .filter((parking) => after === undefined || compareStreams(parking, after) > 0)
      .sort(compareStreams)
      .slice(0, limit)
      .map((row) => ({ ...row, behind: Math.min(100, this.#access.after(row, row.position)) }));
  }

  async redrive(key: ConsumerKey, stream?: StreamKey): Promise<number> {
    return await this.#access.write((states) => {
      const found = states.get(key);
      if (found === undefined) return 0;
      const wanted = stream && keyOf(stream.tenantId, stream.streamId);
      const parked = new Map(found.parked);
      let count = 0;
      for (const [name, row] of found.parked) {
        if (wanted !== undefined && name !== wanted) continue;
        parked.set(name, redriven(row));
        count++;
      }
      states.put({ ...found, parked });
      return count;
    });
  }

  async parkedGroups(key: ConsumerKey, limit: number): Promise<readonly StoredGroup[]> {
    return groupsOf(await this.parked(key)).slice(0, limit);
  }

  async redriveGroup(key: ConsumerKey, fingerprint: string, limit: number): Promise<number> {
    return await this.#changeGroup(
      key,
      (row) => row.fingerprint === fingerprint && row.attempts > 0,
      limit,
      redriven,
    );
  }

  async discardGroup(key: ConsumerKey, fingerprint: string, limit: number): Promise<number> {
    return await this.#changeGroup(
      key,
      (row) => row.fingerprint === fingerprint,
      limit,
      (row) => passed(row, row.position + 1),
    );
  }

  async discard(key: ConsumerKey, stream: StreamKey, all: boolean): Promise<boolean> {
    return await this.#access.write((states) => {
      const found = states.get(key);
      const name = keyOf(stream.tenantId, stream.streamId);
      const row = found?.parked.get(name);
      if (row === undefined) return false;
      if (!all && row.attempts === 0 && row.error === undefined) return false;
      const { position } = found!.lanes[row.slot % found!.lanes.length]!;
      const next = (all ? Math.max(position, row.position) : row.position) + 1;
      const parked = new Map(found!.parked).set(name, passed(row, next));
      states.put({ ...found!, parked });
      return true;
    });
  }

  async rewind(key: ConsumerKey, position: number, replay?: number): Promise<void> {
    await this.#access.write((states) => {
      const found = states.get(key);
      if (found === undefined) return;
      const kept = replay ?? found.definition.replay;
      const definition = { ...found.definition, position, replay: kept };
      states.put({ ...found, ...reset(found.key, definition, found.lanes) });
    });
  }

  async redefine(
    key: ConsumerKey,
    epochs: readonly number[],
    definition: ConsumerDefinition,
  ): Promise<boolean> {
    return await this.#access.write((states) => {
      const found = states.get(key);
      if (found?.lanes.map(({ epoch }) => epoch).join() !== epochs.join()) return false;
      const { parked, definition: { replay } } = found!;
      const changed = reset(found!.key, { ...definition, replay }, found!.lanes);
      states.put({ ...found!, ...changed, parked });
      return true;
    });
  }

  async refilter(key: ConsumerKey, filter: string): Promise<boolean> {
    return await this.#access.write((states) => {
      const found = states.get(key);
      if (found === undefined || found.definition.filter === filter) return false;
      states.put({ ...found, definition: { ...found.definition, filter } });
      return true;
    });
  }

  async due(seen: readonly ConsumerKey[] = []): Promise<readonly ConsumerKey[]> {
    const now = Date.now();
    if (seen.length > 0) await this.#see(seen, now);
    return (await this.#access.read()).all()
      .filter(({ lanes, parked, failure }) =>
        failure !== undefined ||
        lanes.some(({ owner, leasedUntil }) => owner !== undefined && leasedUntil <= now) ||
        [...parked.values()].some(({ dueAt }) => dueAt !== undefined && dueAt <= now)
      )
      .map(({ key }) => key);
  }

  async setFailure(key: ConsumerKey, failure: ConsumerFailure | undefined): Promise<void> {
    await this.#access.write((states) => {
      const found = states.get(key);
      if (found !== undefined) states.put({ ...found, failure });
    });
  }

  async list(only: Partial<ConsumerKey> = {}): Promise<readonly ConsumerState[]> {
    const now = Date.now();
    return (await this.#access.read()).all()
      .filter(({ key }) =>
        (only.scope ?? key.scope) === key.scope && (only.name ?? key.name) === key.name &&
        (only.version ?? key.version) === key.version
      )
      .sort(({ key: a }, { key: b }) =>
        compareBytes(a.scope, b.scope) || compareBytes(a.name, b.name) || a.version - b.version
      )
      .map((consumer) => {
        const rows = [...consumer.parked.values()];
        const retrying = rows.filter(({ dueAt }) => dueAt !== undefined).length;
        return {
          ...consumer.key,
          filter: consumer.definition.filter,
          lanes: lanesOf(consumer, now),
          retrying,
          parked: rows.length - retrying,
          seenAt: consumer.seenAt,
          failure: consumer.failure,
        };
      });
  }

  async forget(key: ConsumerKey): Promise<"forgotten" | "leased" | "unknown"> {
    const now = Date.now();
    return await this.#access.write((states) => {
      const found = states.get(key);
      if (found === undefined) return "unknown";
      if (found.lanes.some((lane) => isHeld(lane, now))) return "leased";
      states.remove(key);
      return "forgotten";
    });
  }

  /** Changes the first streams that are wanted, by position; returns how many. */
  async #changeGroup(
    key: ConsumerKey,
    wanted: (row: Parked) => boolean,
    limit: number,
    change: (row: Parked) => Parked,
  ): Promise<number> {
    return await this.#access.write((states) => {
      const found = states.get(key);
      if (found === undefined) return 0;
      const rows = [...found.parked].filter(([, row]) => wanted(row))
        .sort(([, a], [, b]) => a.position - b.position).slice(0, limit);
      const changed = rows.map(([name, row]) => [name, change(row)] as const);
      states.put({ ...found, parked: new Map([...found.parked, ...changed]) });
      return rows.length;
    });
  }

  async #see(keys: readonly ConsumerKey[], seenAt: number): Promise<void> {
    await this.#access.write((states) => {
      for (const key of keys) {
        const found = states.get(key);
        if (found !== undefined) states.put({ ...found, seenAt });
      }
    });
  }
}

function lanesOf(consumer: Consumer | undefined, now: number): readonly LaneState[] {
  return (consumer?.lanes ?? []).map((state, lane) => {
    const { position, epoch, owner, leasedUntil, crashes, stalled } = state;
    const held = isHeld(state, now)
      ? { owner, leasedUntil }
      : { owner: undefined, leasedUntil: undefined };
    return { lane, position, epoch, ...held, crashes, stalled };
  });
}

function isHeld({ owner, leasedUntil }: Consumer["lanes"][number], now: number): boolean {
  return owner !== undefined && leasedUntil > now;
}
