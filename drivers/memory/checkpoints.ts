import type {
  Checkpoints,
  ClaimedLane,
  ConsumerDefinition,
  ConsumerKey,
  LaneFilter,
  LaneKey,
  LaneState,
  ParkedEntry,
  Progress,
  StoredParking,
  StreamKey,
} from "../../mod.ts";
import { keyOf } from "./key.ts";

/** A lane as it is kept; an owner is there as long as nobody released its lease. */
interface Lane {
  readonly position: number;
  readonly epoch: number;
  readonly owner: string | undefined;
  readonly leasedUntil: number;
  readonly crashes: number;
  readonly stalled: boolean;
}

/** A parked stream as it is kept; its instants are milliseconds since 1970. */
interface Parked extends Omit<ParkedEntry, "delay"> {
  readonly dueAt: number | undefined;
  readonly failedAt: number;
}

/** A consumer as it is kept: never changed, only replaced. */
interface Consumer {
  readonly key: ConsumerKey;
  readonly definition: ConsumerDefinition;
  readonly lanes: readonly Lane[];
  readonly parked: ReadonlyMap<string, Parked>;
}

/** What the consumers have written and is committed, or, on top of it, what a transaction has written so far. */
export class ConsumerStates {
  readonly #base: ConsumerStates | undefined;
  readonly #consumers: Map<string, Consumer> = new Map();

  constructor(base: ConsumerStates | undefined) {
    this.#base = base;
  }

  get(key: ConsumerKey): Consumer | undefined {
    return this.#consumers.get(textOf(key)) ?? this.#base?.get(key);
  }

  put(consumer: Consumer): void {
    this.#consumers.set(textOf(consumer.key), consumer);
  }

  all(): readonly Consumer[] {
    return [
      ...this.#base?.all().filter(({ key }) => !this.#consumers.has(textOf(key))) ?? [],
      ...this.#consumers.values(),
    ];
  }

