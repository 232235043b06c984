import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "./child.ts";
import type { Faults } from "./figures.ts";
import type { Kind, Place } from "./library.ts";
import type { Handled, Work } from "./side.ts";

/** How much is done; a trial does little. */
export interface Scale {
  readonly rounds: number;
  /** How long a round takes where something is done again and again. */
  readonly milliseconds: number;
  /** How many events a consumer reads. */
  readonly events: number;
}

/** What came of a round. */
export interface Round {
  readonly value: number;
  readonly work?: Work | undefined;
  /** Single values, of which the 99th percentile is told. */
  readonly values?: readonly number[] | undefined;
  readonly faults?: Faults | undefined;
}

/** The processes of a side on its database. */
export interface Team {
  readonly library: string;
  readonly place: Place;
  readonly children: readonly [Child, ...Child[]];
}

/** One side of a comparison. */
export interface Side {
  readonly library: string;
  /** How many processes. */
  readonly workers: number;
}

/** What is measured; the sides take turns, and the others are told beside the first. */
export interface Subject {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** Whether less is better. */
  readonly lower?: boolean;
  readonly kinds: readonly Kind[];
  readonly sides: readonly Side[];
  readonly prepare?: (team: Team, scale: Scale) => Promise<unknown>;
  readonly round: (team: Team, round: number, scale: Scale) => Promise<Round>;
  /** Looks at the end whether everything is there. */
  readonly check?: (team: Team) => Promise<Faults>;
}

const databases: readonly Kind[] = ["given", "embedded", "file", "sqld"];
const everywhere: readonly Kind[] = [...databases, "memory"];
const onPostgres: readonly Kind[] = ["given", "embedded"];
const stores = sides("ours", "bare", "emmett", "act", "evtstore", "castore");
const consumers = sides("ours", "bare", "emmett", "graphile", "pgboss");

/** All subjects, in the order they are measured. */
export const subjects: readonly Subject[] = [
  ...[1, 8, 64, 256].map((callers): Subject => ({
    name: `append-${callers}`,
    title: callers === 1 ? "append, one caller" : `append, ${callers} callers`,
    unit: "events/s",
    kinds: callers === 1 ? everywhere : callers === 64 ? databases : onPostgres,
    sides: stores,
    // A round of one caller is some hundred calls: code that a service has compiled long since would be interpreted.
    prepare: ({ children: [child] }, { milliseconds }) =>
      child.ask("append", "warm", callers, callers < 64 ? 12 * milliseconds : milliseconds),
    round: async ({ children: [child] }, round, { milliseconds }) =>
      speed(await child.ask("append", String(round), callers, milliseconds)),
    check: stored,
  })),
  {
    name: "append-made",
    title: "append, one caller, the events made before",
    unit: "events/s",
    kinds: ["memory"],
    sides: sides("ours"),
    round: async ({ children: [child] }, round, { events }) =>
      speed(await child.ask("appendMade", `order:${round}-`, 100, events * 20)),
    check: stored,
  },
  {
    name: "load",
    title: "load a stream of 1,000 events",
    unit: "events/s",
    kinds: everywhere,
    sides: stores,
    prepare: ({ children: [child] }) => child.ask("fill", "order:load", 1, 1000),
    round: async ({ children: [child] }, _, { milliseconds }) =>
      speed(await child.ask("load", "order:load0", milliseconds)),
    check: stored,
  },
  ...([[10, 100], [100, 20], [1000, 4]] as const).map(([events, streams]): Subject => ({
    name: `command-${events}`,
    title: `a command on a stream of ${events.toLocaleString("en")} events`,
    unit: "commands/s",
    kinds: ["given", "embedded", "file"],
    sides: stores,
    async prepare({ children: [child] }, { milliseconds }) {
      await child.ask("fill", "order:warm-", streams, events);
      await child.ask("command", "order:warm-", streams, 1, 6 * milliseconds);
    },
    async round({ children: [child] }, round, { milliseconds }) {
      await child.ask("fill", `order:r${round}-`, streams, events);
      return speed(await child.ask("command", `order:r${round}-`, streams, 1, milliseconds));
    },
    check: stored,
  })),
  {
    name: "contended",
    title: "commands of 8 callers on one stream of 10 events",
    unit: "commands/s",
    kinds: onPostgres,
    sides: stores,
    async round({ children: [child] }, round, { milliseconds }) {
      await child.ask("fill", `order:hot${round}-`, 1, 10);
      return speed(await child.ask("command", `order:hot${round}-`, 1, 8, milliseconds));
    },
    check: stored,
  },
  {
    name: "catch-up",
    title: "a new consumer catches up, its handler empty",
    unit: "events/s",
    kinds: onPostgres,
    sides: consumers,
    prepare: (team, { events }) => fill(team, "order:", events),
    round: (team, round, { events }) => consume(team, round, events),
  },
  {
    name: "drain",
    title: "workers in 1, 2 and 4 processes share a consumer",
    unit: "events/s",
    kinds: onPostgres,
    sides: [
      ...[1, 2, 4].map((workers) => ({ library: "ours", workers })),
      // No more, for the sake of a server's usual 100 connections.
      ...[1, 2].flatMap((workers) => [
        { library: "graphile", workers },
        { library: "pgboss", workers },
      ]),
    ],
    // A queue's jobs are stored anew for each round, which takes long.
    prepare: (team, { events }) => fill(team, "order:", events * 10),
    round: (team, round, { events }) =>
      consume(team, round, queues(team.library) ? events * 2 : events * 10),
  },
  {
    name: "latency",
    title: "from the append in one process to the handler in another",
    unit: "ms",
    lower: true,
    kinds: onPostgres,
    sides: sides("ours", "emmett", "graphile", "pgboss").map((side) => ({ ...side, workers: 2 })),
    prepare: ({ children: [follower] }) => follower.ask("follow"),
    round: latency,
  },
  {
    name: "rebuild",
    title: "rebuild a projection that writes a row an event",
    unit: "events/s",
    kinds: onPostgres,
    sides: sides("ours"),
    prepare: ({ children: [child] }, { events }) => child.ask("fill", "order:", events / 100, 100),
    async round({ children: [child] }, _, { events }) {
      const [work, sum] = await child.ask("rebuild");
      const wrong = sum - events / 100 * 4950;
      const faults = { lost: Number(wrong < 0), duplicated: Number(wrong > 0), reordered: 0 };
      return { ...speed({ ...work, count: events }), faults };
    },
  },
  {
    name: "cold",
    title: "from the start of a process to its first append",
    unit: "ms",
    lower: true,
    kinds: ["given", "embedded", "file", "memory"],
    sides: stores,
    async round({ library, place }) {
      const child = await Child.start(library, place);
      const value = await child.ask("cold");
      await child.close();
      return { value };
    },
  },
];

