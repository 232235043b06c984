import { trace } from "@opentelemetry/api";
import { memory } from "../../drivers/memory/mod.ts";
import { EventStore, type Observer } from "../../mod.ts";
import { otel } from "../../src/otel/mod.ts";
import { Placed, placed } from "./databases.ts";
import type { Figure } from "./figures.ts";
import { takeTurns } from "./turns.ts";

/** Takes the time of each operation, as the least that an observer does. */
const timing: Observer = {
  async around(_operation, run) {
    const start = performance.now();
    try {
      return await run();
    } finally {
      longest = Math.max(longest, performance.now() - start);
    }
  },
};
let longest = 0;

/** Appends in memory, where nothing hides what an observer takes: without one, and with three. */
export async function observer(rounds: number): Promise<Figure> {
  const observers: readonly (readonly [name: string, observer: Observer | undefined])[] = [
    ["without an observer", undefined],
    ["with an empty one", {}],
    ["with one that takes the time", timing],
    ["with otel(), whose API has no SDK", otel({ tracer: trace.getTracer("bench") })],
  ];
  return await takeTurns(
    { subject: "observer", title: "append with an observer", where: "memory", rounds },
    observers.map(([name, observer]) => {
      const store = new EventStore(memory(), { events: [Placed], observer });
      let count = 0;
      const work = () => store.append(`order:${count++ % 1000}`, placed(count));
      return { name, times: 2000, work };
    }),
  );
}