  /** Commits a transaction: what it wrote becomes part of its base. */
  commit(): void {
    for (const consumer of this.#consumers.values()) this.#base!.put(consumer);
  }

  /** Forgets that a stream is parked, for every consumer. */
  forget(tenantId: string, streamId: string): void {
    const key = keyOf(tenantId, streamId);
    for (const consumer of this.all()) {
      if (!consumer.parked.has(key)) continue;
      const parked = new Map(consumer.parked);
      parked.delete(key);
      this.put({ ...consumer, parked });
    }
  }
}

function textOf({ scope, name, version }: ConsumerKey): string {
  return `${scope}\0${name}\0${version}`;
}

/** How a session reads the ledger, and how it writes to it when it is its turn. */
interface Access {
  readonly read: () => ConsumerStates;
  readonly write: <R>(work: (ledger: ConsumerStates) => R) => Promise<R>;
}

/** The checkpoints of a session. */
export class MemoryCheckpoints implements Checkpoints {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async register(key: ConsumerKey, definition: ConsumerDefinition): Promise<ConsumerDefinition> {
    return await this.#access.write((ledger) => {
      const found = ledger.get(key);
      if (found === undefined) ledger.put(made(key, definition, []));
      return found?.definition ?? definition;
    });
  }

  async claim(key: LaneKey, owner: string, lease: number): Promise<ClaimedLane | undefined> {
    return await this.#access.write((ledger) => {
      const found = ledger.get(key);
      const lane = found?.lanes[key.lane];
      const now = Date.now();
      if (lane === undefined) return;
      const free = lane.owner === undefined || lane.owner === owner;
      if (!free && lane.leasedUntil > now) return;
      const epoch = lane.epoch + 1;
      const crashes = lane.crashes + (free ? 0 : 1);
      const leasedUntil = now + lease;
      ledger.put(withLane(found!, key.lane, { ...lane, owner, epoch, crashes, leasedUntil }));
      return { position: lane.position, epoch, crashes, parked: found!.parked.size };
    });
  }

  async check(key: LaneKey, epoch: number): Promise<boolean> {
    const lane = this.#access.read().get(key)?.lanes[key.lane];
    return lane?.epoch === epoch && lane.owner !== undefined;
  }

  async advance(key: LaneKey, epoch: number, progress: Progress): Promise<boolean> {
    const { position, lease, stalled, recovered } = progress;
    return await this.#access.write((ledger) => {
      const found = ledger.get(key);
      const lane = found?.lanes[key.lane];
      if (lane?.epoch !== epoch || lane.owner === undefined) return false;
      const parked = parkedAfter(found!.parked, progress);
      ledger.put({
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
    const now = Date.now();
    return (this.#access.read().get(key)?.lanes ?? []).map((state, lane) => {
      const { position, epoch, owner, leasedUntil, stalled } = state;
      return { lane, position, epoch, owner: leasedUntil > now ? owner : undefined, stalled };
    });
  }

  async parked(key: ConsumerKey, lane?: LaneFilter): Promise<readonly StoredParking[]> {
    const now = Date.now();
    return [...this.#access.read().get(key)?.parked.values() ?? []]
      .filter(({ slot }) => lane === undefined || slot % lane.lanes === lane.lane)
      .map(({ tenantId, streamId, position, attempts, dueAt, error, failedAt }) => {
        const delay = dueAt === undefined ? undefined : dueAt - now;
        return { tenantId, streamId, position, attempts, delay, error, failedAt };
      })
      .sort((a, b) => a.position - b.position);
  }

  async redrive(key: ConsumerKey, stream?: StreamKey): Promise<number> {
    return await this.#access.write((ledger) => {
      const found = ledger.get(key);
      if (found === undefined) return 0;
      const wanted = stream && keyOf(stream.tenantId, stream.streamId);
      const parked = new Map(found.parked);
      let count = 0;
      for (const [name, row] of found.parked) {
        if (wanted !== undefined && name !== wanted) continue;
        parked.set(name, { ...row, attempts: 0, dueAt: Date.now() });
        count++;
      }
      ledger.put({ ...found, parked });
      return count;
    });
  }

  async discard(key: ConsumerKey, stream: StreamKey, all: boolean): Promise<boolean> {
    return await this.#access.write((ledger) => {
      const found = ledger.get(key);
      const name = keyOf(stream.tenantId, stream.streamId);
      const row = found?.parked.get(name);
      if (row === undefined) return false;
      if (!all && row.attempts === 0 && row.error === undefined) return false;
      const { position } = found!.lanes[row.slot % found!.lanes.length]!;
      const parked = new Map(found!.parked).set(name, {
        ...row,
        position: (all ? Math.max(position, row.position) : row.position) + 1,
        attempts: 0,
        error: undefined,
        dueAt: Date.now(),
      });
      ledger.put({ ...found!, parked });
      return true;
    });
  }

  async rewind(key: ConsumerKey, position: number): Promise<void> {
    await this.#access.write((ledger) => {
      const found = ledger.get(key);
      if (found === undefined) return;
      const definition = { ...found.definition, position };
      ledger.put(made(found.key, definition, found.lanes));
    });
  }

  async redefine(
    key: ConsumerKey,
    epochs: readonly number[],
    definition: ConsumerDefinition,
  ): Promise<boolean> {
    return await this.#access.write((ledger) => {
      const found = ledger.get(key);
      if (found?.lanes.map(({ epoch }) => epoch).join() !== epochs.join()) return false;
      const { parked } = found!;
      ledger.put({ ...made(found!.key, definition, found!.lanes), parked });
      return true;
    });
  }

  async refilter(key: ConsumerKey, filter: string): Promise<void> {
    await this.#access.write((ledger) => {
      const found = ledger.get(key);
      if (found !== undefined) {
        ledger.put({ ...found, definition: { ...found.definition, filter } });
      }
    });
  }

  async due(): Promise<readonly ConsumerKey[]> {
    const now = Date.now();
    return this.#access.read().all()
      .filter(({ lanes, parked }) =>
        lanes.some(({ owner, leasedUntil }) => owner !== undefined && leasedUntil <= now) ||
        [...parked.values()].some(({ dueAt }) => dueAt !== undefined && dueAt <= now)
      )
      .map(({ key }) => key);
  }
}

/** A consumer without parked streams, all its lanes free and at one position; their epochs go on from those before. */
function made(
  { scope, name, version }: ConsumerKey,
  definition: ConsumerDefinition,
  before: readonly Lane[],
): Consumer {
  const epoch = Math.max(0, ...before.map((lane) => lane.epoch + 1));
  const lane: Lane = {
    position: definition.position,
    epoch,
    owner: undefined,
    leasedUntil: 0,
    crashes: 0,
    stalled: false,
  };
  const lanes = Array.from({ length: definition.lanes }, () => lane);
  return { key: { scope, name, version }, definition, lanes, parked: new Map() };
}

function withLane(consumer: Consumer, number: number, lane: Lane): Consumer {
  return { ...consumer, lanes: consumer.lanes.with(number, lane) };
}

function parkedAfter(
  before: ReadonlyMap<string, Parked>,
  { parked: entries, deferred, released }: Progress,
): ReadonlyMap<string, Parked> {
  if (entries.length === 0 && deferred.length === 0 && released.length === 0) return before;
  const parked = new Map(before);
  const failedAt = Date.now();
  for (const { delay, ...park } of entries) {
    const key = keyOf(park.tenantId, park.streamId);
    // Somebody discarded the event meanwhile: the stream goes on from where they said.
    if ((parked.get(key)?.position ?? 0) > park.position) continue;
    parked.set(key, {
      ...park,
      dueAt: delay === undefined ? undefined : failedAt + delay,
      failedAt,
    });
  }
  for (const { delay: _, ...park } of deferred) {
    const key = keyOf(park.tenantId, park.streamId);
    if (!parked.has(key)) parked.set(key, { ...park, dueAt: failedAt, failedAt });
  }
  for (const { tenantId, streamId } of released) parked.delete(keyOf(tenantId, streamId));
  return parked;
}
