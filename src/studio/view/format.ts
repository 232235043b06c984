import { type Html, markup } from "../frame/html.ts";

const units: readonly (readonly [milliseconds: number, name: string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/** Says how long a duration is, in its greatest unit; shorter than a second, in milliseconds. */
export function duration(milliseconds: number): string {
  const [size, name] = units.find(([size]) => milliseconds >= size) ?? [1, "ms"];
  return `${Math.floor(milliseconds / size)} ${name}`;
}

/** Writes an instant as its day and time, UTC. */
export function instant(date: Date): string {
  return Number.isNaN(date.getTime())
    ? "(invalid date)"
    : date.toISOString().replace("T", " ").slice(0, 19);
}

/** Shows how long ago an instant was, and itself on hovering. */
export function ago(date: Date, now: Date): Html {
  const age = now.getTime() - date.getTime();
  const text = Number.isNaN(age)
    ? "(invalid date)"
    : age < 1000
    ? age < -1000 ? `in ${duration(-age)}` : "now"
    : `${duration(age)} ago`;
  return timed(date, text);
}

/** Shows an instant as its day and time. */
export function at(date: Date): Html {
  return timed(date, instant(date));
}

/** Shortens a text to some characters. */
export function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length).trimEnd()}…`;
}

function timed(date: Date, text: string): Html {
  if (Number.isNaN(date.getTime())) return markup`<span>${text}</span>`;
  return markup`<time datetime="${date.toISOString()}" title="${instant(date)} UTC">${text}</time>`;
}
