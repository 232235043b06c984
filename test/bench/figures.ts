import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem, type } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { root } from "../support/root.ts";

/** What was lost, doubled, or came in another order than it was stored in. */
export interface Faults {
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
}

/** How one side did. */
export interface SideFigure {
  readonly name: string;
  /** The median of the rounds; 0 if it failed. */
  readonly median: number;
  /** A quarter of the rounds is below it. */
  readonly low: number;
  /** A quarter of the rounds is above it. */
  readonly high: number;
  /** How many times as good the first side did, in the median round: above 1, the first is ahead. */
  readonly ratio: number;
  /** The highest of a hundred single values, where there are such. */
  readonly p99?: number | undefined;
  /** Undefined where nothing was stored or handed over that could be checked. */
  readonly faults?: Faults | undefined;
  /** Processor time of the client an operation, in microseconds. */
  readonly cpu?: number | undefined;
  /** The most memory that the client's process held, in MB. */
  readonly memory?: number | undefined;
  /** Why it has no figure. */
  readonly failed?: string | undefined;
}

/** The figure of a subject on a database. */
export interface Figure {
  readonly subject: string;
  readonly title: string;
  /** The database, such as `Postgres 15.20, fsync on`. */
  readonly where: string;
  readonly unit: string;
  /** Whether less is better. */
  readonly lower: boolean;
  readonly rounds: number;
  readonly at: string;
  /** The commit that was measured. */
  readonly commit?: string | undefined;
  readonly sides: readonly SideFigure[];
}

/** All figures, and the machine that they are of. */
export interface Figures {
  readonly machine: Machine;
  readonly figures: readonly Figure[];
}

interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** In GB. */
  readonly memory: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** The packages whose versions stand beside the figures. */
const packages = [
  "postgres",
  "pg",
  "@libsql/client",
  "drizzle-orm",
  "@event-driven-io/emmett-postgresql",
  "@rotorsoft/act-pg",
  "evtstore",
  "@castore/core",
  "pg-boss",
  "graphile-worker",
];

const folder = join(root, "test", "bench", "results");

/** Where the figures are kept; those of a trial with small counts are kept apart, and in no commit. */
export function fileOf(trial: boolean): string {
  return join(folder, trial ? "trial.json" : "figures.json");
}

/** Reads the figures; undefined if there are none. */
export function read(file: string): Figures | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** Puts a figure in the place of that of the same subject and database; figures of another machine are dropped. */
export function save(file: string, figure: Figure): void {
  const machine = machineHere();
  const known = read(file);
  const same = JSON.stringify(known?.machine) === JSON.stringify(machine) ? known!.figures : [];
  const stamped = { ...figure, commit: commit() };
  const place = same.findIndex(({ subject, where }) =>
    subject === figure.subject && where === figure.where
  );
  const figures = place < 0 ? [...same, stamped] : same.with(place, stamped);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify({ machine, figures } satisfies Figures, null, 2) + "\n");
}

let checkedOut: string | undefined;

/** The commit that is checked out when it is first asked for. */
export function commit(): string {
  const args = ["rev-parse", "--short", "HEAD"];
  checkedOut ??= execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  return checkedOut;
}

function machineHere(): Machine {
  const version = (name: string): string =>
    JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    system: type(),
    versions: {
      node: process.versions.node,
      ...Object.fromEntries(packages.map((name) => [name, version(name)])),
    },
  };
}

/** The value that a part of all values is not above: 0.5 gives the median. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}
