import type { InspectedDelivery } from "../../inspect/mod.ts";
import { packed } from "../clip.ts";
import { Refused } from "../input.ts";
import { list, record, text, type Tool, tool, whole } from "../tool.ts";
import {
  eventSchema,
  eventsSchema,
  limit,
  searched,
  showError,
  showEvent,
  usual,
} from "../view.ts";

export const readLog: Tool = tool({
  name: "read_log",
  title: "Read the log",
  about:
    "Events of all streams in the order of the log: the newest first, or from a position on. Filters by type, category and tags. Goes through at most the budget: while complete is false, go on with next_before or next_after.",
  input: {
    before: { kind: "whole", about: "only events before this position, the newest first" },
    after: { kind: "whole", about: "only events after this position, the oldest first" },
    at: { kind: "instant", about: "only events up to about this instant, the newest first" },
    types: { kind: "texts", about: "events of any of these types" },
    categories: { kind: "texts", about: "events of streams of any of these categories" },
    tags: { kind: "texts", about: "events that carry all of these tags" },
    limit,
  },
  output: record({
    events: eventsSchema,
    head: whole,
    ...searched,
    "next_before?": whole,
    "next_after?": whole,
  }),
  async run(context, { at, limit = usual, ...search }) {
    const { inspector } = context;
    if ([at, search.before, search.after].filter((it) => it !== undefined).length > 1) {
      throw new Refused("give only one of before, after and at");
    }
    const before = at === undefined ? search.before : await inspector.positionAt(at) + 1;
    const found = await inspector.log({ ...search, before, limit });
    const events = packed(found.events, showEvent);
    const cut = found.events[events.length - 1];
    const whole = events.length === found.events.length;
    const searched_to = whole ? found.searchedTo : cut!.stored.position;
    const complete = whole && found.complete;
    const next = search.after === undefined ? "next_before" : "next_after";
    return {
      events,
      head: found.head,
      complete,
      searched_to,
      ...(complete ? {} : { [next]: searched_to }),
    };
  },
});

export const readStream: Tool = tool({
  name: "read_stream",
  title: "Read a stream",
  about:
    "The events of one stream, such as order:42, by version. While complete is false, go on with next_from, or next_to if backwards.",
  input: {
    stream: { kind: "text", about: "the stream's id", required: true },
    from: { kind: "whole", about: "only from this version on", min: 1 },
    to: { kind: "whole", about: "only up to this version", min: 1 },
    backwards: { kind: "flag", about: "whether the newest come first" },
    limit,
  },
  output: record({
    stream: text,
    version: whole,
    events: eventsSchema,
    complete: searched["complete"]!,
    "next_from?": whole,
    "next_to?": whole,
  }),
  async run(context, { stream, limit = usual, ...range }) {
    const found = await context.inspector.stream(stream, { ...range, limit });
    if (found === undefined) throw new Refused("there is no such stream");
    const events = packed(found.events, showEvent);
    const complete = found.complete && events.length === found.events.length;
    const last = found.events[events.length - 1]?.stored.version ?? 0;
    const next = range.backwards ? { next_to: last - 1 } : { next_from: last + 1 };
    return { stream, version: found.version, events, complete, ...(complete ? {} : next) };
  },
});

function showDelivery({ consumer, version, state, parking }: InspectedDelivery): object {
  const { error } = parking ?? {};
  return {
    ...{ consumer, version, state },
    ...(error === undefined ? {} : { error: showError({ message: error }) }),
  };
}

export const event: Tool = tool({
  name: "event",
  title: "Show an event",
  about: "One event by its id, what became of it at each consumer, and the events that it caused.",
  input: { id: { kind: "text", about: "the event's id", required: true } },
  output: record({
    event: eventSchema,
    consumers: list(record({ consumer: text, version: whole, state: text, "error?": text })),
    caused: list(record({ id: text, type: text, stream: text, position: whole })),
  }),
  async run(context, { id }) {
    const { inspector } = context;
    const found = await inspector.event(id);
    if (found === undefined) throw new Refused("there is no such event");
    const caused = await inspector.caused(id, { limit: 1000 });
    return {
      event: showEvent(found, 16_000),
      consumers: packed(await inspector.deliveries(found.stored), showDelivery, 4000),
      caused: packed(caused?.events ?? [], ({ stored: { id, type, streamId, position } }) => ({
        ...{ id, type, stream: streamId, position },
      }), 8000),
    };
  },
});
