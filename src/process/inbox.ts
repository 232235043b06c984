import type { Event } from "../event/event.ts";
import type { EventStore, TransactionContext } from "../store/store.ts";
import { checkFunction, checkName, checkNumber, checkObject } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { internalsOf } from "../store/internals.ts";

/**
 * Options of an inbox.
 *
 * @category Processes
 */
export interface InboxOptions {
  /** Its name: two inboxes of different names each handle the same message once. */
  readonly name: string;
  /**
   * How long it remembers a message, in milliseconds. Longer than the sender may still deliver it again: a broker's
   * retention, the retries of a webhook, the days after which somebody replays a dead letter. @default 30 days
   */
  readonly keep?: number | undefined;
}

/**
 * What became of a message: handled now, with the result of the work, or earlier.
 *
 * @category Processes
 */
export type Once<R> =
  | { readonly handled: true; readonly result: R }
  | { readonly handled: false };

/** How many messages of an inbox come between two cleanings, and how many marks one removes at most. */
const [cleanEvery, cleanLimit] = [100, 1000];

/** The messages since the last cleaning, by the name of the inbox, for each driver. */
const counts: WeakMap<object, Map<string, number>> = new WeakMap();

/**
 * Handles each message of a sender that may deliver one several times, as brokers and webhooks do, exactly once: what
 * the work stores is committed together with a mark of the message's id.
 *
 * Not needed for a message that only leads to events: give them ids made of the message's, and the second append is the
 * first.
 *
 * @category Processes
 *
 * @example A payment that is delivered twice
 * ```ts
 * import { defineEvent, EventStore, Inbox } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Paid = defineEvent<{ cents: number }>()("Paid");
 * const store = new EventStore(memory(), { events: [Paid] });
 * const inbox = new Inbox(store, { name: "payments" });
 *
 * const receive = (message: { id: string; order: string; cents: number }) =>
 *   inbox.once(message.id, async ({ store }) => {
 *     const { version } = await store.append(`order:${message.order}`, Paid({ cents: message.cents }));
 *     return version;
 *   });
 * const message = { id: "m-1", order: "42", cents: 500 };
 * assert.deepEqual(await receive(message), { handled: true, result: 1 });
 * assert.deepEqual(await receive(message), { handled: false });
 * ```
 */
export class Inbox<E extends Event = Event, Db = unknown> {
  /** The name, under which its marks are stored. */
  readonly name: string;
  readonly #store: EventStore<E, Db>;
  readonly #keep: number;

  /**
   * Makes an inbox; cheap, also on a store inside a transaction.
   *
   * @param store Its tenant is that of the messages.
   * @throws {TypeError | RangeError} If an option is malformed.
   * @throws {UnsupportedError} If the driver keeps no messages, or its handle has no transactions.
   */
  constructor(store: EventStore<E, Db>, options: InboxOptions) {
    const { name, keep = 30 * 24 * 3_600_000 } = checkObject("options", options);
    checkName("name", name);
    checkNumber("keep", keep, 1);
    const internals = internalsOf<E, Db>(store);
    if (internals === undefined) throw new TypeError("store must be an event store");
    const { driver } = internals.shared;
    if (driver.inbox === undefined) {
      throw new UnsupportedError("make an inbox", "this driver keeps no handled messages");
    }
    if (!driver.capabilities.transactions) {
      throw new UnsupportedError(
        "make an inbox",
        "this database handle has no interactive transactions",
      );
    }
    this.name = name;
    this.#store = store;
    this.#keep = keep;
  }

  /**
   * Does the work for a message, in one transaction with the mark that it was handled; does nothing if it was. Where two
   * deliveries come at once, the second waits for the first, and takes over if that fails. Inside a transaction this is a
   * savepoint.
   *
   * @param messageId The id that the sender gave the message, the same for each delivery; at most 512 bytes.
   * @param work Receives the store and the database handle of the transaction. What it does elsewhere may be done twice.
   * @returns Whether the work was done now, and what it returned.
   * @throws {BusyError} If another delivery of it has taken too long; this one may be delivered again.
   */
  async once<R>(
    messageId: string,
    work: (context: TransactionContext<E, Db>) => R,
  ): Promise<Once<Awaited<R>>> {
    checkName("messageId", messageId);
    checkFunction("work", work);
    return await this.#store.transaction(async (context): Promise<Once<Awaited<R>>> => {
      const { session, transaction, tenantId = "" } = internalsOf<E, Db>(context.store)!;
      // First, so that a second delivery waits here before it has done anything.
      const fresh = await session().inbox!.mark({ tenantId, name: this.name, messageId });
      if (!fresh) return { handled: false };
      const result = await work(context);
      if (this.#isTime()) transaction!.onCommit(() => this.#clean());
      return { handled: true, result };
    });
  }

  #isTime(): boolean {
    const { driver } = internalsOf<E, Db>(this.#store)!.shared;
    const own = counts.get(driver) ?? new Map<string, number>();
    const count = (own.get(this.name) ?? 0) + 1;
    counts.set(driver, own.set(this.name, count % cleanEvery));
    return count === cleanEvery;
  }

  /** Removes old marks beside what was committed already; a failure is told to the store, and costs the caller nothing. */
  async #clean(): Promise<void> {
    const { driver, onError } = internalsOf<E, Db>(this.#store)!.shared;
    try {
      await driver.inbox!.clean(this.name, this.#keep, cleanLimit);
    } catch (error) {
      try {
        await onError(error, { phase: "inbox", inbox: this.name });
      } catch (second) {
        console.error(second);
      }
    }
  }
}
