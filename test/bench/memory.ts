import { memory as memoryDriver } from "../../drivers/memory/mod.ts";
import { defineEvent, EventStore } from "../../mod.ts";
import { Placed, placed } from "./databases.ts";
import { median, perSecond, print, rateOf, rateOfEach } from "./measure.ts";

const Dated = defineEvent<{ readonly sku: string; readonly at: Date }>()("Dated");
const size = 100_000;
const rounds = 7;

/** The core over the in-memory driver, one caller that awaits each append; the best round, since it is our code alone. */
export async function memory(): Promise<void> {
  const lines = [];
  for (
    const [what, make, budget] of [
      ["appends", placed, "≥ 200,000/s"],
      ["appends, a Date in the data", dated, ""],
    ] as const
  ) {
    lines.push({ what, figure: perSecond(await appending(make)), budget });
  }
  lines.push({ what: "events made", figure: perSecond(await rateOf(size, making)) });
  lines.push({ what: "events loaded, 1,000 a stream", figure: perSecond(await loading()) });
  print("memory", lines);
}

function dated(index: number): ReturnType<typeof Dated> {
  return Dated({ sku: `sku-${index}`, at: new Date(index) });
}

async function appending(make: (index: number) => Placed | ReturnType<typeof Dated>) {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const store = new EventStore(memoryDriver(), { events: [Placed, Dated] });
    const events = Array.from({ length: size }, (_, index) => make(index));
    rates.push(
      await rateOfEach(size, (index) => store.append(`order:${index % 1000}`, events[index]!)),
    );
  }
  return Math.max(...rates);
}

async function making(): Promise<void> {
  for (let index = 0; index < size; index++) placed(index);
}

async function loading(): Promise<number> {
  const store = new EventStore(memoryDriver(), { events: [Placed] });
  await store.append("order", Array.from({ length: 1000 }, (_, index) => placed(index)));
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    rates.push(1000 * await rateOfEach(100, () => store.load("order")));
  }
  return median(rates);
}
