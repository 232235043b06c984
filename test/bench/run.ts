import { Child } from "./child.ts";
import { type Faults, type Figure, quantile, type SideFigure } from "./figures.ts";
import type { Kind } from "./library.ts";
import { type Made, make } from "./places.ts";
import type { Round, Scale, Side, Subject, Team } from "./subjects.ts";

/**
 * The libraries that work on a kind of database. Left out are Act on SQLite and pg-boss 12 and graphile-worker 0.18, which
 * ask for Node 22 (older ones of the latter two are here), and Emmett on SQLite, whose native module needs an install
 * script.
 */
const able: Readonly<Record<Kind, readonly string[]>> = {
  given: ["ours", "bare", "emmett", "act", "evtstore", "graphile", "pgboss"],
  embedded: ["ours", "bare", "emmett", "act", "evtstore", "graphile", "pgboss"],
  file: ["ours", "bare"],
  sqld: ["ours", "bare"],
  memory: ["ours", "castore", "evtstore"],
};

/** The rounds that only warm up; where nothing but code runs, the compiler takes longer than a database's caches. */
const warmUps: Readonly<Record<Kind, number>> = {
  given: 1,
  embedded: 1,
  file: 1,
  sqld: 1,
  memory: 4,
};

const names: Readonly<Record<string, string>> = {
  ours: "event-sourcery",
  bare: "bare client",
  emmett: "Emmett",
  act: "Act",
  evtstore: "evtstore",
  castore: "Castore",
  graphile: "graphile-worker",
  pgboss: "pg-boss",
};

/** A side while it is measured. */
interface Running {
  readonly side: Side;
  readonly name: string;
  team?: Team;
  made?: Made;
  failed?: string;
  readonly rounds: Round[];
  faults?: Faults;
}

/**
 * Measures a subject on a kind of database: the sides in turns, A B C A B C …, so that whatever else the machine does
 * meets all alike. The first rounds only warm up. A side that fails is told as such, and the others go on.
 */
export async function measure(
  subject: Subject,
  kind: Kind,
  where: string,
  scale: Scale,
): Promise<Figure | undefined> {
  const sides = subject.sides.filter(({ library }) => able[kind].includes(library));
  if (sides.length === 0) return;
  const running = sides.map((side): Running => ({
    side,
    name: `${names[side.library]}${
      side.workers > 1 && subject.name === "drain" ? ` × ${side.workers}` : ""
    }`,
    rounds: [],
  }));
  const unlessFailed = async (work: (one: Running) => Promise<unknown>) => {
    for (const one of running) {
      if (one.failed !== undefined) continue;
      try {
        await work(one);
      } catch (error) {
        one.failed = error instanceof Error ? error.message : String(error);
        one.team?.children.forEach((child) => child.kill());
      }
    }
  };
  try {
    await unlessFailed(async (one) => {
      one.made = await make(kind);
      one.team = await start(one.side, one.made);
      await subject.prepare?.(one.team, scale);
    });
    for (let round = 1 - warmUps[kind]; round <= scale.rounds; round++) {
      await unlessFailed(async (one) => {
        const result = await subject.round(one.team!, round, scale);
        if (!(result.value > 0)) throw new Error("nothing was done");
        if (round > 0) one.rounds.push(result);
      });
    }
    await unlessFailed(async (one) => {
      if (subject.check !== undefined) one.faults = await subject.check(one.team!);
    });
  } finally {
    for (const { team, made, failed } of running) {
      if (failed === undefined) {
        await Promise.all(team?.children.map((child) => child.close()) ?? []);
      }
      await made?.drop();
    }
  }
  const { name, title, unit, lower = false } = subject;
  return {
    ...{
      subject: name,
      title,
      where,
      unit,
      lower,
      rounds: scale.rounds,
      at: new Date().toISOString(),
    },
    sides: running.map((one) => figureOf(one, running[0]!, lower)),
  };
}

async function start({ library, workers }: Side, { place }: Made): Promise<Team> {
  const first = await Child.start(library, place);
  await first.ask("migrate");
  const others = await Promise.all(
    Array.from({ length: workers - 1 }, () => Child.start(library, place)),
  );
  return { library, place, children: [first, ...others] };
}

function figureOf(one: Running, first: Running, lower: boolean): SideFigure {
  const { name, failed, rounds } = one;
  if (failed !== undefined) return { name, median: 0, low: 0, high: 0, ratio: 0, failed };
  const values = rounds.map(({ value }) => value);
  const ratios = values.map((value, round) => {
    const other = first.rounds[round]?.value ?? NaN;
    return lower ? value / other : other / value;
  });
  const single = rounds.flatMap(({ values = [] }) => values);
  const works = rounds.flatMap(({ work }) => work ?? []);
  const count = works.reduce((sum, work) => sum + work.count, 0);
  return {
    name,
    median: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    ratio: quantile(ratios, 0.5),
    ...(single.length > 0 && { p99: quantile(single, 0.99) }),
    faults: one.faults ?? total(rounds),
    ...(count > 0 && {
      cpu: works.reduce((sum, { cpu }) => sum + cpu, 0) / count * 1000,
      memory: Math.max(...works.map(({ memory }) => memory)),
    }),
  };
}

function total(rounds: readonly Round[]): Faults | undefined {
  const all = rounds.flatMap(({ faults }) => faults ?? []);
  if (all.length === 0) return undefined;
  const of = (name: keyof Faults) => all.reduce((sum, faults) => sum + faults[name], 0);
  return { lost: of("lost"), duplicated: of("duplicated"), reordered: of("reordered") };
}
