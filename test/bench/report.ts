import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bin, run } from "../support/command.ts";
import { root } from "../support/root.ts";
import { type Budget, budgets } from "./budgets.ts";
import { chart } from "./chart.ts";
import type { Faults, Figure, Figures, SideFigure } from "./figures.ts";

const begin = "<!-- figures: written by `npm run bench -- report` -->";
const look = "look: ";
const end = "<!-- /figures -->";
const source = "https://github.com/event-sourcery/event-sourcery-ts";

/** The charts of the README: each compares the sides of some subjects on the databases whose names begin so. */
const charts = [
  { file: "append", title: "Appends a second", subjects: /^append-/, where: /^Postgres.*fsync on/ },
  {
    file: "read",
    title: "Events read a second",
    subjects: /^(load|catch-up|rebuild)$/,
    where: /^Postgres.*fsync on/,
  },
  {
    file: "commands",
    title: "Commands a second",
    subjects: /^(command-|contended)/,
    where: /^Postgres.*fsync on/,
  },
] as const;

/** Prints figures and what became of their budgets, some of which ask for others of `all`. */
export function print(figures: readonly Figure[], all: readonly Figure[]): void {
  for (const figure of figures) {
    console.log(`\n${figure.title} (${figure.where}), ${figure.unit}`);
    const rows = rowsOf(figure);
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    for (const row of rows) {
      const cells = row.map((cell, column) =>
        column === 0 || column === row.length - 1
          ? cell.padEnd(widths[column]!)
          : cell.padStart(widths[column]!)
      );
      console.log(`  ${cells.join("  ").trimEnd()}`);
    }
  }
  const verdicts = figures.flatMap((figure) => verdictsOf(figure, all));
  if (figures.length > 1) {
    const met = verdicts.filter(({ met }) => met).length;
    console.log(`\n${met} of ${verdicts.length} budgets met`);
  }
  for (const { text, met } of verdicts) console.log(`  ${met ? "met   " : "missed"}  ${text}`);
}

/** Writes the tables into the README and the guide, and the charts beside the figures. */
export async function write(all: Figures): Promise<void> {
  const folder = join(root, "test", "bench", "results");
  const drawn = charts.filter(({ file, title, subjects, where }) => {
    const figures = all.figures.filter((one) =>
      subjects.test(one.subject) && where.test(one.where)
    );
    if (figures.length === 0) return false;
    writeFileSync(join(folder, `${file}.svg`), chart(`${title}: ${figures[0]!.where}`, figures));
    return true;
  });
  const images = drawn.map(({ file, title }) =>
    `![${title}](https://raw.githubusercontent.com/event-sourcery/event-sourcery-ts/main/test/bench/results/${file}.svg)`
  );
  const details = ["<details>", "<summary>All figures, and the budgets</summary>"].join("\n");
  const readme = join(root, "README.md");
  const sizing = join(root, "examples", "guide", "sizing.md");
  const looks = all.figures.filter(({ subject }) => subject.startsWith(look));
  const others = { ...all, figures: all.figures.filter((figure) => !looks.includes(figure)) };
  put(readme, [machineOf(others), ...images, details, table(others), "</details>"]);
  if (looks.length > 0) put(sizing, [machineOf({ ...all, figures: looks }), looksTable(looks)]);
  const { ok, output } = await run([bin("deno"), "fmt", "--quiet", readme, sizing, folder]);
  if (!ok) throw new Error(output);
}

/** Puts paragraphs into the marked place of a page. */
function put(page: string, paragraphs: readonly string[]): void {
  const text = readFileSync(page, "utf8");
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`${page} lacks the lines ${begin} and ${end}`);
  const parts = [begin, ...paragraphs, end];
  writeFileSync(page, text.slice(0, start) + parts.join("\n\n") + text.slice(stop + end.length));
}

