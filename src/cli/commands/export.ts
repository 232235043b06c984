import { type Command, command } from "../command.ts";
import { exit } from "../exit.ts";
import type { Progress } from "../progress.ts";
import { cloudLineOf, exportEvents } from "../transfer/export.ts";
import { lineOf } from "../transfer/line.ts";

/** Writes the log to stdout. */
export const exportLog: Command = command({
  summary: "write the log as lines of JSON, to be kept or imported",
  details:
    "Each line holds all that is stored of an event, by position, up to where the log is settled. Sealed fields stay sealed, and their keys are not written. Consumers, snapshots and what is scheduled are not, either.",
  options: {
    format: {
      kind: "text",
      choices: ["ndjson", "cloudevents"],
      summary: "ndjson can be imported (default), cloudevents is for other systems",
    },
    source: {
      kind: "text",
      value: "uri",
      summary: "the source of CloudEvents (default /event-sourcery)",
    },
    stream: { kind: "text", value: "id", summary: "only events of this stream" },
    category: { kind: "text", value: "name", summary: "only events of streams of this category" },
    after: { kind: "number", value: "position", summary: "only events after this position" },
  },
  async run({ options, out, open, signal }) {
    const { store } = await open();
    const { format, source = "/event-sourcery", stream: streamId, category, after } = options;
    const first = after ?? 0;
    let progress: Progress | undefined;
    let [count, sealed, reached] = [0, 0, first];
    const onProgress = (position: number, until: number) => {
      progress ??= out.progress("positions", until - first);
      progress.set(position - first);
      reached = position;
    };
    try {
      for await (
        const event of exportEvents(store, { streamId, category, after, signal, onProgress })
      ) {
        count++;
        if (event.codec !== null && "sealed" in event.codec) sealed++;
        await out.line(format === "cloudevents" ? cloudLineOf(event, source) : lineOf(event));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    progress?.end();
    if (signal.aborted) {
      out.note(`It was interrupted; to go on: --after ${reached}`);
      return exit.interrupted;
    }
    out.note(`${count} ${count === 1 ? "event" : "events"}, up to position ${reached}`);
    if (sealed > 0) {
      out.note(
        `${sealed} of them have sealed fields: whoever shall read these needs the keys, which are not among them`,
      );
    }
    return exit.done;
  },
});
