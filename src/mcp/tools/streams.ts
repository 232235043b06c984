import { packed } from "../clip.ts";
import { Refused } from "../input.ts";
import { flag, list, record, text, type Tool, tool, whole } from "../tool.ts";
import { instant, limit, usual } from "../view.ts";

export const streams: Tool = tool({
  name: "streams",
  title: "List streams",
  about:
    "Streams by their ids, which are a category and an id such as order:42. While complete is false, go on with next_after. Ids are found by how they begin, never by what they contain.",
  input: {
    prefix: { kind: "text", about: "only ids that begin with this text" },
    category: { kind: "text", about: "only streams of this category" },
    after: { kind: "text", about: "only ids that come after this one" },
    limit,
  },
  output: record({
    streams: list(record({ stream: text, version: whole, begun_at: text, updated_at: text })),
    complete: flag,
    "next_after?": text,
  }),
  async run({ inspector }, { prefix, category, after, limit = usual }) {
    const start = category === undefined ? undefined : `${category}:`;
    if (start !== undefined && prefix !== undefined && !prefix.startsWith(start)) {
      throw new Refused(
        "prefix must begin with the category and a colon, or leave one of them out",
      );
    }
    const found = await inspector.streams({ prefix: prefix ?? start, after, limit });
    const shown = packed(found.streams, ({ streamId, version, createdAt, updatedAt }) => ({
      ...{ stream: streamId, version },
      begun_at: instant(createdAt),
      updated_at: instant(updatedAt),
    }));
    const complete = found.complete && shown.length === found.streams.length;
    const last = found.streams[shown.length - 1];
    return {
      streams: shown,
      complete,
      ...(complete || last === undefined ? {} : { next_after: last.streamId }),
    };
  },
});
