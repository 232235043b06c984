import { PermanentError, Subscription } from "../../mod.ts";
import { inspect, type Inspector } from "../../src/inspect/mod.ts";
import { studio } from "../../src/studio/mod.ts";
import { connectPostgres, openLibsql, openPostgres, placed, type Store } from "./databases.ts";
import type { Figure } from "./figures.ts";
import { fillLibsql, fillPostgres } from "./fill.ts";
import { takeTurns } from "./turns.ts";

/** The shorter log: as many positions as a search goes through, so that a search of either does as much. */
const few = 100_000;

/** A store to look at, and the id of the flow in it. */
interface Sight {
  readonly inspector: Inspector;
  readonly open: (path: string) => Promise<void>;
  readonly flow: string;
}

/**
 * Every query of an inspector and every page of a studio, in a long log beside one that is as long as a search may go: a
 * look is to cost the same in both.
 */
export async function looks(events: number, where: string, rounds: number): Promise<Figure[]> {
  return [
    ...await onPostgres(events, where, rounds),
    ...await onLibsql(events, "libSQL, a file", rounds),
  ];
}

async function onPostgres(events: number, where: string, rounds: number): Promise<Figure[]> {
  const { url, client, store, close } = await openPostgres();
  const large = await connectPostgres(url, { schema: "large" });
  await fillPostgres(client, "event_sourcery", few);
  await fillPostgres(large.client, "large", events);
  const size = async (schema: string) => {
    const tables = ["events", "event_tags"].map((name) =>
      `pg_total_relation_size('${schema}.${name}')`
    );
    const [row] = await client.unsafe<{ size: string }[]>(
      `select (${tables.join(" + ")})::text as size`,
    );
    return Number(row!.size);
  };
  const sizes = sizeOf(events, where, await size("large"), await size("event_sourcery"));
  const figures = await measure(events, where, rounds, large.store, store);
  await large.close();
  await close();
  return [sizes, ...figures];
}

async function onLibsql(events: number, where: string, rounds: number): Promise<Figure[]> {
  const [large, small] = [await openLibsql(), await openLibsql()];
  await fillLibsql(large.client, events);
  await fillLibsql(small.client, few);
  const size = async ({ client }: typeof large) => {
    const text = "select page_count * page_size from pragma_page_count(), pragma_page_size()";
    return Number((await client.execute(text)).rows[0]![0]);
  };
  const sizes = sizeOf(events, where, await size(large), await size(small));
  const figures = await measure(events, where, rounds, large.store, small.store);
  await large.close();
  await small.close();
  return [sizes, ...figures];
}

/** What an event of the log takes on disk. */
function sizeOf(events: number, where: string, ...bytes: readonly [number, number]): Figure {
  const counts = [events, few];
  const sides = bytes.map((size, index) => {
    const each = size / counts[index]!;
    const name = `${counts[index]!.toLocaleString("en")} events`;
    return { name, median: each, low: each, high: each, ratio: 1 };
  });
  return {
    ...{ subject: "look: size", title: "an event with two tags, on disk", where, unit: "bytes" },
    ...{ lower: true, rounds: 1, at: new Date().toISOString(), sides },
  };
}

async function measure(
  events: number,
  where: string,
  rounds: number,
  large: Store,
  small: Store,
): Promise<Figure[]> {
  const sights = [
    { name: `${events.toLocaleString("en")} events`, sight: await furnish(large) },
    { name: `${few.toLocaleString("en")} events`, sight: await furnish(small) },
  ];
  const figures: Figure[] = [];
  for (const [title, work] of [...queries, ...pages]) {
    const what = { subject: `look: ${title}`, title, where, rounds };
    const turns = sights.map(({ name, sight }) => ({ name, times: 1, work: () => work(sight) }));
    figures.push(await takeTurns(what, turns));
  }
  return figures;
}

