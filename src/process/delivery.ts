import type { NewEvent } from "../driver/append.ts";
import type { StoredEvent } from "../driver/read.ts";
import type { DueEvent, Schedule } from "../driver/schedule.ts";
import type { Event } from "../event/event.ts";
import { isSealed } from "../codec/sealer.ts";
import { isOfNewerRelease } from "../engine/delivery.ts";
import { backoff, type Retry } from "../engine/retry.ts";
import { describe } from "../errors/describe.ts";
import { endsRun, isEventSourceryError } from "../errors/guard.ts";
import { categoryOf, slotOf } from "../event/stream.ts";
import { appendOn, type Internals, transactOn } from "../store/internals.ts";

/**
 * What a scheduler has done.
 *
 * @category Processes
 */
export interface Delivered {
  /** The number of events that were appended, or found to be stored already. */
  readonly delivered: number;
  /** The number of attempts that failed. */
  readonly failed: number;
}

/** An event that could not be delivered. */
interface FailedDelivery {
  readonly error: unknown;
  /** The event, as far as it is known without decoding it. */
  readonly event: Pick<DueEvent, "tenantId" | "streamId" | "id" | "type">;
  readonly attempt: number;
  readonly retryAt: Date | undefined;
}

/** Codes that are nobody's failure: the event is due again. */
const passErrors = ["BUSY", "CONNECTION", "KEY_UNAVAILABLE", "UNKNOWN_OUTCOME"];

/**
 * Takes what is due and appends it, in one transaction: so each event is delivered exactly once by whichever worker, and
 * whoever takes one back knows for sure. Appended first and removed later, an event could be both stored and cancelled.
 */
export class Delivery<E extends Event, Db> {
  readonly #internals: Internals<E, Db>;
  readonly #schedule: Schedule;
  readonly #retry: Retry;
  readonly #batchSize: number;

  constructor(internals: Internals<E, Db>, schedule: Schedule, retry: Retry, batchSize: number) {
    this.#internals = internals;
    this.#schedule = schedule;
    this.#retry = retry;
    this.#batchSize = batchSize;
  }

  /** Delivers batch by batch until nothing is due, or the signal aborts. */
  async run(stop: AbortSignal, report: (failure: FailedDelivery) => void): Promise<Delivered> {
    let [delivered, failed] = [0, 0];
    while (!stop.aborted) {
      const { tenantId } = this.#internals;
      const taken: DueEvent[] = [];
      try {
        await this.#take({ tenantId, id: undefined, limit: this.#batchSize }, taken);
        if (taken.length === 0) break;
        delivered += taken.length;
      } catch (error) {
        if (taken.length === 0 || isOfPass(error)) throw error;
        const done = await this.#oneByOne(taken, report);
        delivered += done.delivered;
        failed += done.failed;
      }
    }
    return { delivered, failed };
  }

  /** Delivers events each on its own, so that one that cannot be delivered fails alone. */
  async #oneByOne(
    events: readonly DueEvent[],
    report: (failure: FailedDelivery) => void,
  ): Promise<Delivered> {
    let [delivered, failed] = [0, 0];
    let newer: { readonly error: unknown } | undefined;
    for (const event of events) {
      const { tenantId, id, streamId, type, attempts } = event;
      const taken: DueEvent[] = [];
      try {
        await this.#take({ tenantId, id, limit: 1 }, taken);
        delivered += taken.length;
      } catch (error) {
        if (isOfPass(error)) throw error;
        if (isOfNewerRelease(error)) {
          newer ??= { error };
          continue;
        }
        failed++;
        const attempt = attempts + 1;
        const exhausted = attempt >= this.#retry.attempts ||
          isEventSourceryError(error, "PERMANENT");
        const delay = exhausted ? undefined : Math.ceil(backoff(this.#retry, attempt));
        const failure = {
          attempts: attempt,
          error: describe(error, isSealed(readable(event))),
          delay,
        };
        await this.#schedule.fail(tenantId, id, failure);
        const retryAt = delay === undefined ? undefined : new Date(Date.now() + delay);
        report({ error, event: { tenantId, streamId, id, type }, attempt, retryAt });
      }
    }
    if (newer !== undefined) throw newer.error;
    return { delivered, failed };
  }

  /** Takes and appends in one transaction; `taken` gets the events, also if it rolls back. */
  async #take(query: Parameters<Schedule["take"]>[0], taken: DueEvent[]): Promise<void> {
    await transactOn(this.#internals, async (inner, session) => {
      taken.push(...await session.schedule!.take(query));
      for (const event of taken) await deliver(inner, event);
    });
  }
}

/** Appends an event as it was encoded when it was scheduled, for the handlers inside the append, too. */
async function deliver<E extends Event, Db>(
  internals: Internals<E, Db>,
  due: DueEvent,
): Promise<void> {
  const { shared: { catalog, preparer }, session } = internals;
  const { tenantId, streamId, dueAt: _, attempts: __, ...encoded } = due;
  const event: NewEvent = { ...encoded, createdAt: preparer.now().toISOString() };
  const place = { tenantId, streamId, version: 0, position: 0, imported: false };
  const stored: StoredEvent = { ...event, ...place, ...readable(due) };
  const [opened] = await catalog.open(session(), [stored]);
  const [category, slot] = [categoryOf(streamId), slotOf(tenantId, streamId)];
  const write = { streamId, category, slot, expectedVersion: "any" as const, events: [event] };
  await appendOn(internals, {
    streams: [[catalog.decode(opened!)]],
    request: { tenantId, writes: [write] },
  });
}

/** Parses what drivers return as text of a scheduled event, which is appended as it is. */
function readable(
  { data, metadata, codec }: DueEvent,
): Pick<StoredEvent, "data" | "metadata" | "codec"> {
  return {
    data: data === null ? undefined : JSON.parse(data),
    metadata: JSON.parse(metadata),
    codec: codec === null ? null : JSON.parse(codec),
  };
}

function isOfPass(error: unknown): boolean {
  return isEventSourceryError(error) && passErrors.includes(error.code) || endsRun(error);
}
