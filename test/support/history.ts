import type { EventStore, ExpectedVersion, RecordedEvent } from "event-sourcery";
import { defineEvent, type Driver, type EventOf, EventStore as Store } from "event-sourcery";
import { isEventSourceryError } from "event-sourcery";
import * as fc from "fast-check";

const Noted = defineEvent<unknown>()("Noted");
const Closed = defineEvent("Closed");
type HistoryEvent = EventOf<typeof Noted> | EventOf<typeof Closed>;

/** One event to append; ids are few, so that some come again. */
interface Given {
  readonly id: string;
  readonly data: unknown;
  readonly tags: readonly string[];
  readonly createdAt: Date;
}

/** One stream's part of an append. */
interface Part {
  readonly streamId: string;
  readonly expectedVersion: ExpectedVersion;
  readonly events: readonly Given[];
}

/** One step of a history. */
export type Step =
  | { readonly do: "append" | "publish"; readonly tenantId: string; readonly part: Part }
  | { readonly do: "appendAll"; readonly tenantId: string; readonly parts: readonly Part[] }
  | { readonly do: "delete"; readonly tenantId: string; readonly streamId: string }
  | {
    readonly do: "load";
    readonly tenantId: string;
    readonly streamId: string;
    readonly options: object;
  }
  | {
    readonly do: "readAll";
    readonly tenantId: string | undefined;
    /** After how many events of the log so far. */
    readonly after: number;
    readonly options: object;
  }
  | { readonly do: "streams"; readonly tenantId: string; readonly category: string | undefined }
  | { readonly do: "transaction"; readonly steps: readonly Step[]; readonly commits: boolean };

const tenantId = fc.constantFrom("", "acme");
const streamId = fc.constantFrom("a:1", "a:2", "b:1", "c");
const tag = fc.constantFrom("red", "big", "é");
const none = { nil: undefined };

const given: fc.Arbitrary<Given> = fc.record({
  id: fc.nat(40).map((number) => `e${number}`),
  data: fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.string({ unit: "binary", maxLength: 5 }),
    fc.bigInt(),
    fc.double(),
    fc.date({ noInvalidDate: true }),
    fc.constant(undefined),
  ),
  tags: fc.uniqueArray(tag, { maxLength: 2 }),
  createdAt: fc.date({
    min: new Date("0001-01-01"),
    max: new Date("9999-12-31"),
    noInvalidDate: true,
  }),
});

const part: fc.Arbitrary<Part> = fc.record({
  streamId,
  expectedVersion: fc.oneof(
    fc.constantFrom("any" as const, "noStream" as const, "streamExists" as const),
    fc.nat(4),
  ),
  events: fc.array(given, { minLength: 1, maxLength: 3 }),
});

const limit = fc.option(fc.nat(4), none);

/** One step that is not a transaction. */
const plain: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("append" as const, "publish" as const),
      tenantId,
      part,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("appendAll" as const),
      tenantId,
      parts: fc.uniqueArray(part, {
        minLength: 1,
        maxLength: 3,
        selector: ({ streamId }) => streamId,
      }).map(oneByOne),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), tenantId, streamId }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("load" as const),
      tenantId,
      streamId,
      options: fc.record({
        limit,
        from: fc.option(fc.integer({ min: 1, max: 5 }), none),
        to: fc.option(fc.nat(5), none),
        backwards: fc.boolean(),
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("readAll" as const),
      tenantId: fc.option(tenantId, none),
      after: fc.nat(8),
      options: fc.record({
        limit,
        categories: fc.option(fc.subarray(["a", "b", ""]), none),
        types: fc.option(fc.subarray(["Noted", "Closed"]), none),
        tags: fc.option(fc.array(tag, { maxLength: 2 }), none),
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("streams" as const),
      tenantId,
      category: fc.option(fc.constantFrom("a", "b", ""), none),
    }),
  },
);

/** In which order the events of several streams of one step follow each other in the log is a driver's own affair. */
function oneByOne(parts: readonly Part[]): readonly Part[] {
  if (parts.length === 1) return parts;
  return parts
    .map((part) => ({ ...part, events: part.events.slice(0, 1) }))
    .sort((a, b) => a.streamId < b.streamId ? -1 : 1);
}

