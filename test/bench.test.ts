import assert from "node:assert/strict";
import { test } from "node:test";
import { chart } from "./bench/chart.ts";
import type { Figure } from "./bench/figures.ts";
import { verdictsOf } from "./bench/report.ts";
import { compare } from "./bench/subjects.ts";

const faultless = { lost: 0, duplicated: 0, reordered: 0 };

/** A figure that has a budget: at least 0.75 times the bare client. */
function figure(ratio: number, faults = faultless): Figure {
  const side = { median: 1000, low: 900, high: 1100, ratio, faults };
  return {
    subject: "append-1",
    title: "append",
    where: "Postgres 15.20, fsync on",
    unit: "events/s",
    lower: false,
    rounds: 5,
    at: "2026-01-31T12:00:00.000Z",
    sides: [{ name: "event-sourcery", ...side, ratio: 1 }, { name: "bare client", ...side }],
  };
}

test("the benchmark finds what was lost, doubled and out of order", () => {
  assert.deepEqual(compare(3, [0, 1, 2]), faultless);
  assert.deepEqual(compare(3, [0, 2]), { lost: 1, duplicated: 0, reordered: 0 });
  assert.deepEqual(compare(3, [0, 1, 1, 2]), { lost: 0, duplicated: 1, reordered: 0 });
  assert.deepEqual(compare(3, [0, 2, 1]), { lost: 0, duplicated: 0, reordered: 1 });
});

test("the benchmark says that a budget is met only where the figure reaches it and nothing was lost", () => {
  const met = (one: Figure) => verdictsOf(one, [one]).map(({ met }) => met);
  assert.deepEqual(met(figure(0.8)), [true]);
  assert.deepEqual(met(figure(0.7)), [false]);
  assert.deepEqual(met(figure(0.8, { ...faultless, lost: 1 })), [false]);
});

test("the benchmark draws a chart in the colours of the reader's scheme", () => {
  const drawn = chart('Appends < "more"', [figure(0.8)]);
  assert.match(drawn, /prefers-color-scheme: dark/);
  assert.match(drawn, /aria-label="Appends &lt; &quot;more&quot;"/);
  assert.equal(drawn.match(/<rect /g)?.length, 2);
});
