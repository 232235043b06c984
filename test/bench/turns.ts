import { type Figure, quantile } from "./figures.ts";

/** What is done again and again. */
interface Turn {
  readonly name: string;
  /** How often in a round, by all callers together. */
  readonly times: number;
  /** How many work at the same time. @default 1 */
  readonly callers?: number;
  readonly work: (caller: number) => Promise<unknown>;
}

/** Has the sides work in turns, in this process; the first round only warms up. The others are told beside the first. */
export async function takeTurns(
  what: Pick<Figure, "subject" | "title" | "where" | "rounds">,
  turns: readonly Turn[],
): Promise<Figure> {
  const sides = turns.map((turn) => ({ ...turn, rates: [] as number[] }));
  for (let round = 0; round <= what.rounds; round++) {
    for (const { times, callers = 1, work, rates } of sides) {
      const start = performance.now();
      let left = times;
      await Promise.all(Array.from({ length: callers }, async (_, caller) => {
        while (left-- > 0) await work(caller);
      }));
      if (round > 0) rates.push(times / (performance.now() - start) * 1000);
    }
  }
  const first = sides[0]!.rates;
  return {
    ...what,
    ...{ unit: "times/s", lower: false, at: new Date().toISOString() },
    sides: sides.map(({ name, rates }) => ({
      name,
      median: quantile(rates, 0.5),
      low: quantile(rates, 0.25),
      high: quantile(rates, 0.75),
      ratio: quantile(rates.map((rate, round) => first[round]! / rate), 0.5),
    })),
  };
}
