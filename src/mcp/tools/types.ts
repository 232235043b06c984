import type { InspectedType, UnknownType } from "../../inspect/mod.ts";
import { fitted, packed } from "../clip.ts";
import { Refused } from "../input.ts";
import { anything, flag, list, record, text, type Tool, tool, whole } from "../tool.ts";
import { eventSchema, instant, limit, showEvent, usual } from "../view.ts";

export const eventTypes: Tool = tool({
  name: "event_types",
  title: "List event types",
  about:
    "The event types that the application defines, by name: JSON Schema, schema version, sensitive fields, about how many events there are, the newest one as an example, which consumers take it. And the types in the log that it does not define. While complete is false, go on with next_after.",
  input: {
    type: { kind: "text", about: "only this type" },
    after: { kind: "text", about: "only types that come after this one" },
    limit,
  },
  output: record({
    types: list(record({
      type: text,
      version: whole,
      aliases: list(text),
      about: whole,
      "last_at?": text,
      versions: anything,
      tagged: flag,
      sensitive: anything,
      consumers: anything,
      "schema?": anything,
      "no_schema?": text,
      "example?": eventSchema,
    })),
    undefined_types: list(record({ type: text, about: whole, last_at: text, retired: flag })),
    counts: text,
    complete: flag,
    "next_after?": text,
  }),
  async run(context, { type, after, limit = usual }) {
    const { types, unknown, ...counted } = await context.inspector.catalogue();
    const wanted = types.filter((it) => type === undefined || it.type === type)
      .filter((it) => after === undefined || it.type > after);
    if (type !== undefined && wanted.length === 0) {
      throw new Refused("the application defines no such type");
    }
    const shown = packed(wanted.slice(0, limit), show, 22_000);
    const complete = shown.length === wanted.length;
    return {
      types: shown,
      undefined_types: packed(unknown.slice(0, limit), showUnknown, 4000),
      counts: counted.complete ? "exact" : `from a sample of ${counted.sampled} positions`,
      complete,
      ...(complete ? {} : { next_after: wanted[shown.length - 1]!.type }),
    };
  },
});

function show(found: InspectedType): object {
  const { type, version, aliases, about, lastAt, versions, tagged, sensitive } = found;
  const { consumers, schema, reason, example } = found;
  return {
    ...{ type, version, about, tagged },
    aliases: aliases.slice(0, 10),
    ...(lastAt === undefined ? {} : { last_at: instant(lastAt) }),
    versions: fitted(versions, 500),
    sensitive: fitted(sensitive, 1000),
    consumers: fitted(consumers.map(({ name, version }) => `${name}@${version}`), 1000),
    ...(schema === null ? {} : { schema: fitted(schema, 4000) }),
    ...(reason === undefined ? {} : { no_schema: reason.slice(0, 200) }),
    ...(example === undefined ? {} : { example: showEvent(example, 2000) }),
  };
}

function showUnknown({ type, about, lastAt, retired }: UnknownType): object {
  return { type, about, last_at: instant(lastAt), retired };
}
