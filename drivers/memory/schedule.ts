import type {
  DeliveryFailure,
  DueEvent,
  DueQuery,
  FailedEvent,
  NewScheduledEvent,
  Schedule,
} from "../../mod.ts";
import { keyOf } from "./key.ts";
import type { Overlay } from "./overlay.ts";

/** An event that waits, or has failed. */
export interface Waiting extends DueEvent {
  /** The order of those that are due at the same time. */
  readonly seq: number;
  readonly error: string | undefined;
  /** Undefined unless it has failed for good. */
  readonly failedAt: number | undefined;
}

/** How a session reaches what waits. */
interface Access {
  readonly read: () => Promise<Overlay<Waiting>>;
  readonly write: <R>(work: (waiting: Overlay<Waiting>) => R) => Promise<R>;
}

let added = 0;

/** The scheduled events of a session. A transaction waits for the one before it, so nothing is taken twice. */
export class MemorySchedule implements Schedule {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async add(event: NewScheduledEvent): Promise<Pick<NewScheduledEvent, "streamId" | "dueAt">> {
    const key = keyOf(event.tenantId, event.id);
    return await this.#access.write((waiting) => {
      const found = waiting.get(key);
      if (found !== undefined) return found;
      waiting.set(key, {
        ...{ ...event, seq: ++added, attempts: 0, error: undefined, failedAt: undefined },
      });
      return event;
    });
  }

  async remove(tenantId: string, id: string): Promise<boolean> {
    const key = keyOf(tenantId, id);
    return await this.#access.write((waiting) => {
      const found = waiting.get(key) !== undefined;
      waiting.remove(key);
      return found;
    });
  }

  async take({ tenantId, id, limit }: DueQuery): Promise<readonly DueEvent[]> {
    const now = Date.now();
    return await this.#access.write((waiting) => {
      const first = new Map<string, Waiting>();
      for (const row of waiting.entries().values()) {
        const stream = keyOf(row.tenantId, row.streamId);
        const other = first.get(stream);
        if (other === undefined || inOrder(row, other) < 0) first.set(stream, row);
      }
      const taken = [...first.values()]
        .filter((row) => row.failedAt === undefined && row.dueAt <= now)
        .filter((row) => (tenantId ?? row.tenantId) === row.tenantId && (id ?? row.id) === row.id)
        .sort((a, b) => a.dueAt - b.dueAt || a.seq - b.seq)
        .slice(0, limit);
      for (const row of taken) waiting.remove(keyOf(row.tenantId, row.id));
      return taken;
    });
  }

  async fail(tenantId: string, id: string, failure: DeliveryFailure): Promise<void> {
    const { attempts, error, delay } = failure;
    const now = Date.now();
    await this.#change(tenantId, id, (row) => ({
      ...{ ...row, attempts, error },
      dueAt: delay === undefined ? row.dueAt : now + delay,
      failedAt: delay === undefined ? now : undefined,
    }));
  }

  async retry(tenantId: string, id: string): Promise<boolean> {
    return await this.#change(tenantId, id, (row, all) => {
      if (row.failedAt === undefined) return undefined;
      const times = all
        .filter((one) => one.tenantId === tenantId && one.streamId === row.streamId)
        .map(({ dueAt }) => dueAt);
      const dueAt = Math.min(Date.now(), ...times) - 1;
      return { ...row, dueAt, attempts: 0, error: undefined, failedAt: undefined };
    });
  }

  async failed(tenantId: string | undefined): Promise<readonly FailedEvent[]> {
    return (await this.#all(tenantId))
      .flatMap(({ tenantId, id, streamId, type, attempts, error = "", failedAt }) =>
        failedAt === undefined ? [] : [{ tenantId, id, streamId, type, attempts, error, failedAt }]
      )
      .sort((a, b) => a.failedAt - b.failedAt);
  }

  async next(tenantId: string | undefined): Promise<number | undefined> {
    const all = await this.#all(tenantId);
    const now = Date.now();
    const delays = all
      .filter(({ failedAt, dueAt }) => failedAt === undefined && dueAt > now)
      .map(({ dueAt }) => dueAt - now);
    return delays.length === 0 ? undefined : delays.reduce((a, b) => Math.min(a, b));
  }

  async count(
    tenantId: string | undefined,
  ): Promise<{ readonly waiting: number; readonly failed: number }> {
    const all = await this.#all(tenantId);
    const failed = all.filter(({ failedAt }) => failedAt !== undefined).length;
    return { waiting: all.length - failed, failed };
  }

  async #all(tenantId: string | undefined): Promise<readonly Waiting[]> {
    return [...(await this.#access.read()).entries().values()]
      .filter((row) => (tenantId ?? row.tenantId) === row.tenantId);
  }

  /** Changes a row, unless it is not there, or there is nothing to change; returns whether it did. */
  async #change(
    tenantId: string,
    id: string,
    change: (row: Waiting, all: readonly Waiting[]) => Waiting | undefined,
  ): Promise<boolean> {
    const key = keyOf(tenantId, id);
    return await this.#access.write((waiting) => {
      const row = waiting.get(key);
      const changed = row && change(row, [...waiting.entries().values()]);
      if (changed !== undefined) waiting.set(key, changed);
      return changed !== undefined;
    });
  }
}

/** One that has been tried comes first: it holds up the others of its stream. */
function inOrder(a: Waiting, b: Waiting): number {
  return Number(b.attempts > 0) - Number(a.attempts > 0) || a.dueAt - b.dueAt || a.seq - b.seq;
}