/** Puts a flow, parked streams and a consumer that is far behind into a store. */
async function furnish(store: Store): Promise<Sight> {
  const behind = new Subscription(store, { name: "behind", batchSize: 10, handler: () => {} });
  await behind.drain({ maxDuration: 1 });
  const mails = new Subscription(store, {
    name: "mails",
    from: "now",
    categories: ["parked"],
    handler() {
      throw new PermanentError("The address is unknown");
    },
  });
  await mails.drain();
  const { events: [cause] } = await store.append("order:flow", placed(0));
  const metadata = { correlationId: cause.id, causationId: cause.id };
  for (let step = 1; step <= 200; step++) {
    await store.scope({ metadata }).append("order:flow", placed(step));
    await store.append(`parked:${step}`, placed(step));
  }
  await mails.drain();
  const aggregates = { order: (events: readonly unknown[]) => events.length };
  const handler = studio(store, { authorize: () => "read", aggregates });
  return {
    inspector: inspect(store, { aggregates }),
    async open(path) {
      const response = await handler(new Request(`http://127.0.0.1${path}`));
      const page = await response.text();
      if (response.status !== 200) {
        throw new Error(`${path} has the status ${response.status}: ${page}`);
      }
    },
    flow: cause.id,
  };
}

type Look = readonly [title: string, work: (sight: Sight) => Promise<unknown>];

const [hour, day] = [3_600_000, 86_400_000];

/** Where a window of the chart begins. */
function ago(milliseconds: number): Date {
  return new Date(Date.now() - milliseconds);
}

const queries: readonly Look[] = [
  ["the newest 50 events", ({ inspector }) => inspector.log()],
  ["the newest 50 of a type", ({ inspector }) => inspector.log({ types: ["Placed"] })],
  ["a type that does not occur", ({ inspector }) => inspector.log({ types: ["Returned"] })],
  [
    "the newest 50 with two tags",
    ({ inspector }) => inspector.log({ tags: ["order:7", "region:1"] }),
  ],
  ["an event by its id", ({ inspector }) => inspector.event("id-77777")],
  ["streams by prefix", ({ inspector }) => inspector.streams({ prefix: "order:s7" })],
  ["streams changed last", ({ inspector }) => inspector.touched()],
  ["a page of a stream", ({ inspector }) => inspector.stream("order:flow")],
  ["a flow of 201 events", ({ inspector, flow }) => inspector.trace(flow)],
  ["what an event caused", ({ inspector, flow }) => inspector.caused(flow)],
  ["a state of 201 events", ({ inspector }) => inspector.state("order:flow")],
  ["two states compared", ({ inspector }) => inspector.diff("order:flow", 3, 150)],
  ["the chart of an hour", ({ inspector }) => inspector.rate({ since: ago(hour), buckets: 120 })],
  [
    "the chart of 30 days",
    ({ inspector }) => inspector.rate({ since: ago(30 * day), buckets: 120 }),
  ],
  ["the position of a time", ({ inspector }) => inspector.positionAt(ago(day / 2))],
  ["the newest 10,000 by type", ({ inspector }) => inspector.types()],
  ["the catalogue", ({ inspector }) => inspector.catalogue()],
  ["consumers, one far behind", ({ inspector }) => inspector.consumers()],
  ["parked streams", ({ inspector }) => inspector.parked()],
  ["200 parked streams in groups", ({ inspector }) => inspector.parkedGroups()],
];

const pages: readonly Look[] = ([
  ["Overview", () => "/"],
  ["Log", () => "/log"],
  ["Log, of a type", () => "/log?type=Placed"],
  ["Streams", () => "/streams"],
  ["Streams, by prefix", () => "/streams?prefix=order:s7"],
  ["Stream, a state of 201 events", () => "/stream?id=order:flow"],
  ["Event", (flow) => `/event?id=${flow}`],
  ["Trace, 201 events", (flow) => `/trace?id=${flow}`],
  ["Consumers", () => "/consumers"],
  ["Consumer, far behind", () => "/consumer?name=behind&version=1"],
  ["Parked, 200 streams", () => "/parked"],
  ["Catalogue", () => "/catalogue"],
] satisfies [string, (flow: string) => string][]).map(([title, path]): Look => [
  `page: ${title}`,
  ({ open, flow }) => open(path(flow)),
]);
