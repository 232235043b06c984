import type { Rewound } from "../engine/registration.ts";
import type { Session } from "../driver/driver.ts";
import type { ProjectionContext } from "../engine/context.ts";
import type { Event } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";
import { checkFilterPolicy } from "../engine/options.ts";
import { planOf } from "../engine/plan.ts";
import { checkSession } from "../engine/work.ts";
import { type RunResult, Worker } from "../engine/worker.ts";
import { checkFunction, checkNumber, checkObject } from "../errors/check.ts";
import { around } from "../observe/around.ts";
import { type Internals, internalsOf, storeFor, transactOn } from "../store/internals.ts";
import { readLog } from "../store/read.ts";
import { type CompareOptions, compareRows, type Comparison, type RowKey } from "./compare.ts";
import { attach, Consumer, workerOf } from "./consumer.ts";
import { checkHandlers, type Handlers } from "./handlers.ts";
import type { ProjectionOptions } from "./options.ts";
import { type RebuildOptions, watch } from "./rebuild.ts";
import type { RunOptions } from "./run.ts";
import type { ConsumerStatus } from "./status.ts";

/**
 * Maintains a read model: its handlers write through `db`, in one transaction with the checkpoint, so that each event
 * takes effect exactly once.
 *
 * @category Consumers
 *
 * @example Maintain a read model and rebuild it
 * ```ts
 * import { defineEvent, EventStore, Projection } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent<{ sku: string }>()("OrderPlaced");
 * const sold = new Map<string, number>();
 * const store = new EventStore(memory({ db: sold }), { events: [OrderPlaced] });
 * const bestsellers = new Projection(store, {
 *   name: "bestsellers",
 *   handlers: {
 *     OrderPlaced: ({ data }, { db }) => db.set(data.sku, (db.get(data.sku) ?? 0) + 1),
 *   },
 *   reset: ({ db }) => db.clear(),
 * });
 *
 * await store.append("order:1", OrderPlaced({ sku: "tea" }));
 * await bestsellers.runOnce();
 * await bestsellers.rebuild();
 * assert.deepEqual([...sold], [["tea", 1]]);
 * ```
 *
 * @example Read your own writes
 * ```ts
 * import { defineEvent, EventStore, Projection } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent("OrderPlaced");
 * const open = new Set<string>();
 * const store = new EventStore(memory(), { events: [OrderPlaced] });
 * const orders = new Projection(store, {
 *   name: "orders",
 *   handlers: { OrderPlaced: ({ streamId }) => open.add(streamId) },
 * });
 * const stop = new AbortController();
 * const running = orders.run({ signal: stop.signal });
 *
 * const { position } = await store.append("order:42", OrderPlaced());
 * await orders.waitFor(position, { signal: AbortSignal.timeout(5000) });
 * assert(open.has("order:42"));
 *
 * stop.abort();
 * await running; // events in flight are finished
 * ```
 */
export class Projection<E extends Event = Event, Db = unknown> extends Consumer {
  readonly #internals: Internals<E, Db>;
  readonly #options: ProjectionOptions<E, Db>;
  readonly #handlers: Handlers<E, Db>;

