import { memory } from "../../drivers/memory/mod.ts";
import { Aggregate, EventStore, Repository, type RepositoryOptions } from "../../mod.ts";
import { openLibsql, openPostgres, Placed, placed } from "./databases.ts";
import type { Figure } from "./figures.ts";
import { takeTurns } from "./turns.ts";

/** How long the streams are, and how many there are of a length: so many that the short ones stay short. */
const lengths = [[100_000, 1], [1000, 10], [10, 200]] as const;

const kinds: readonly {
  readonly subject: string;
  readonly title: string;
  readonly options: RepositoryOptions;
}[] = [
  { subject: "states-cold", title: "a command that replays its stream", options: {} },
  {
    subject: "states-snapshot",
    title: "a command with a snapshot every 100 events",
    options: { snapshots: { every: 100 } },
  },
  {
    subject: "states-cached",
    title: "a command on a kept state",
    options: { cache: { max: 300 } },
  },
];

class Orders extends Aggregate<Placed> {
  static readonly category = "order";
  #total = 0;

  protected apply({ data }: Placed): void {
    this.#total += data.count;
  }

  protected override snapshot(): unknown {
    return this.#total;
  }

  protected override restore(total: unknown): void {
    this.#total = total as number;
  }

  place(): void {
    this.emit(placed(this.#total));
  }
}

/** Commands on streams of 10 to 100,000 events, whose states are replayed, kept as snapshots, or kept in memory. */
export async function states(where: string, rounds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  const inMemory = async () => ({
    store: new EventStore(memory(), { events: [Placed] }),
    close: async () => {},
  });
  const places = [[where, openPostgres], ["libSQL, a file", openLibsql], ["memory", inMemory]];
  for (const [place, open] of places as [string, typeof inMemory][]) {
    const { store, close } = await open();
    for (const { subject, title, options } of kinds) {
      const orders = new Repository(store, Orders, options);
      const turns = [];
      for (const [length, streams] of lengths) {
        let next = 0;
        const command = () => {
          const id = `${subject}-${length}-${next++ % streams}`;
          return orders.aggregate(id, (order) => order.place());
        };
        for (let stream = 0; stream < streams; stream++) {
          for (let from = 0; from < length; from += 1000) {
            const count = Math.min(1000, length - from);
            const events = Array.from({ length: count }, (_, index) => placed(from + index));
            await store.append(`order:${subject}-${length}-${stream}`, events);
          }
          await command(); // keeps its state
        }
        turns.push({
          name: `${length.toLocaleString("en")} events`,
          times: subject === "states-cold" && length > 1000 ? 1 : 20,
          work: command,
        });
      }
      figures.push(await takeTurns({ subject, title, where: place, rounds }, turns));
    }
    await close();
  }
  return figures;
}
