import type { AppendOutcome, AppendRequest, Driver, NewEvent } from "../../mod.ts";

/** Makes a stored row by hand, as a database might hold it. */
export function row(fields: Partial<NewEvent> = {}): NewEvent {
  return {
    id: crypto.randomUUID(),
    type: "Noted",
    schemaVersion: 1,
    createdAt: "2026-01-31T12:00:00.000Z",
    data: null,
    metadata: "{}",
    codec: null,
    tags: [],
    published: false,
    ...fields,
  };
}

/** Puts rows into a stream without the core. */
export async function insert<Db>(
  driver: Driver<Db>,
  streamId: string,
  ...events: readonly NewEvent[]
): Promise<void> {
  const category = streamId.slice(0, Math.max(0, streamId.indexOf(":")));
  const write = { streamId, category, slot: 0, expectedVersion: "any", events } as const;
  const [outcome] = await driver.append([{ tenantId: "", writes: [write] }]);
  if (outcome?.status !== "stored") throw new Error(`Cannot insert rows into "${streamId}"`);
}

/** A driver that also shows what the core sends to it outside of transactions. */
export interface Watched<Db> {
  readonly driver: Driver<Db>;
  readonly requests: readonly AppendRequest[];
  /** What came with the events, in order. */
  rows(): readonly NewEvent[];
}

/** Watches the appends to a driver; `instead` may fail first, or answer in its place. */
export function watch<Db>(
  driver: Driver<Db>,
  instead: (request: AppendRequest) => Promise<AppendOutcome | void> = async () => {},
): Watched<Db> {
  const requests: AppendRequest[] = [];
  const append: Driver<Db>["append"] = async (given) => {
    requests.push(...given);
    return await Promise.all(
      given.map(async (request) => await instead(request) ?? (await driver.append([request]))[0]!),
    );
  };
  const watched = new Proxy(driver, {
    get(target, key) {
      if (key === "append") return append;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const rows = () => requests.flatMap(({ writes }) => writes.flatMap(({ events }) => events));
  return { driver: watched, requests, rows };
}
