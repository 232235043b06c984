import type { Writer } from "./writer.ts";
import { type Progress, progressOn } from "./progress.ts";

/** How a command writes. */
interface OutputOptions {
  /** Whether data is written as JSON. */
  readonly json: boolean;
  /** Whether notes and progress are left out. */
  readonly quiet: boolean;
  /** Whether the data is in colour. */
  readonly color: boolean;
  /** Whether times are local. */
  readonly local: boolean;
}

/** A column of a table: its heading, and whether its values are aligned to the right. */
type Column = string | { readonly right: string };

/** Paints text, where there is colour. */
type Paint = Readonly<
  Record<"bold" | "dim" | "red" | "green" | "yellow" | "cyan", (text: string) => string>
>;

/** What a command writes: data to stdout, notes and progress to stderr. */
export interface Output extends OutputOptions {
  /** Paints text. */
  readonly paint: Paint;
  /** Writes a line of data. */
  readonly line: (text?: string) => void | Promise<void>;
  /** Writes a value as one line of JSON. */
  readonly value: (value: object) => void | Promise<void>;
  /** Writes rows below headings. */
  readonly table: (columns: readonly Column[], rows: readonly (readonly string[])[]) => void;
  /** Tells a person something; not with `--quiet`. */
  readonly note: (text: string) => void;
  /** Tells what is wrong. */
  readonly error: (text: string) => void;
  /** Shows how far a long work has come; not with `--quiet`. */
  readonly progress: (label: string, total: number) => Progress;
  /** Formats an instant: in UTC, or with `--local` as the clock on the wall. */
  readonly time: (date: Date) => string;
}

const colors = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39] } as const;
const moreColors = { yellow: [33, 39], cyan: [36, 39] } as const;

/** Makes the output of a command. */
export function outputOn(stdout: Writer, stderr: Writer, options: OutputOptions): Output {
  const { quiet, color, local } = options;
  const paint = Object.fromEntries(
    Object.entries({ ...colors, ...moreColors }).map(([name, [on, off]]) => [
      name,
      (text: string) => color ? `\x1b[${on}m${text}\x1b[${off}m` : text,
    ]),
  ) as Paint;
  const line = (text: string = "") => stdout.write(`${text}\n`);
  const note = (text: string) => {
    if (!quiet) void stderr.write(`${text}\n`);
  };
  return {
    ...options,
    paint,
    line,
    note,
    value: (value) => line(JSON.stringify(complete(value))),
    error: (text) => void stderr.write(`event-sourcery: ${text}\n`),
    table(columns, rows) {
      for (const text of tableLines(columns, rows, paint.dim)) void line(text);
    },
    progress: (label, total) => progressOn(stderr, quiet, label, total),
    time: local ? localTime : (date) => date.toISOString(),
  };
}

/** Returns an object whose keys are the same in every line: null where there is nothing, also in lists of objects. */
function complete(value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [
      key,
      Array.isArray(item) ? item.map((one) => isPlain(one) ? complete(one) : one) : item ?? null,
    ]),
  );
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}

/** Aligns rows below their headings; painted text counts as what is seen of it. */
function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  dim: (text: string) => string,
): readonly string[] {
  const heads = columns.map((column) => typeof column === "string" ? column : column.right);
  const widths = heads.map((head, index) =>
    Math.max(...[head, ...rows.map((row) => row[index]!)].map(width))
  );
  const aligned = (cells: readonly string[]) =>
    cells.map((cell, index) => {
      const space = " ".repeat(widths[index]! - width(cell));
      return typeof columns[index] === "string" ? cell + space : space + cell;
    }).join("  ").trimEnd();
  return [dim(aligned(heads)), ...rows.map(aligned)];
}

function width(text: string): number {
  // deno-lint-ignore no-control-regex -- what paints text
  return [...text.replace(/\x1b\[\d+m/g, "")].length;
}

function localTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}
