import type { ForgottenSubject, Sealer } from "../codec/sealer.ts";
import type { Driver, Session } from "../driver/driver.ts";
import type { Event, Metadata, RecordedEvent } from "../event/event.ts";
import type {
  FoldOptions,
  FollowOptions,
  LoadOptions,
  ReadAllOptions,
  StreamList,
  StreamsOptions,
  Trace,
} from "./reader.ts";
import type {
  AppendAllOptions,
  AppendOptions,
  AppendResult,
  AppendResults,
  EventWriter,
  StreamAppend,
} from "./writer.ts";
import {
  checkBoolean,
  checkInstant,
  checkName,
  checkObject,
  checkSignal,
} from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { copyMetadata } from "../event/freeze.ts";
import { append } from "./append.ts";
import { followLog } from "./follow.ts";
import {
  copyQuery,
  type EventQuery,
  itemsOf,
  type MatchOf,
  type QueryResult,
  readCondition,
  readMatches,
} from "../query/query.ts";
import {
  collect,
  foldPages,
  listStreams,
  positionAt,
  probeOf,
  readLog,
  readStream,
  readVersion,
} from "./read.ts";
import { type Scope, sessionOf, type Shared, transact } from "./scope.ts";
import { schedule, unschedule } from "./schedule.ts";
import { readTrace } from "./trace.ts";
import { Transaction } from "./transaction.ts";

/** The private fields of a store. */
export interface Parts<E extends Event, Db> {
  readonly shared: Shared<E, Db, ScopedStore<E, Db>>;
  readonly scope: Scope<Db>;
}

/** Gives `internals.ts` access to the private fields; undefined for another object. Assigned in the static block. */
export let partsOf: <E extends Event, Db>(store: object) => Parts<E, Db> | undefined;

/** The event store in one scope. Its public type, which the compiler holds it to, is `EventStore`. */
export class ScopedStore<E extends Event, Db> {
  readonly #shared: Shared<E, Db, ScopedStore<E, Db>>;
  readonly #scope: Scope<Db>;

