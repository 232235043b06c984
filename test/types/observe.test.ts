import { context, metrics, trace } from "@opentelemetry/api";
import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  type AppendOperation,
  defineEvent,
  EventStore,
  type HandleOperation,
  type Notice,
  type Observer,
  type Operation,
} from "../../mod.ts";
import { inspect, logger } from "../../src/inspect/mod.ts";
import { gauges, otel, type OtelOptions } from "../../src/otel/mod.ts";
import { expectType, refuses, same } from "./expect.ts";

const Paid = defineEvent("Paid");

test("an observer is narrowed by the name of its operation, and gives back what it was given", () => {
  const observer: Observer = {
    around(operation, run) {
      same<Operation, typeof operation>();
      if (operation.name === "append") expectType<AppendOperation>()(operation);
      if (operation.name === "handle") expectType<HandleOperation>()(operation);
      return run();
    },
    notice: (notice) => void expectType<Notice>()(notice),
  };
  const store = new EventStore(memory(), { events: [Paid], observer });
  expectType<EventStore<ReturnType<typeof Paid>, undefined>>()(store);
  class Counting {
    count = 0;
    around<R>(_operation: Operation, run: () => Promise<R>): Promise<R> {
      this.count++;
      return run();
    }
  }
  assert.ok(new EventStore(memory(), { events: [Paid], observer: new Counting() }));
});

test("what @opentelemetry/api returns fits otel() and gauges() as it is", () => {
  const options: OtelOptions = {
    tracer: trace.getTracer("types"),
    meter: metrics.getMeter("types"),
    api: { context, trace },
    links: "parent",
  };
  const observer = { ...otel(options), notice: logger(console) };
  const store = new EventStore(memory(), { events: [Paid], observer });
  gauges({ meter: metrics.getMeter("types"), inspector: inspect(store) })();
});

test("mistakes in observers are refused", () => {
  const wrong = (options: OtelOptions) => options;
  refuses(() => {
    // @ts-expect-error: an unknown kind of links
    wrong({ links: "child" });
    // @ts-expect-error: not what a tracer is
    wrong({ tracer: {} });
    const observer: Observer = {
      // @ts-expect-error: it returns something else than the operation
      around: () => Promise.resolve("else"),
    };
    return observer;
  });
});
