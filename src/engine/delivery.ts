import type { Progress } from "../driver/progress.ts";
import type { StoredEvent } from "../driver/read.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { HandledIdentity, Observer } from "../observe/observer.ts";
import type { Lease } from "./lease.ts";
import { endsRun, isEventSourceryError } from "../errors/guard.ts";
import { around } from "../observe/around.ts";
import { type Internals, transactOn } from "../store/internals.ts";
import { Call, HandlerFailure } from "./call.ts";
import { checkSession, type PassSettings } from "./work.ts";

/** Codes that end a pass, since neither the event nor the handler is the cause; errors that end a run do so, too. */
const passErrors = ["BUSY", "CONNECTION", "KEY_UNAVAILABLE", "LEASE_LOST", "UNKNOWN_OUTCOME"];

/** Codes of an event that a newer release has stored; it is left to a worker of that release. */
const newerRelease = ["NEWER_EVENT", "UNKNOWN_EVENT_TYPE"];

/** Reports whether a pass ended at an event of a newer release. */
export function isOfNewerRelease(error: unknown): boolean {
  return isEventSourceryError(error) && newerRelease.includes(error.code);
}

/** Hands events to the handler, in a transaction with their checkpoint where the consumer is transactional. */
export class Delivery<E extends Event, Db> {
  readonly #settings: PassSettings<E, Db>;
  readonly #lease: Lease;
  readonly #calls: Set<Call<E, Db>> = new Set();

  constructor(settings: PassSettings<E, Db>, lease: Lease) {
    this.#settings = settings;
    this.#lease = lease;
    lease.signal.addEventListener("abort", () => {
      for (const call of this.#calls) call.abort(lease.signal.reason);
    });
  }

  /**
   * Calls the handler for events, and commits their checkpoint with it where the consumer is transactional.
   *
   * @param attempt The attempt number, from 1.
   * @param progress Returns the progress that a transaction commits with them.
   * @returns The error of the handler, or of its commit; undefined if both succeeded.
   * @throws {EventSourceryError} If the lease is lost, the database cannot be reached, or a newer release stored the
   * event.
   */
  async deliver(
    events: readonly StoredEvent[],
    attempt: number,
    progress: () => Progress,
  ): Promise<{ readonly error: unknown } | undefined> {
    const { catalog, observer } = this.#settings.internals.shared;
    try {
      // Before any handler is called: an event of a newer release is nobody's failure.
      for (const event of events) catalog.check(event);
      if (observer === undefined) await this.#handle(events, attempt, progress);
      else await this.#observed(observer, events, attempt, progress);
      return undefined;
    } catch (error) {
      this.#lease.signal.throwIfAborted();
      if (error instanceof HandlerFailure) return { error: error.error };
      // One of several: each is handled on its own then, up to that one.
      if (isOfNewerRelease(error) && events.length === 1) throw error;
      // A commit that the database refuses is the handler's fault; one that never reached it is not.
      if (isEventSourceryError(error) && passErrors.includes(error.code) || endsRun(error)) {
        throw error;
      }
      return { error };
    }
  }

  /** Shows an observer what the handler threw, and the caller what carries it. */
  async #observed(
    observer: Observer,
    events: readonly StoredEvent[],
    attempt: number,
    progress: () => Progress,
  ): Promise<void> {
    const { key: { name: consumer, version }, lane } = this.#settings;
    const identities = events.map(identify);
    let thrown: unknown;
    await around(
      observer,
      { name: "handle", consumer, version, lane, events: identities, attempt },
      async () => {
        try {
          await this.#handle(events, attempt, progress);
        } catch (error) {
          thrown = error;
          throw error instanceof HandlerFailure ? error.error : error;
        }
      },
    ).catch(() => {
      throw thrown;
    });
  }

  async #handle(
    events: readonly StoredEvent[],
    attempt: number,
    progress: () => Progress,
  ): Promise<void> {
    const { internals, work } = this.#settings;
    if (work.mode === "transaction") await this.#transact(events, attempt, progress());
    else await this.#call(events, internals, internals.shared.driver.db, attempt);
  }

  /** The effect and the checkpoint commit together: a stale owner's transaction is rolled back. */
  async #transact(
    events: readonly StoredEvent[],
    attempt: number,
    progress: Progress,
  ): Promise<void> {
    const { internals, timeout, lease } = this.#settings;
    await transactOn(internals, async (inner, session) => {
      checkSession(session);
      const { checkpoints, db } = session;
      // A handler that takes too long is rolled back here, before the server's limit, which would cut the connection.
      await this.#lease.check(checkpoints, timeout + lease);
      for (const event of events) await this.#call([event], inner, db, attempt);
      await this.#lease.write(checkpoints, progress);
    });
    this.#lease.written(progress);
  }

  async #call(
    stored: readonly StoredEvent[],
    internals: Internals<E, Db>,
    db: Db,
    attempt: number,
  ): Promise<void> {
    const { work, key, timeout, replay } = this.#settings;
    const events = await decode(stored, internals, work.masked);
    const replaying = () => {
      const until = replay();
      return stored.every(({ position, imported }) => imported || position <= until);
    };
    const call = new Call(internals, db, events[0]!, attempt, key.version, replaying);
    this.#lease.signal.throwIfAborted();
    this.#calls.add(call);
    try {
      await call.run((context) => work.handle(events, context), key.name, timeout);
    } finally {
      this.#calls.delete(call);
    }
  }
}

/** Opens and decodes events; a failure counts as the handler's, so that the event is retried and parked. */
async function decode<E extends Event, Db>(
  stored: readonly StoredEvent[],
  internals: Internals<E, Db>,
  masked?: boolean,
): Promise<readonly RecordedEvent<E>[]> {
  const { catalog } = internals.shared;
  const opened = masked ? stored : await catalog.open(internals.session(), stored);
  try {
    return opened.map((event) => decodeOnce(event, internals, masked));
  } catch (error) {
    // Where the keys are away, that is no event's failure.
    throw isEventSourceryError(error, "KEY_UNAVAILABLE") ? error : new HandlerFailure(error);
  }
}

/** Returns what is known of an event before it is decoded. */
function identify(
  { id, type, tenantId, streamId, version, position, createdAt, metadata }: StoredEvent,
): HandledIdentity {
  return {
    ...{ id, type, tenantId, streamId, version, position, metadata },
    createdAt: new Date(createdAt),
  };
}

const decoded: WeakMap<StoredEvent, RecordedEvent> = new WeakMap();

/** Decodes an event that may have been decoded before: that uses up its parsed JSON, and a failed batch is handled again. */
export function decodeOnce<E extends Event, Db>(
  stored: StoredEvent,
  { shared }: Internals<E, Db>,
  masked?: boolean,
): RecordedEvent<E> {
  const event = decoded.get(stored) as RecordedEvent<E> | undefined ??
    shared.catalog.decode(stored, masked);
  decoded.set(stored, event);
  return event;
}
