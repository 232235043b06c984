import type { Session } from "../driver/driver.ts";
import type { Event, Metadata, RecordedEvent } from "../event/event.ts";
import type { Prepared } from "./prepare.ts";
import type {
  FoldOptions,
  LoadOptions,
  ReadAllOptions,
  StreamList,
  StreamsOptions,
} from "./reader.ts";
import type { ScopeOptions, TransactionContext, UsingStore } from "./store.ts";
import type { Subscription } from "./handler.ts";
import type { AppendOptions, AppendResult, AppendResults, StreamAppend } from "./writer.ts";
import { record } from "../codec/catalog.ts";
import { checkName, checkObject } from "../errors/check.ts";
import { followLog, type FollowOptions } from "./follow.ts";
import { copyMetadata } from "../event/freeze.ts";
import { type Inside, reveal, type Shared } from "./internals.ts";
import { categoryOf } from "./prepare.ts";
import { collect, foldPages, listStreams, readLog, readStream, readVersion } from "./reader.ts";
import { Unit } from "./transaction.ts";
import { send } from "./writer.ts";

/** Where a store stands: in which transaction, for which tenant, with which metadata. */
export interface Place<Db> {
  readonly session: Session<Db>;
  readonly unit: Unit | undefined;
  readonly tenantId: string | undefined;
  readonly metadata: Metadata;
  /** The ids that what is appended here follows from; no scope inside changes them. */
  readonly cause?: Metadata | undefined;
}

/** The event store at one place; `EventStore` is its public face and documents its members. */
export class BoundStore<E extends Event, Db> implements UsingStore<E, Db> {
  readonly #shared: Shared<E, Db>;
  readonly #place: Place<Db>;

  constructor(shared: Shared<E, Db>, place: Place<Db>) {
    this.#shared = shared;
    this.#place = place;
    reveal(this, () => this.#inside());
  }

  readonly append = <A extends E>(
    streamId: string,
    events: A | readonly A[],
    options?: AppendOptions,
  ): Promise<AppendResult<A>> => this.#one(streamId, events, options, false);

  readonly publish = <A extends E>(
    streamId: string,
    events: A | readonly A[],
    options?: AppendOptions,
  ): Promise<AppendResult<A>> => this.#one(streamId, events, options, true);

  // The results stand in the order of the appends, which is what the one cast here says.
  readonly appendAll = async <const Appends extends readonly StreamAppend<E>[]>(
    appends: Appends,
  ): Promise<AppendResults<Appends>> =>
    await this.#append<E>(appends, false) as AppendResults<Appends>;

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
    [Symbol.asyncIterator]: () =>
      readLog(this.#session, this.#shared.catalog, this.#place.tenantId, options),
  });

  readonly follow = (options: FollowOptions = {}): AsyncIterable<RecordedEvent<E>> => ({
    [Symbol.asyncIterator]: () => followLog(this.#shared, this.#place.tenantId, options),
  });

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

  readonly streams = (options: StreamsOptions = {}): StreamList =>
    listStreams(() => this.#session, this.#tenantId, options);

  async transaction<R>(work: (context: TransactionContext<E, Db>) => R): Promise<Awaited<R>> {
    return await this.#transaction(async (store): Promise<Awaited<R>> =>
      await work({ store, db: store.#place.session.db })
    );
  }

  using(tx: Db): UsingStore<E, Db> {
    return this.#at({ session: this.#shared.driver.using(tx), unit: new Unit(undefined) });
  }

  async committed(): Promise<void> {
    await this.#place.unit?.committed();
  }

  scope(options: ScopeOptions): BoundStore<E, Db> {
    checkObject("options", options);
    const { tenantId = this.#place.tenantId, metadata = {} } = options;
    if (tenantId !== undefined && tenantId !== "") checkName("tenantId", tenantId);
    if (this.#place.tenantId !== undefined && tenantId !== this.#place.tenantId) {
      throw new TypeError(
        "tenantId must be that of the scope around it: a scoped store reaches no other tenant",
      );
    }
    const { metadata: outer, cause } = this.#place;
    return this.#at({
      tenantId,
      metadata: { ...outer, ...copyMetadata("scope", metadata), ...cause },
    });
  }

  async delete(streamId: string): Promise<void> {
    checkName("streamId", streamId);
    await this.#session.delete(this.#tenantId, streamId);
  }

  #inside(): Inside<E, Db> {
    const { unit, tenantId } = this.#place;
    return {
      shared: this.#shared,
      unit,
      tenantId,
      transaction: (work) =>
        this.#transaction((store) => work(store.#inside(), store.#place.session)),
      reacting: (event) => this.#at(this.#reaction(event)),
    };
  }

  /** Where whoever handles an event stands. */
  #reaction({ id, tenantId, metadata }: RecordedEvent<E>): Partial<Place<Db>> {
    const { correlationId } = metadata as Metadata;
    const cause = { correlationId, causationId: id };
    return { tenantId, metadata: { ...this.#place.metadata, ...cause }, cause };
  }

  get #tenantId(): string {
    return this.#place.tenantId ?? "";
  }

  get #session(): Session<Db> {
    this.#place.unit?.check();
    return this.#place.session;
  }

