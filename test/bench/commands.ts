import { Aggregate, Repository } from "../../mod.ts";
import { openPostgres, type Placed, placed } from "./databases.ts";
import { perSecond, print, rateOfEach } from "./measure.ts";

class Order extends Aggregate<Placed> {
  static readonly category = "order";
  #count = 0;

  protected apply(event: Placed): void {
    this.#count += event.data.count;
  }

  place(): void {
    this.emit(placed(this.#count));
  }
}

const size = 300;

/** Round trips of a command on an aggregate of 20 events. */
export async function commands(): Promise<void> {
  const { store, queries, close } = await openPostgres();
  const orders = new Repository(store, Order);
  await store.append("order:1", Array.from({ length: 20 }, (_, index) => placed(index)));
  await orders.aggregate("1", (order) => order.place());
  const before = queries();
  const rate = await rateOfEach(size, () => orders.aggregate("1", (order) => order.place()));
  const trips = (queries() - before) / size;
  print("repository command on a warm aggregate (Postgres)", [
    { what: "round trips, notifications apart", figure: trips.toFixed(2), budget: "≤ 2" },
    { what: "commands", figure: perSecond(rate) },
  ]);
  await close();
}
