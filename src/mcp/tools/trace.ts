import type { InspectedEvent, InspectedNode } from "../../inspect/mod.ts";
import { packed } from "../clip.ts";
import { Refused } from "../input.ts";
import { record, text, type Tool, tool, whole } from "../tool.ts";
import { eventsSchema, limit, searched, showEvent, usual } from "../view.ts";

export const trace: Tool = tool({
  name: "trace",
  title: "Trace a flow",
  about:
    "All events that followed from one action, by their correlation id, in the order of the log; each names the event that caused it in causation_id. While complete is false, go on with next_after.",
  input: {
    correlation_id: {
      kind: "text",
      about: "the correlation id, as events show it",
      required: true,
    },
    after: { kind: "whole", about: "only events after this position" },
    limit,
  },
  output: record({
    correlation_id: text,
    events: eventsSchema,
    ...searched,
    "next_after?": whole,
  }),
  async run(context, { correlation_id, after, limit = usual }) {
    const found = await context.inspector.trace(correlation_id, { after, limit });
    if (found === undefined) throw new Refused("no event has this correlation id");
    const all = flat(found.roots).sort((a, b) => a.stored.position - b.stored.position);
    const events = packed(all, showEvent);
    const whole = events.length === all.length;
    const searched_to = whole ? found.searchedTo : all[events.length - 1]!.stored.position;
    const complete = whole && found.complete;
    return {
      ...{ correlation_id, events, complete, searched_to },
      ...(complete ? {} : { next_after: searched_to }),
    };
  },
});

/** Lists the events of trees; without recursion, since a chain may be as long as the flow. */
function flat(roots: readonly InspectedNode[]): InspectedEvent[] {
  const found: InspectedNode[] = [...roots];
  for (const { effects } of found) found.push(...effects); // which the loop reaches, too
  return found;
}