/** Histories of appends, deletions, reads and nested transactions, over a few streams of two tenants. */
export const histories: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.letrec<{ step: Step }>((tie) => ({
    step: fc.oneof(
      { maxDepth: 2 },
      { weight: 5, arbitrary: plain },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("transaction" as const),
          steps: fc.array(tie("step"), { maxLength: 6 }),
          commits: fc.boolean(),
        }),
      },
    ),
  })).step,
  { maxLength: 25 },
);

/** Plays a history on a driver, and gives all that can be seen of it, but for the positions themselves. */
export async function play(driver: Driver, history: readonly Step[]): Promise<unknown> {
  const store = new Store(driver, { events: [Noted, Closed] });
  const outcomes = await playSteps(store, history);
  const log = await allOf(store.readAll());
  return {
    outcomes,
    log: log.map(visible),
    rising: log.every(({ position }, index) => position > (log[index - 1]?.position ?? 0)),
    settled: await store.position() >= (log.at(-1)?.position ?? 0),
    published: (await published(driver)).map(({ id }) => id),
  };
}

async function playSteps(
  store: EventStore<HistoryEvent>,
  steps: readonly Step[],
): Promise<readonly unknown[]> {
  const outcomes: unknown[] = [];
  for (const step of steps) outcomes.push(await outcomeOf(() => playStep(store, step)));
  return outcomes;
}

async function playStep(store: EventStore<HistoryEvent>, step: Step): Promise<unknown> {
  if (step.do === "transaction") return await playTransaction(store, step.steps, step.commits);
  const scoped = step.tenantId === undefined ? store : store.scope({ tenantId: step.tenantId });
  switch (step.do) {
    case "append":
    case "publish": {
      const { streamId, expectedVersion, events } = step.part;
      const result = await scoped[step.do](streamId, events.map(make), { expectedVersion });
      return { version: result.version, events: result.events.map(visible) };
    }
    case "appendAll": {
      const appends = step.parts.map((part) => ({ ...part, events: part.events.map(make) }));
      const results = await scoped.appendAll(appends);
      return results.map(({ version, events }) => ({ version, events: events.map(visible) }));
    }
    case "delete":
      return await scoped.delete(step.streamId);
    case "load":
      return (await scoped.load(step.streamId, step.options)).map(visible);
    case "readAll": {
      const log = await allOf(store.readAll());
      const after = step.after === 0 ? 0 : log[step.after - 1]?.position ?? 0;
      return (await allOf(scoped.readAll({ ...step.options, after }))).map(visible);
    }
    case "streams":
      return await scoped.streams({ category: step.category });
  }
}

async function playTransaction(
  store: EventStore<HistoryEvent>,
  steps: readonly Step[],
  commits: boolean,
): Promise<unknown> {
  let outcomes: unknown;
  const rollback = new Error("rolled back");
  try {
    await store.transaction(async ({ store }) => {
      outcomes = await playSteps(store, steps);
      if (!commits) throw rollback;
    });
  } catch (error) {
    if (error !== rollback) throw error;
  }
  return outcomes;
}

/** The outcome of a step: its result, or the code and the fields of its error. */
async function outcomeOf(step: () => Promise<unknown>): Promise<unknown> {
  try {
    return { result: await step() };
  } catch (error) {
    if (isEventSourceryError(error, "CONCURRENCY")) {
      const { code, streamId, expected, actual, transactionAborted } = error;
      return { code, streamId, expected, actual, transactionAborted };
    }
    if (isEventSourceryError(error)) return { code: error.code };
    throw error;
  }
}

function make({ id, data, tags, createdAt }: Given): HistoryEvent {
  return data === undefined
    ? Closed(undefined, { id, tags, createdAt })
    : Noted(data, { id, tags, createdAt, metadata: { note: data } });
}

function visible({ position: _, ...event }: RecordedEvent<HistoryEvent>): unknown {
  return event;
}

async function allOf(
  events: AsyncIterable<RecordedEvent<HistoryEvent>>,
): Promise<readonly RecordedEvent<HistoryEvent>[]> {
  const found: RecordedEvent<HistoryEvent>[] = [];
  for await (const event of events) found.push(event);
  return found;
}

async function published(driver: Driver): Promise<readonly { readonly id: string }[]> {
  const filters = { tenantId: undefined, categories: undefined, types: undefined, tags: undefined };
  const query = { ...filters, after: 0, until: await driver.settled(), limit: 1000 };
  return (await driver.scan(query)).events.filter(({ published }) => published);
}