/** Each look in a row: how long it takes in the long log, and how many times as long as in the short one. */
function looksTable(looks: readonly Figure[]): string {
  const databases = [...new Set(looks.map(({ where }) => where))];
  const titles = [...new Set(looks.map(({ title }) => title))];
  const cells = titles.map((title) =>
    databases.flatMap((where) => {
      const figure = looks.find((one) => one.where === where && one.title === title);
      if (figure === undefined) return ["", ""];
      const [long, short] = figure.sides;
      return figure.unit === "times/s"
        ? [`${number(1000 / long!.median)} ms`, `${(short!.median / long!.median).toFixed(2)} ×`]
        : [
          `${number(long!.median)} ${figure.unit}`,
          `${(long!.median / short!.median).toFixed(2)} ×`,
        ];
    })
  );
  const [long, short] = looks[0]!.sides;
  const head = databases.flatMap((where) => [`${where}: ${long!.name}`, `beside ${short!.name}`]);
  return [
    ["", ...head],
    ["---", ...head.map(() => "--:")],
    ...titles.map((title, index) => [title, ...cells[index]!]),
  ]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function machineOf({ machine, figures }: Figures): string {
  const { processor, cores, memory, system, versions } = machine;
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ");
  const day = figures.map(({ at }) => at).sort().at(-1)!.slice(0, 10);
  const commits = [...new Set(figures.map(({ commit }) => commit))].join(", ");
  return `Measured ${day} at ${commits} on ${cores} cores of ${processor}, ${memory} GB, ${system}, with the database on the same machine; ` +
    `${list}. Medians of rounds in which the sides took turns, between the quarters of them. ` +
    `[All figures](${source}/blob/main/test/bench/results/figures.json), with processor time and memory an operation; ` +
    "`npm run bench` measures yours.";
}

function table({ figures }: Figures): string {
  const lines = figures.flatMap((figure) => {
    const [first, ...others] = figure.sides;
    const list = verdictsOf(figure, figures).map(({ short, met }) =>
      `${short}: ${met ? "met" : "**missed**"}`
    );
    const cells = [
      `${figure.title} (${figure.unit})`,
      figure.where,
      spread(first!),
      others.map((side) => `${side.name} ${spread(side)}${ratio(side)}${wrong(side.faults)}`).join(
        "<br>",
      ),
      faultsOf(first!.faults),
      list.join("<br>"),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const head = [
    "what",
    "database",
    "event-sourcery",
    "beside",
    "lost, doubled, out of order",
    "budget",
  ];
  return [`| ${head.join(" | ")} |`, `| ${head.map(() => "---").join(" | ")} |`, ...lines].join(
    "\n",
  );
}

function rowsOf(figure: Figure): readonly (readonly string[])[] {
  const head = [
    "",
    "median",
    "quarters",
    "ours beside",
    "p99",
    "lost/doubled/reordered",
    "cpu",
    "memory",
    "",
  ];
  return [
    head,
    ...figure.sides.map((side, index) => [
      side.name,
      side.failed === undefined ? number(side.median) : "–",
      side.failed === undefined ? `${number(side.low)}–${number(side.high)}` : "–",
      index > 0 && side.ratio > 0 ? `${side.ratio.toFixed(2)} ×` : "",
      side.p99 === undefined ? "" : number(side.p99),
      faultsOf(side.faults),
      side.cpu === undefined ? "" : `${side.cpu.toFixed(0)} µs`,
      side.memory === undefined ? "" : `${side.memory.toFixed(0)} MB`,
      side.failed === undefined ? "" : `failed: ${side.failed}`,
    ]),
  ];
}

/** What became of a budget. */
interface Verdict {
  readonly met: boolean;
  readonly text: string;
  readonly short: string;
}

/** Says which budgets a figure meets; none where an event was lost, doubled or out of order. */
export function verdictsOf(figure: Figure, all: readonly Figure[]): readonly Verdict[] {
  const [first] = figure.sides;
  return budgets.flatMap((budget): Verdict | readonly Verdict[] => {
    if (budget.subject !== figure.subject || !budget.where.test(figure.where)) return [];
    const found = foundFor(budget, figure, all);
    if (found === undefined) return [];
    const { least = -Infinity, most = Infinity, beside } = budget;
    const met = found >= least && found <= most && first!.failed === undefined &&
      faultless(first!.faults);
    const short = bound(budget);
    const value = beside === undefined ? number(found) : `${found.toFixed(2)} ×`;
    return { met, short, text: `${figure.title} (${figure.where}): ${short}, found ${value}` };
  });
}

/** The figure that a budget is for; undefined where the side it is beside of was not measured. */
function foundFor(
  { beside, of }: Budget,
  { where, sides: [first, ...others] }: Figure,
  all: readonly Figure[],
): number | undefined {
  if (beside === undefined) return first!.median;
  if (of === undefined) return others.find(({ name }) => name === beside)?.ratio;
  const other = all.find((one) => one.subject === of && one.where === where);
  const side = other?.sides.find(({ name }) => name === beside);
  return side && first!.median / side.median;
}

function bound({ least, most, beside, of }: Budget): string {
  const limit = least ?? most!;
  const text = beside === undefined
    ? number(limit)
    : `${limit} × ${beside}${of === undefined ? "" : ` (${of})`}`;
  return `${least === undefined ? "≤" : "≥"} ${text}`;
}

function faultless(faults: Faults | undefined): boolean {
  return faults === undefined || faults.lost + faults.duplicated + faults.reordered === 0;
}

function faultsOf(faults: Faults | undefined): string {
  return faults === undefined ? "" : `${faults.lost}, ${faults.duplicated}, ${faults.reordered}`;
}

/** Said beside a peer only where something was wrong. */
function wrong(faults: Faults | undefined): string {
  return faultless(faults) ? "" : `, **${faultsOf(faults)} lost, doubled, out of order**`;
}

function ratio({ ratio, failed }: SideFigure): string {
  return failed === undefined && ratio > 0 ? ` (${ratio.toFixed(2)} ×)` : "";
}

function spread({ median, low, high, p99, failed }: SideFigure): string {
  if (failed !== undefined) return "failed";
  const tail = p99 === undefined ? "" : `, p99 ${number(p99)}`;
  return `${number(median)} (${number(low)}–${number(high)}${tail})`;
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}
