import type { InspectedEvent, Inspector, LogSearch } from "../../inspect/mod.ts";
import { sleep } from "../../async/sleep.ts";
import { type Command, command } from "../command.ts";
import { dataLine, shownEvent } from "../view/event.ts";
import type { Output } from "../output.ts";

/** How often it looks for new events, in milliseconds. */
const pause = 500;
/** The most events of one look. */
const page = 500;

/** Shows the log as it grows. */
export const tail: Command = command({
  summary: "show the newest events of the log, and those that come",
  details: "It shows settled events, in the order of the log, until it is interrupted.",
  options: {
    number: {
      kind: "number",
      short: "n",
      summary: "how many of the newest come first (default 20)",
    },
    type: { kind: "list", value: "name", summary: "only events of this type; may be repeated" },
    category: {
      kind: "list",
      value: "name",
      summary: "only of streams of this category; may be repeated",
    },
    tag: {
      kind: "list",
      value: "tag",
      summary: "only events with this tag; with all where repeated",
    },
    "no-follow": { kind: "flag", summary: "end after the newest" },
  },
  async run({ options, out, open, signal }) {
    const { inspect } = await open();
    const { number = 20, type, category, tag } = options;
    const inspector = inspect();
    const filter: LogSearch = {
      types: type.length === 0 ? undefined : type,
      categories: category.length === 0 ? undefined : category,
      tags: tag.length === 0 ? undefined : tag,
    };
    const first = await newest(inspector, filter, number, out);
    if (options["no-follow"]) return;
    for (let after = first; !signal.aborted;) {
      const { events, searchedTo, complete } = await inspector.log({
        ...filter,
        after,
        limit: page,
      });
      for (const event of events) await write(event, out);
      after = searchedTo;
      if (complete) await sleep(pause, undefined, signal);
    }
  },
});

/** Writes the newest events. @returns The position after which others follow. */
async function newest(
  inspector: Inspector,
  filter: LogSearch,
  limit: number,
  out: Output,
): Promise<number> {
  if (limit === 0) return await inspector.position();
  const { events, head, searchedTo, complete } = await inspector.log({ ...filter, limit });
  for (const event of events.toReversed()) await write(event, out);
  if (!complete && events.length < limit) {
    out.note(`Searched back to position ${searchedTo}: there may be older ones`);
  }
  return head;
}

async function write(event: InspectedEvent, out: Output): Promise<void> {
  const shown = shownEvent(event);
  if (out.json) return await out.value(shown);
  const { position, createdAt, type, streamId } = shown;
  const head = `${String(position).padStart(7)}  ${out.time(createdAt)}`;
  const text = `${out.paint.bold(type.padEnd(18))} ${streamId.padEnd(20)} ${dataLine(shown, out)}`;
  await out.line(`${head}  ${text}`.trimEnd());
}
