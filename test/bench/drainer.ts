// A worker that is a process of its own: told the name of an outbox, it hands over what it finds, and says how much.
import process from "node:process";
import { Outbox } from "../../mod.ts";
import { connectPostgres } from "./databases.ts";

/** What it is told. */
export interface Order {
  readonly name: string;
  readonly lanes: number;
}

const { store } = await connectPostgres(process.argv[2]!);
process.on("message", (order: Order) => {
  const outbox = new Outbox(store, { ...order, publisher: () => {} });
  void outbox.runOnce().then(({ handled }) => process.send!(handled));
});
process.send!(0);