function sides(...libraries: readonly string[]): readonly Side[] {
  return libraries.map((library) => ({ library, workers: 1 }));
}

function speed(work: Work): Round {
  return { value: work.count / work.milliseconds * 1000, work };
}

async function stored({ children: [child] }: Team): Promise<Faults> {
  const found = await child.ask("stored");
  return sum(found.map(([expected, numbers]) => compare(expected, numbers)));
}

/** What a list of numbers lacks, has twice or has out of order, which should be 0 to `expected` - 1. */
export function compare(expected: number, numbers: readonly number[]): Faults {
  const distinct = new Set(numbers);
  return {
    lost: expected - distinct.size,
    duplicated: numbers.length - distinct.size,
    reordered: numbers.filter((number, index) => index > 0 && number < numbers[index - 1]!).length,
  };
}

function sum(faults: readonly Faults[]): Faults {
  return faults.reduce((a, b) => ({
    lost: a.lost + b.lost,
    duplicated: a.duplicated + b.duplicated,
    reordered: a.reordered + b.reordered,
  }), { lost: 0, duplicated: 0, reordered: 0 });
}

const perStream = 100;

/** Fills streams of 100 events; a queue gets its jobs round by round, since they are gone then. */
async function fill({ library, children: [child] }: Team, prefix: string, events: number) {
  if (!queues(library)) await child.ask("fill", prefix, events / perStream, perStream);
}

function queues(library: string): boolean {
  return library === "graphile" || library === "pgboss";
}

/** Has all processes of a side consume together until everything is handed over. */
async function consume(team: Team, round: number, events: number): Promise<Round> {
  const { library, children } = team;
  const prefix = queues(library) ? `order:${round}-` : "order:";
  if (queues(library)) await children[0].ask("fill", prefix, events / perStream, perStream);
  const start = performance.timeOrigin + performance.now();
  const handled: Handled[] = [];
  let cpu = 0;
  let memory = 0;
  // A worker may be left without a lane, or stop early: only where several calls bring nothing, the rest is lost.
  for (let idle = 0; handled.length < events && idle < 3;) {
    const before = handled.length;
    const found = await Promise.all(
      children.map((child) => child.ask("consume", `round-${round}`, events, children.length)),
    );
    for (const [work, part] of found) {
      for (const one of part) handled.push(one);
      cpu += work.cpu;
      memory = Math.max(memory, work.memory);
    }
    idle = handled.length === before ? idle + 1 : 0;
  }
  const milliseconds = handled.reduce((last, [, , at]) => Math.max(last, at), 0) - start;
  const work = { count: handled.length, milliseconds, cpu, memory };
  return { ...speed(work), faults: order(handled, events) };
}

/** Compares what was handed over with what streams of 100 events have. */
function order(handled: readonly Handled[], events: number): Faults {
  const streams = new Map<string, number[]>();
  for (const [stream, count] of [...handled].sort((a, b) => a[2] - b[2])) {
    const numbers = streams.get(stream);
    if (numbers === undefined) streams.set(stream, [count]);
    else numbers.push(count);
  }
  const missing = (events / perStream - streams.size) * perStream;
  const found = [...streams.values()].map((numbers) => compare(perStream, numbers));
  return sum([...found, { lost: missing, duplicated: 0, reordered: 0 }]);
}

const sends = 30;

async function latency({ children }: Team, round: number): Promise<Round> {
  const [follower, sender] = children as readonly [Child, Child];
  await sender.ask("send", round * sends, sends);
  const handled: Handled[] = [];
  for (let tries = 0; handled.length < sends && tries < 50; tries++) {
    handled.push(...await follower.ask("followed"));
    if (handled.length < sends) await sleep(100);
  }
  const values = handled.map(([, , at, sent]) => at - sent);
  const distinct = new Set(handled.map(([stream]) => stream)).size;
  const faults = { lost: sends - distinct, duplicated: handled.length - distinct, reordered: 0 };
  return { value: values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN, values, faults };
}