  #at(place: Partial<Place<Db>>): BoundStore<E, Db> {
    return new BoundStore(this.#shared, { ...this.#place, ...place });
  }

  #pages(streamId: string, options: LoadOptions): AsyncGenerator<readonly RecordedEvent<E>[]> {
    return readStream(this.#session, this.#shared.catalog, this.#tenantId, streamId, options);
  }

  #transaction<R>(work: (store: BoundStore<E, Db>) => Promise<R>): Promise<R> {
    const unit = new Unit(this.#place.unit);
    return unit.run(() =>
      this.#session.transaction((session) => work(this.#at({ session, unit })))
    );
  }

  async #one<A extends E>(
    streamId: string,
    events: A | readonly A[],
    options: AppendOptions | undefined,
    publish: boolean,
  ): Promise<AppendResult<A>> {
    const { expectedVersion } = checkObject("options", options ?? {});
    return (await this.#append<A>([{ streamId, events, expectedVersion }], publish))[0]!;
  }

  /** The way of every append: check and encode, store, call the handlers. */
  #append<A extends E>(
    appends: readonly StreamAppend<A>[],
    publish: boolean,
  ): Promise<readonly AppendResult<A>[]> {
    const { metadata, unit } = this.#place;
    const prepared = this.#shared.preparer.prepare(appends, this.#tenantId, metadata, publish);
    const wanted = this.#shared.subscriptions.filter(({ matches }) =>
      prepared.streams.some((events, index) => {
        const { category } = prepared.request.writes[index]!;
        return events.some((event) => matches(event, category));
      })
    );
    if (wanted.length === 0) return this.#store(prepared, wanted);
    const work = (store: BoundStore<E, Db>) => store.#store<A>(prepared, wanted);
    // Inside a transaction this is a savepoint: when a handler throws, its append alone is undone.
    if (wanted.some(({ afterCommit }) => !afterCommit)) return this.#transaction(work);
    const after = new Unit(unit);
    return after.run(() => work(this.#at({ unit: after })));
  }

  async #store<A extends E>(
    { streams, request }: Prepared,
    wanted: readonly Subscription<E, Db>[],
  ): Promise<readonly AppendResult<A>[]> {
    const { tenantId, writes } = request;
    const sent = await send(this.#session, request);
    const results: AppendResult<A>[] = [];
    for (const [index, { streamId }] of writes.entries()) {
      const { version, positions } = sent.writes[index]!;
      const from = version - positions.length + 1;
      const events = sent.repeated
        ? await this.load(streamId, { from, to: version })
        : streams[index]!.map((event, i) =>
          record(event, streamId, from + i, positions[i]!, tenantId)
        );
      results.push({
        streamId,
        version,
        position: positions.at(-1)!,
        events: events as unknown as AppendResult<A>["events"],
      });
    }
    if (sent.repeated) return results;
    if (wanted.length > 0) await this.#call(wanted, results);
    this.#ring();
    return results;
  }

  /** Wakes the consumers, once what was appended is committed. */
  #ring(): void {
    const { bell } = this.#shared;
    if (this.#place.unit === undefined) bell.ring();
    else this.#place.unit.onCommit(async () => bell.ring());
  }

  /** Calls the handlers event by event, in the order they were registered; or notes them for after the commit. */
  async #call(
    wanted: readonly Subscription<E, Db>[],
    results: readonly AppendResult<E>[],
  ): Promise<void> {
    const { driver } = this.#shared;
    for (const event of results.flatMap(({ events }) => events) as readonly RecordedEvent<E>[]) {
      const place = this.#reaction(event);
      for (const { matches, handler, afterCommit } of wanted) {
        if (!matches(event, categoryOf(event.streamId))) continue;
        if (!afterCommit) {
          await handler(event, { store: this.#at(place), db: this.#place.session.db });
        } else {
          const store = this.#at({ ...place, session: driver, unit: undefined });
          this.#place.unit?.onCommit(() =>
            this.#report(async () => await handler(event, { store, db: driver.db }))
          );
        }
      }
    }
  }

  /** Runs what comes after the commit: the append has succeeded, so nothing may make it fail any more. */
  async #report(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      try {
        await this.#shared.onError(error);
      } catch (second) {
        console.error(second);
      }
    }
  }
}
