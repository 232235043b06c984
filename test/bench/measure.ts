/** One side of a comparison. */
export interface Side {
  readonly name: string;
  /** Works for a while and tells how many things a second it did. */
  readonly round: () => Promise<number>;
}

/** How a side did. */
export interface Measured {
  readonly name: string;
  /** Things a second, in the median round. */
  readonly rate: number;
  /** How many times as many things the first side did, in the median round. */
  readonly ratio: number;
}

/**
 * Measures sides in turns, A B C A B C …, so that whatever else the machine does meets all alike; the first round of
 * each only warms it up.
 */
export async function compare(sides: readonly Side[], rounds: number): Promise<Measured[]> {
  const rates: number[][] = sides.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, side] of sides.entries()) {
      const rate = await side.round();
      if (round > 0) rates[index]!.push(rate);
    }
  }
  return sides.map(({ name }, index) => ({
    name,
    rate: median(rates[index]!),
    ratio: median(rates[index]!.map((rate, round) => rates[0]![round]! / rate)),
  }));
}

/** Does a number of things and tells how many a second that were. */
export async function rateOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return count / (performance.now() - start) * 1000;
}

/** Does one thing after the other and tells how many a second that were. */
export async function rateOfEach(
  count: number,
  work: (index: number) => Promise<unknown>,
): Promise<number> {
  return await rateOf(count, async () => {
    for (let index = 0; index < count; index++) await work(index);
  });
}

/** The value that a part of all values is not above: 0.5 gives the median. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** A line of a report: what was measured, the figure, and what it is to be. */
export interface Line {
  readonly what: string;
  readonly figure: string;
  readonly ratio?: string;
  readonly budget?: string;
}

/** Prints lines as a table. */
export function print(title: string, lines: readonly Line[]): void {
  console.log(`\n${title}`);
  const columns = ["what", "figure", "ratio", "budget"] as const;
  const widths = columns.map((column) => Math.max(...lines.map((line) => width(line[column]))));
  for (const line of lines) {
    const cells = columns.map((column, index) =>
      column === "what"
        ? line.what.padEnd(widths[index]!)
        : (line[column] ?? "").padStart(widths[index]!)
    );
    console.log(`  ${cells.join("  ").trimEnd()}`);
  }
}

/** The lines of a comparison; `budgets` says by the name of a side how the first one is to do beside it. */
export function linesOf(
  [first, ...others]: readonly Measured[],
  budgets: Readonly<Record<string, string>>,
): Line[] {
  return [
    { what: first!.name, figure: perSecond(first!.rate) },
    ...others.map(({ name, rate, ratio }): Line => ({
      what: `  beside ${name}`,
      figure: perSecond(rate),
      ratio: times(ratio),
      budget: budgets[name] ?? "",
    })),
  ];
}

/** Writes a rate. */
export function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString("en")}/s`;
}

/** Writes a ratio. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`;
}

function width(cell: string | undefined): number {
  return cell?.length ?? 0;
}
