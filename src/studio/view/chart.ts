import type { RateBucket } from "../../inspect/rate.ts";
import { instant } from "./format.ts";
import { type Html, markup } from "../frame/html.ts";

/** A window of the chart: its name in the URL, its length in milliseconds, its bars, and what one of them is. */
export interface Window {
  readonly name: string;
  readonly length: number;
  readonly bars: number;
  readonly unit: string;
}

const hour = 3_600_000;

/** The windows that the chart offers. */
export const windows: readonly Window[] = [
  { name: "1h", length: hour, bars: 60, unit: "minute" },
  { name: "24h", length: 24 * hour, bars: 96, unit: "15 minutes" },
  { name: "7d", length: 168 * hour, bars: 84, unit: "2 hours" },
  { name: "30d", length: 720 * hour, bars: 90, unit: "8 hours" },
];

/** Spreads the parts of a window over bars of the same length each. */
export function barsOf(
  parts: readonly RateBucket[],
  since: Date,
  until: Date,
  count: number,
): readonly number[] {
  const width = (until.getTime() - since.getTime()) / count;
  const bars = Array.from({ length: count }, () => 0);
  for (const part of parts) {
    const [from, to] = [part.since, part.until].map((date) =>
      (date.getTime() - since.getTime()) / width
    ) as [number, number];
    for (let index = Math.max(0, Math.floor(from)); index < Math.min(count, to); index++) {
      const share = Math.min(index + 1, to) - Math.max(index, from);
      bars[index]! += part.events * share / (to - from);
    }
  }
  return bars;
}

/** Draws bars; the sentence says what they show. */
export function chart(bars: readonly number[], sentence: string): Html {
  const most = Math.max(1, ...bars);
  const width = 1000 / bars.length;
  return markup`<svg class="chart" role="img" aria-label="${sentence}" viewBox="0 0 1000 120" preserveAspectRatio="none"><line x1="0" x2="1000" y1="119.5" y2="119.5" vector-effect="non-scaling-stroke"/><line x1="0" x2="1000" y1="60" y2="60" vector-effect="non-scaling-stroke"/><line x1="0" x2="1000" y1="0.5" y2="0.5" vector-effect="non-scaling-stroke"/><g class="bars">${
    bars.map((value, index) => {
      if (value === 0) return undefined;
      const height = Math.max(1.5, 116 * value / most);
      return markup`<rect x="${(index * width + width * 0.12).toFixed(2)}" width="${
        (width * 0.76).toFixed(2)
      }" y="${(119 - height).toFixed(2)}" height="${height.toFixed(2)}"/>`;
    })
  }</g></svg>`;
}

/** Lists the bars as a table, for those who cannot see them. */
export function chartTable(
  bars: readonly number[],
  since: Date,
  { length, bars: count }: Window,
  format: (value: number) => string,
): Html {
  return markup`<details class="fold"><summary>As a table</summary><table><thead><tr><th scope="col">From (UTC)</th><th scope="col" class="right">Events</th></tr></thead><tbody>${
    bars.map((value, index) =>
      Math.round(value) > 0 &&
      markup`<tr><td>${
        instant(new Date(since.getTime() + index * length / count))
      }</td><td class="right">${format(Math.round(value))}</td></tr>`
    )
  }</tbody></table></details>`;
}
