import type { Operation } from "../../mod.ts";
import type { OtelMeter } from "./api.ts";
import { isConflict } from "./span.ts";

/** Bounds for what takes milliseconds to seconds, in seconds. */
const short = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Bounds for what may also take hours, in seconds. */
const long = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 24 * 3600];

/** Takes the measure of an operation that has ended. */
export type Measure = (operation: Operation, seconds: number, failure?: Failure) => void;

/** Why an operation failed. */
interface Failure {
  readonly error: unknown;
}

/** Makes the instruments of a meter, and returns what feeds them. No attribute is an id: their values are few. */
export function measureWith(meter: OtelMeter): Measure {
  const histogram = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(`event_sourcery.${name}`, {
      description,
      unit: "s",
      advice: { explicitBucketBoundaries },
    });
  const counter = (name: string, description: string, unit: string) =>
    meter.createCounter(`event_sourcery.${name}`, { description, unit });
  const duration = histogram("append.duration", "How long appends take.", short);
  const appended = counter("append.events", "Events that were appended.", "{event}");
  const conflicts = counter("append.conflicts", "Appends that met a conflict.", "{append}");
  const attempts = counter("command.attempts", "Attempts at commands.", "{attempt}");
  const handled = counter("consumer.handled", "Events that consumers handled.", "{event}");
  const handling = histogram("consumer.handle.duration", "How long handlers take.", short);
  const delay = histogram("consumer.delay", "From the creation of an event to its end.", long);
  return (operation, seconds, failure) => {
    const conflict = failure !== undefined && isConflict(operation, failure.error);
    const outcome = failure === undefined ? "ok" : conflict ? "conflict" : "failed";
    switch (operation.name) {
      case "append": {
        const { category, events } = operation;
        duration.record(seconds, { category, outcome });
        if (outcome === "ok") appended.add(events.length, { category });
        if (conflict) conflicts.add(1, { category });
        return;
      }
      case "command":
        return attempts.add(1, { aggregate: operation.aggregate, outcome });
      case "handle": {
        const { consumer, version, events } = operation;
        handling.record(seconds, { consumer, version, outcome });
        // After a failed batch each of its events is handled on its own.
        if (outcome === "ok" || events.length === 1) {
          handled.add(events.length, { consumer, version, outcome });
        }
        if (outcome !== "ok") return;
        for (const { createdAt } of events) {
          const age = (Date.now() - createdAt.getTime()) / 1000;
          delay.record(Math.max(0, age), { consumer, version });
        }
        return;
      }
      case "pass": {
        const { consumer, version, outcome: passed } = operation;
        const skipped = passed?.skipped ?? 0;
        if (skipped > 0) handled.add(skipped, { consumer, version, outcome: "skipped" });
      }
    }
  };
}