  /**
   * Creates a projection.
   *
   * @throws {TypeError | RangeError} If an option is malformed or out of range.
   * @throws {UnsupportedError} If the driver has no transactions, or does not support consumers.
   */
  constructor(store: EventStore<E, Db>, options: ProjectionOptions<E, Db>) {
    checkObject("options", options);
    super();
    const { handlers: object, reset, inline = false, ...rest } = options;
    const handlers = checkHandlers<E, Db>(store, object);
    const types = [...handlers.keys()];
    if (reset !== undefined) checkFunction("reset", reset);
    checkFilterPolicy(rest.onFilterChange, reset !== undefined);
    const plan = planOf<E, Db>(store, {
      ...rest,
      types,
      work: {
        mode: "transaction",
        handle: ([event], context) => handlers.get(event!.type)?.(event!, context),
      },
    });
    if (types.length === 0) {
      throw new TypeError("handlers must have a handler for at least one event type");
    }
    attach(this, new Worker(plan, async (rewind) => void await this.#empty(rewind)));
    this.#internals = internalsOf<E, Db>(store)!;
    this.#options = options;
    this.#handlers = handlers;
    if (inline) this.#subscribe(types, rest.categories);
  }

  /**
   * Empties the read model with `reset` and replays everything from the start. Reset and checkpoint are one
   * transaction; the open transactions of other workers are rolled back, and they take part in the replay. An inline
   * projection is replayed in that one transaction, while appends wait for it.
   *
   * @returns The outcome of the replay; events that fail are parked, as in `runOnce`.
   * @throws {TypeError} If the projection has no `reset`. Or what `reset` threw, or a handler of an inline projection:
   * the read model and the checkpoint are unchanged.
   */
  async rebuild(options: RebuildOptions = {}): Promise<RunResult> {
    if (this.#options.reset === undefined) {
      throw new TypeError("reset must be given to rebuild a projection");
    }
    const { signal, onProgress } = checkObject("options", options);
    if (onProgress !== undefined) checkFunction("onProgress", onProgress);
    const { observer, key: { name: consumer, version } } = this.#worker.plan;
    const run = () => this.#rebuild({ signal, onProgress });
    if (observer === undefined) return await run();
    return await around(observer, { name: "rebuild", consumer, version }, run);
  }

  async #rebuild({ signal, onProgress }: RebuildOptions): Promise<RunResult> {
    let handled = 0;
    if (!signal?.aborted) {
      await this.#worker.rewind(async (rewind) => {
        handled = await this.#empty(rewind);
      });
    }
    const replay = this.runOnce({ signal });
    const result = await (onProgress ? watch(this.#worker.plan, replay, onProgress) : replay);
    return { ...result, handled: handled + result.handled };
  }

  /** Handles all settled events, then returns; an inline projection has none left to handle. */
  override async runOnce(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<RunResult> {
    if (!this.#options.inline) return await super.runOnce(options);
    return { handled: 0, failed: 0, parked: 0, position: await this.#worker.plan.driver.settled() };
  }

  /** Runs until the signal aborts; for an inline projection, returns immediately. */
  override async run(options: RunOptions = {}): Promise<void> {
    if (!this.#options.inline) await super.run(options);
  }

  /** Returns the state of the projection; an inline one is never behind. */
  override async status(): Promise<ConsumerStatus> {
    const status = await super.status();
    if (!this.#options.inline) return status;
    return { ...status, position: status.head, lag: 0, oldest: undefined };
  }

  /** Waits until a position has taken effect; for an inline projection, every committed one has. */
  override async waitFor(
    position: number,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    checkNumber("position", position);
    if (!this.#options.inline) await super.waitFor(position, options);
  }

  /**
   * Compares the rows of this version with those of an earlier one, before one switches to it. It walks both in the
   * order of their keys and holds one row of each. Rows that change meanwhile may count as differences: compare when
   * both versions have caught up.
   *
   * @throws {TypeError | RangeError} If an option is malformed, there is no earlier version, or the rows do not come in
   * the ascending order of their keys. Or what `rows` threw.
   *
   * @example Compare before switching
   * ```ts
   * import { defineEvent, EventStore, Projection } from "event-sourcery";
   * import { memory } from "event-sourcery/memory";
   * import assert from "node:assert/strict";
   *
   * const models = { 1: new Map([["tea", 2]]), 2: new Map([["cup", 1], ["tea", 2]]) };
   * const store = new EventStore(memory(), { events: [defineEvent("Sold")] });
   * const sales = new Projection(store, { name: "sales", version: 2, handlers: { Sold() {} } });
   *
   * const { same, added, examples } = await sales.compare({
   *   async *rows(version) {
   *     yield* models[version === 1 ? 1 : 2]; // in a database: ordered by the key
   *   },
   * });
   * assert.deepEqual([same, added, examples[0]?.key], [1, 1, "cup"]);
   * ```
   */
  async compare<Key extends RowKey, Row>(
    options: CompareOptions<Key, Row>,
  ): Promise<Comparison<Key, Row>> {
    return await compareRows(this.#worker.plan.key.version, options);
  }

  get #worker(): Worker {
    return workerOf(this);
  }

  /**
   * Sets the projection back and empties its read model.
   *
   * @returns How many events were replayed inside the transaction.
   */
  async #empty(rewind: (session: Rewound) => Promise<boolean>): Promise<number> {
    const { reset, inline } = this.#options;
    const { key: { version: projectionVersion } } = this.#worker.plan;
    return await transactOn(this.#internals, async (inner, session) => {
      checkSession(session);
      if (!(await rewind(session))) return 0;
      if (inline) await session.blockAppends();
      await reset!({ db: session.db, projectionVersion });
      return inline ? await this.#replay(inner, session) : 0;
    });
  }

  async #replay(internals: Internals<E, Db>, session: Session<Db>): Promise<number> {
    const { categories } = this.#options;
    const { tenantId, shared: { catalog } } = internals;
    const types = [...this.#handlers.keys()];
    let count = 0;
    for await (const event of readLog(session, catalog, tenantId, { types, categories })) {
      const context = this.#context(storeFor(internals, event), session.db, true);
      await this.#handlers.get(event.type)?.(event, context);
      count++;
    }
    return count;
  }

  #subscribe(types: readonly string[], categories: readonly string[] | undefined): void {
    const { tenantId, shared: { handlers } } = this.#internals;
    const { scope, name, version } = this.#worker.plan.key;
    const key = JSON.stringify([scope, name, version]);
    // An application may create it for each request: it replaces its predecessor, so that no event takes effect twice.
    const before = handlers.findIndex((handler) => handler.key === key);
    handlers.splice(before < 0 ? handlers.length : before, 1, {
      key,
      matches: (event, category) =>
        types.includes(event.type) && (categories?.includes(category) ?? true),
      afterCommit: false,
      handler: async (event, { store, db }) => {
        if (tenantId !== undefined && event.tenantId !== tenantId) return;
        await this.#handlers.get(event.type)?.(event, this.#context(store, db, false));
      },
    });
  }

  #context(store: EventStore<E, Db>, db: Db, replaying: boolean): ProjectionContext<E, Db> {
    const projectionVersion = this.#worker.plan.key.version;
    const { signal } = new AbortController();
    return { store, db, signal, attempt: 1, replaying, projectionVersion };
  }
}
