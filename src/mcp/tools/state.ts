import type { DiffLine, InspectedState } from "../../inspect/mod.ts";
import { clipText, fitted, packed } from "../clip.ts";
import { Refused } from "../input.ts";
import { anything, flag, list, record, text, type Tool, tool, whole } from "../tool.ts";
import { showError } from "../view.ts";

const stateSchema = record({ version: whole, "state?": anything, "problem?": text });

export const state: Tool = tool({
  name: "state",
  title: "Show a state",
  about:
    "The state of a stream, made of its events: now, at a version, or as of an instant. With from, also the state at that earlier version and what has changed since.",
  input: {
    stream: { kind: "text", about: "the stream's id", required: true },
    version: { kind: "whole", about: "after the event with this version; the last if left out" },
    at: { kind: "instant", about: "as of this instant" },
    from: {
      kind: "whole",
      about: "an earlier version to compare with; 0 is before the first event",
    },
  },
  output: record({
    stream: text,
    version: whole,
    "state?": anything,
    "problem?": text,
    "from?": stateSchema,
    "changes?": list(text),
    "complete?": flag,
  }),
  async run(context, { stream, version, at, from }) {
    const { inspector } = context;
    const found = await inspector.state(stream, { version, at });
    if (found === undefined) throw new Refused("there is no such stream");
    if (from === undefined) return { stream, ...show(found, 24_000) };
    const compared = await inspector.diff(stream, from, found.version);
    if (compared === undefined) throw new Refused("there is no such stream");
    const answer = {
      stream,
      ...show(compared.to, 8000),
      from: show(compared.from, 8000),
    };
    const changed = compared.lines.filter(({ kind }) => kind !== "same");
    const lines = packed(changed, mark, 8000);
    const complete = compared.complete && lines.length === changed.length;
    return { ...answer, changes: lines, complete };
  },
});

function show(
  { version, state, problem }: InspectedState,
  bytes: number,
): object {
  return {
    version,
    ...(state === undefined ? {} : { state: fitted(state, bytes) }),
    ...(problem === undefined ? {} : { problem: showError(problem) }),
  };
}

function mark({ kind, text }: DiffLine): string {
  return `${kind === "added" ? "+" : "-"} ${clipText(text, 500)}`;
}
