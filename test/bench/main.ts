// How fast it is, beside the bare clients and other libraries in the same run: `npm run bench`, or some subjects alone,
// such as `npm run bench -- append-1 load`. Words beside them:
//
// - `resume` leaves out what this commit has figures of, after a run that was cut off.
// - `trial` does little, for a look on a busy machine; its figures are kept apart.
// - `report` measures nothing; it prints the figures and writes the README's table and charts.
// - `growth 5000000`, `looks 5000000`, `conditions 1000000`, `soak 3` (events; minutes) and `states` take long, and are run
//   only where they are named.
//
// These are figures, not tests: a busy machine makes nothing fail.
import process from "node:process";
import { conditions } from "./conditions.ts";
import { commit, type Figure, fileOf, read, save } from "./figures.ts";
import { growth } from "./growth.ts";
import { idle } from "./idle.ts";
import { looks } from "./looks.ts";
import { observer } from "./observer.ts";
import { describe, dropAll, kinds } from "./places.ts";
import { print, write } from "./report.ts";
import { measure } from "./run.ts";
import { soak } from "./soak.ts";
import { states } from "./states.ts";
import { type Scale, subjects } from "./subjects.ts";
import { types } from "./types.ts";

/** How long a run may take without what is named, in milliseconds: what is left then is measured by `resume`. */
const longest = 12 * 60_000;

const words = process.argv.slice(2);
const trial = words.includes("trial");
const file = fileOf(trial);
const size = words.map(Number).find((number) => number > 0);
const scale: Scale = trial
  ? { rounds: 2, milliseconds: 60, events: 1000 }
  : { rounds: 5, milliseconds: 200, events: 5000 };

const alone = ["conditions", "growth", "looks", "soak", "idle", "observer", "states", "types"];
const known = ["resume", "trial", "report", ...alone];
const named = words.filter((word) =>
  alone.includes(word) || subjects.some(({ name }) => name === word)
);
for (const word of words) {
  if (known.includes(word) || named.includes(word) || Number(word) > 0) continue;
  throw new TypeError(
    `There is no subject "${word}", only ${subjects.map(({ name }) => name).join(", ")}`,
  );
}

async function run(): Promise<void> {
  const start = performance.now();
  commit(); // another may be checked out before the run ends
  const had = words.includes("resume") ? read(file)?.figures ?? [] : [];
  const keep = (figure: Figure) => {
    save(file, figure);
    print([figure], read(file)!.figures);
  };
  /** Measures one subject on one database, unless it is there, is not wanted, or the run has taken too long. */
  const one = async (name: string, where: string, work: () => Promise<Figure | undefined>) => {
    const same = (figure: Figure) =>
      figure.subject === name && figure.where === where && figure.commit === commit();
    if (had.some(same) || (named.length > 0 && !named.includes(name))) return;
    if (named.length === 0 && performance.now() - start > longest) {
      console.log(`${name}, ${where}: left out, for \`npm run bench -- resume\``);
      return;
    }
    const before = performance.now();
    let outcome = "";
    try {
      const figure = await work();
      if (figure === undefined) return;
      keep(figure);
    } catch (error) {
      outcome = `, failed: ${error}`; // the others go on
    }
    const seconds = Math.round((performance.now() - before) / 1000);
    console.log(`${name}, ${where}: ${seconds} s${outcome}`);
  };
  for (const kind of kinds) {
    const where = await describe(kind);
    for (const subject of subjects) {
      if (!subject.kinds.includes(kind)) continue;
      await one(subject.name, where, () => measure(subject, kind, where, scale));
    }
  }
  const where = await describe(kinds[0]!);
  await one("types", "tsc", () => types(trial ? 1 : 3));
  await one("observer", "memory", () => observer(trial ? 2 : 20));
  await one("idle", where, () => idle(where, trial ? 2 : 10));
  if (named.includes("growth")) {
    for (const figure of await growth(size ?? 500_000, where, trial ? 4 : 60)) keep(figure);
  }
  if (named.includes("looks")) {
    for (const figure of await looks(size ?? 500_000, where, trial ? 2 : 10)) keep(figure);
  }
  if (named.includes("conditions")) {
    for (const figure of await conditions(size ?? 1_000_000, where, trial ? 4 : 40)) keep(figure);
  }
  if (named.includes("states")) {
    for (const figure of await states(where, trial ? 4 : 40)) keep(figure);
  }
  if (named.includes("soak")) await soak(size);
}

for (const end of ["SIGINT", "SIGTERM", "uncaughtException"] as const) {
  process.on(end, (reason) => {
    console.error(reason);
    void dropAll().finally(() => process.exit(1));
  });
}
try {
  if (!words.includes("report")) {
    await dropAll();
    await run();
  }
  if (words.includes("report")) {
    const all = read(file);
    if (all === undefined) {
      throw new Error("There are no figures yet: `npm run bench` measures them");
    }
    print(all.figures, all.figures);
    if (!trial) await write(all);
  }
} finally {
  await dropAll();
}
process.exit(0);