  static {
    partsOf = (store) =>
      store instanceof ScopedStore ? { shared: store.#shared, scope: store.#scope } : undefined;
  }

  constructor(shared: Shared<E, Db, ScopedStore<E, Db>>, scope: Scope<Db>) {
    this.#shared = shared;
    this.#scope = scope;
  }

  get driver(): Driver<Db> {
    return this.#shared.driver;
  }

  readonly append = <A extends E>(
    streamId: string,
    events: A | readonly A[],
    options?: AppendOptions,
  ): Promise<AppendResult<A>> => this.#appendOne(streamId, events, options, false);

  readonly publish = <A extends E>(
    streamId: string,
    events: A | readonly A[],
    options?: AppendOptions,
  ): Promise<AppendResult<A>> => this.#appendOne(streamId, events, options, true);

  // The results are in the order of the appends, which the compiler cannot see.
  readonly appendAll = async <const Appends extends readonly StreamAppend<E>[]>(
    appends: Appends,
    options: AppendAllOptions = {},
  ): Promise<AppendResults<Appends>> => {
    const { publish = false, ...terms } = checkObject("options", options);
    checkBoolean("publish", publish);
    return await this.#append(appends, publish, terms) as unknown as AppendResults<Appends>;
  };

  readonly schedule: EventWriter<E>["schedule"] = (streamId, event, options) =>
    schedule(this.#shared, this.#scope, streamId, event, options);

  readonly unschedule = (id: string): Promise<boolean> => unschedule(this.#shared, this.#scope, id);

  readonly load = async (
    streamId: string,
    options: LoadOptions = {},
  ): Promise<readonly RecordedEvent<E>[]> => (await collect(this.#pages(streamId, options))).flat();

  readonly read = (
    streamId: string,
    options: LoadOptions = {},
  ): AsyncIterable<RecordedEvent<E>> => {
    const pages = () => this.#pages(streamId, options);
    return {
      async *[Symbol.asyncIterator]() {
        for await (const events of pages()) yield* events;
      },
    };
  };

  readonly readAll = (options: ReadAllOptions = {}): AsyncIterable<RecordedEvent<E>> => ({
    [Symbol.asyncIterator]: () => {
      if (options.backwards) this.#need("backwards", "read backwards");
      if (options.since ?? options.until) probeOf(this.#session);
      return readLog(this.#session, this.#shared.catalog, this.#scope.tenantId, options);
    },
  });

  readonly follow = (options: FollowOptions = {}): AsyncIterable<RecordedEvent<E>> => ({
    [Symbol.asyncIterator]: () => followLog(this.#shared, this.#scope.tenantId, options),
  });

  readonly query = async <const Q extends EventQuery<E["type"]>>(
    query: Q,
  ): Promise<QueryResult<MatchOf<E, Q>>> => {
    const checked = copyQuery(query);
    const items = itemsOf(this.#shared.catalog, checked);
    this.#need("conditions", "query events");
    const { events, ...rest } = await readMatches(this.#session, this.#tenantId, items);
    const decoded: unknown = await this.#shared.catalog.decodeAll(this.#session, events);
    return {
      events: decoded as readonly RecordedEvent<MatchOf<E, Q>>[], // of the types that the query names
      condition: { query: checked, ...rest },
    };
  };

  readonly fold = async <State>(
    streamId: string,
    initial: State,
    evolve: (state: State, event: RecordedEvent<E>) => State,
    options: FoldOptions = {},
  ): Promise<State> => {
    const { to, at } = options;
    return await foldPages(this.#pages(streamId, { to }), initial, evolve, at);
  };

  readonly version = async (streamId: string): Promise<number> =>
    await readVersion(this.#session, this.#tenantId, streamId);

  readonly position = async (): Promise<number> => await this.#session.settled();

  readonly positionAt = async (date: Date): Promise<number> => {
    checkInstant("date", date);
    const session = this.#session;
    probeOf(session);
    return await positionAt(session, date.getTime(), await session.settled());
  };

  readonly trace = async (correlationId: string): Promise<Trace<E> | undefined> =>
    await readTrace(this.#session, this.#shared.catalog, this.#tenantId, correlationId);

  readonly streams = (options: StreamsOptions = {}): StreamList =>
    listStreams(
      () => {
        if (options.prefix) this.#need("prefix", "list by a prefix");
        return this.#session;
      },
      this.#tenantId,
      options,
    );

  async transaction<R>(
    work: (context: { readonly store: ScopedStore<E, Db>; readonly db: Db }) => R,
  ): Promise<Awaited<R>> {
    return await transact(
      this.#scope,
      async (scope): Promise<Awaited<R>> =>
        await work({ store: this.#shared.storeAt(scope), db: scope.session.db }),
    );
  }

  using(tx: Db): ScopedStore<E, Db> {
    const session = this.#shared.driver.using(tx);
    return this.#at({ session, transaction: new Transaction(undefined) });
  }

  async committed(): Promise<void> {
    await this.#scope.transaction?.committed();
  }

  scope(options: {
    readonly tenantId?: string | undefined;
    readonly metadata?: Metadata | undefined;
  }): ScopedStore<E, Db> {
    checkObject("options", options);
    const { tenantId = this.#scope.tenantId, metadata = {} } = options;
    if (tenantId !== undefined && tenantId !== "") checkName("tenantId", tenantId);
    if (this.#scope.tenantId !== undefined && tenantId !== this.#scope.tenantId) {
      throw new TypeError("tenantId must be that of the scope around it");
    }
    const { metadata: outer, cause } = this.#scope;
    return this.#at({
      tenantId,
      metadata: { ...outer, ...copyMetadata("scope", metadata), ...cause },
    });
  }

  async forget(subject: string): Promise<ForgottenSubject> {
    return await this.#sealer(subject).forget(this, subject);
  }

  async forgotten(subject: string): Promise<Date | undefined> {
    return await this.#sealer(subject).forgotten(this, subject);
  }

  async delete(streamId: string): Promise<void> {
    checkName("streamId", streamId);
    await this.#session.delete(this.#tenantId, streamId);
    const forget = async () => {
      for (const forgetter of this.#shared.forgetters) forgetter(this.#tenantId, streamId);
    };
    if (this.#scope.transaction === undefined) await forget();
    else this.#scope.transaction.onCommit(forget);
  }

  get #tenantId(): string {
    return this.#scope.tenantId ?? "";
  }

  get #session(): Session<Db> {
    return sessionOf(this.#scope);
  }

  #need(capability: "backwards" | "conditions" | "prefix", action: string): void {
    if (this.#shared.driver.capabilities[capability]) return;
    throw new UnsupportedError(action, `its driver lacks the capability "${capability}"`);
  }

  #sealer(subject: string): Sealer {
    checkName("subject", subject);
    const { sealer } = this.#shared.catalog;
    if (sealer !== undefined) return sealer;
    throw new UnsupportedError("forget subjects", "the store has no keys");
  }

  #at(scope: Partial<Scope<Db>>): ScopedStore<E, Db> {
    return this.#shared.storeAt({ ...this.#scope, ...scope });
  }

  #pages(streamId: string, options: LoadOptions): AsyncGenerator<readonly RecordedEvent<E>[]> {
    return readStream(this.#session, this.#shared, this.#tenantId, streamId, options);
  }

  async #appendOne<A extends E>(
    streamId: string,
    events: A | readonly A[],
    options: AppendOptions | undefined,
    publish: boolean,
  ): Promise<AppendResult<A>> {
    const terms = checkObject("options", options ?? {});
    const { expectedVersion, expectedEventId } = terms;
    const appends = [{ streamId, events, expectedVersion, expectedEventId }];
    return (await this.#append(appends, publish, terms))[0]!;
  }

  async #append<A extends E>(
    appends: readonly StreamAppend<A>[],
    publish: boolean,
    { condition, signal }: Pick<AppendOptions, "condition" | "signal">,
  ): Promise<readonly AppendResult<A>[]> {
    if (signal !== undefined) {
      checkSignal(signal);
      signal.throwIfAborted();
    }
    const { catalog } = this.#shared;
    const checked = condition === undefined ? undefined : readCondition(catalog, condition);
    if (checked !== undefined) this.#need("conditions", "append under a condition");
    const terms = { condition: checked, signal };
    return await append(this.#shared, this.#scope, appends, publish, terms);
  }
}
