import type { Figure } from "./figures.ts";

/** Colours that are told apart on white and on black, by the order of the sides. */
const colours = ["#2f81f7", "#8b949e", "#d29922", "#a371f7", "#3fb950", "#f778ba", "#e5534b"];
const width = 760;
const left = 250;
const bar = 16;

/**
 * Draws the sides of figures as bars, each figure to its own scale. Text takes the colour that the reader's scheme
 * asks for.
 */
export function chart(title: string, figures: readonly Figure[]): string {
  const parts: string[] = [];
  let y = 34;
  for (const { title, unit, lower, sides } of figures) {
    parts.push(text(8, y + 12, `${title}, ${unit}${lower ? ", less is better" : ""}`, "bold"));
    y += 20;
    const most = Math.max(...sides.map(({ high }) => high));
    for (const [index, { name, median, low, high, failed }] of sides.entries()) {
      const scale = (value: number) => most > 0 ? value / most * (width - left - 90) : 0;
      const colour = colours[index % colours.length]!;
      parts.push(
        text(left - 8, y + 12, name, "end"),
        `<rect x="${left}" y="${y + 1}" width="${scale(median).toFixed(1)}" height="${
          bar - 3
        }" rx="2" fill="${colour}"/>`,
        `<path d="M${(left + scale(low)).toFixed(1)} ${y + bar / 2}H${
          (left + scale(high)).toFixed(1)
        }" class="spread"/>`,
        text(
          left + scale(Math.max(median, high)) + 6,
          y + 12,
          failed === undefined ? Math.round(median).toLocaleString("en") : "failed",
        ),
      );
      y += bar;
    }
    y += 12;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" role="img" aria-label="${
    escape(title)
  }">
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.bold { font-weight: 600 }
.end { text-anchor: end }
.spread { stroke: #1f2328; stroke-width: 1.5; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .spread { stroke: #e6edf3 }
}
</style>
${text(8, 18, title, "bold")}
${parts.join("\n")}
</svg>
`;
}

function text(x: number, y: number, content: string, kind: string = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y}"${kind && ` class="${kind}"`}>${
    escape(content)
  }</text>`;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
