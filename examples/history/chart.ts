import process from "node:process";

const colorful = process.stdout.isTTY === true && !process.env["NO_COLOR"];
const paint = (code: number) => (text: string): string =>
  colorful ? `\x1b[${code}m${text}\x1b[0m` : text;

export const bold: (text: string) => string = paint(1);
export const dim: (text: string) => string = paint(2);
export const blue: (text: string) => string = paint(34);
export const green: (text: string) => string = paint(32);

const parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const levels = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** Draws a horizontal bar, to an eighth of a character; values above 0 are always visible. */
export function bar(value: number, most: number, width: number): string {
  const eighths = value === 0 ? 0 : Math.max(1, Math.round(value / most * width * 8));
  return "█".repeat(eighths >> 3) + parts[eighths & 7]!;
}

/** Draws one character for each value; 0 is a dot. */
export function spark(values: readonly number[]): string {
  const most = Math.max(...values);
  return values.map((value) => value === 0 ? "·" : levels[Math.ceil(value / most * 8) - 1]!).join(
    "",
  );
}

/** Fits text into a column. Control characters are removed, since names and subjects are untrusted. */
export function fit(text: string, width: number): string {
  const letters = [...text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")];
  const cut = letters.length > width ? [...letters.slice(0, width - 1), "…"] : letters;
  return cut.join("").padEnd(width + cut.join("").length - cut.length);
}

/** Formats a number with thousands separators. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Formats a count with its noun. */
export function things(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
