import { compile } from "../types/compile.ts";
import { program } from "../types/program.ts";
import { type Figure, quantile } from "./figures.ts";

/** How long tsc takes for a store of 200 event types, beside a store of 20. */
export async function types(rounds: number): Promise<Figure> {
  const sides = [
    { name: "200 event types", code: program({ types: 200, handlers: 100, aggregates: 20 }) },
    { name: "20 event types", code: program({ types: 20, handlers: 10, aggregates: 2 }) },
  ].map((side) => ({ ...side, values: [] as number[] }));
  for (let round = 0; round <= rounds; round++) {
    for (const { code, values } of sides) {
      const start = performance.now();
      const { ok, output } = await compile(code);
      if (!ok) throw new Error(output);
      if (round > 0) values.push(performance.now() - start);
    }
  }
  const [first] = sides;
  return {
    subject: "types",
    title: "check the types of a store of 200 event types",
    where: "tsc",
    unit: "ms",
    lower: true,
    rounds,
    at: new Date().toISOString(),
    sides: sides.map(({ name, values }) => ({
      name,
      median: quantile(values, 0.5),
      low: quantile(values, 0.25),
      high: quantile(values, 0.75),
      ratio: quantile(values.map((value, round) => value / first!.values[round]!), 0.5),
    })),
  };
}
