import { type Command, command } from "../command.ts";
import { exit } from "../exit.ts";

/** Lists streams. */
export const streams: Command = command({
  summary: "list streams by their ids",
  args: {
    prefix: { kind: "optional", summary: "only ids that begin with it", completes: "streams" },
  },
  options: {
    category: { kind: "text", value: "name", summary: "only streams of this category" },
    after: { kind: "text", value: "stream", summary: "only ids that come after this one" },
    limit: { kind: "number", summary: "the most streams (default 50)" },
  },
  async run({ args, options, out, open }) {
    const { category, after, limit = 50 } = options;
    const { store } = await open();
    const found = await store.streams({ prefix: args.prefix, category, after, limit });
    if (out.json) {
      for (const stream of found) await out.value(stream);
    } else if (found.length > 0) {
      out.table(
        ["stream", { right: "version" }, "begun", "last event"],
        found.map(({ streamId, version, createdAt, updatedAt }) => [
          streamId,
          String(version),
          out.time(createdAt),
          out.time(updatedAt),
        ]),
      );
    }
    if (found.length === 0) {
      const wanted = args.prefix === undefined ? "" : ` whose id begins with "${args.prefix}"`;
      out.error(`There is no stream${wanted}`);
      return exit.nothing;
    }
    if (found.length === limit) {
      out.note(`There may be more: --after ${found.at(-1)!.streamId}`);
    }
    return exit.done;
  },
});
