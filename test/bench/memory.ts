// How fast the core is over the in-memory driver, one caller that awaits each append; the budget is 200,000 appends/s.
// `deno run test/bench/memory.ts`, or compiled: `node dist/test/bench/memory.js`.
import { memory } from "../../drivers/memory.ts";
import { defineEvent, EventStore } from "../../mod.ts";

const Placed = defineEvent<{ readonly sku: string; readonly count: number }>()("Placed");
const Dated = defineEvent<{ readonly sku: string; readonly at: Date }>()("Dated");
const size = 200_000;
const rounds = 5;

type Placed = ReturnType<typeof Placed> | ReturnType<typeof Dated>;

async function measure(name: string, make: (index: number) => Placed): Promise<void> {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const store = new EventStore(memory(), { events: [Placed, Dated] });
    const events = Array.from({ length: size }, (_, index) => make(index));
    const start = performance.now();
    for (let index = 0; index < size; index++) {
      await store.append(`order:${index % 1000}`, events[index]!);
    }
    rates.push(size / (performance.now() - start) * 1000);
  }
  console.log(`${name}: ${Math.round(Math.max(...rates)).toLocaleString("en")}/s`);
}

async function reading(): Promise<void> {
  const store = new EventStore(memory(), { events: [Placed] });
  await store.append(
    "order",
    Array.from({ length: 1000 }, (_, n) => Placed({ sku: `s${n}`, count: n })),
  );
  const times = 200;
  const start = performance.now();
  for (let round = 0; round < times; round++) await store.load("order");
  const rate = times * 1000 / (performance.now() - start) * 1000;
  console.log(`events loaded, 1,000 a stream: ${Math.round(rate).toLocaleString("en")}/s`);
}

function making(): void {
  const start = performance.now();
  for (let index = 0; index < size; index++) Placed({ sku: "a", count: index });
  const rate = size / (performance.now() - start) * 1000;
  console.log(`events made: ${Math.round(rate).toLocaleString("en")}/s`);
}

making();
await measure("appends, plain data", (index) => Placed({ sku: `s${index}`, count: index }));
await measure(
  "appends, a Date in the data",
  (index) => Dated({ sku: `s${index}`, at: new Date(0) }),
);
await reading();
