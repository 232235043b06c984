import type { InspectedNode, InspectedTrace, Inspector } from "../../inspect/mod.ts";
import { type Command, command } from "../command.ts";
import { eventOf, shownEvent } from "../view/event.ts";
import { exit, Stop } from "../exit.ts";
import type { Output } from "../output.ts";
import { timeOf } from "../progress.ts";

/** Shows what followed from an event. */
export const trace: Command = command({
  summary: "show what followed from what: the events of one flow, as a tree",
  args: {
    id: {
      kind: "one",
      summary: "the correlation id of the flow, or one of its events: an id, or order:42@3",
    },
  },
  options: {
    after: { kind: "number", value: "position", summary: "only events after this position" },
    limit: { kind: "number", summary: "the most events (default 1000)" },
  },
  async run({ args: { id }, options, out, open }) {
    const { inspect } = await open();
    const found = await flowOf(inspect(), id, options);
    const nodes = [...walk(found.roots, [])];
    if (out.json) {
      for (const { node, depth } of nodes) await out.value({ ...shownEvent(node), depth });
    } else writeTree(nodes, out);
    if (!found.complete) out.note(`There are more: --after ${found.searchedTo}`);
  },
});

async function flowOf(
  inspector: Inspector,
  id: string,
  search: { readonly after: number | undefined; readonly limit: number | undefined },
): Promise<InspectedTrace> {
  const flow = await inspector.trace(id, search);
  if (flow !== undefined && flow.events > 0) return flow;
  const { stored } = await eventOf(inspector, id);
  const correlationId = String(stored.metadata["correlationId"] ?? stored.id);
  const found = await inspector.trace(correlationId, search);
  if (found !== undefined) return found;
  throw new Stop(exit.nothing, `There is no flow ${correlationId}`);
}

/** An event of a flow, with the lines that lead to it. */
interface Placed {
  readonly node: InspectedNode;
  readonly depth: number;
  readonly branch: string;
}

/** Walks the trees, causes before their effects. @param lines For each node above, whether others follow it. */
function* walk(nodes: readonly InspectedNode[], lines: readonly boolean[]): Iterable<Placed> {
  for (const [index, node] of nodes.entries()) {
    const follows = index < nodes.length - 1;
    const above = lines.slice(1).map((line) => line ? "│ " : "  ").join("");
    const branch = lines.length === 0 ? "" : `${above}${follows ? "├ " : "└ "}`;
    yield { node, depth: lines.length, branch };
    yield* walk(node.effects, [...lines, follows]);
  }
}

function writeTree(nodes: readonly Placed[], out: Output): void {
  const events = nodes.map(({ node, branch }) => ({ ...shownEvent(node), branch }));
  const start = Math.min(...events.map(({ createdAt }) => createdAt.getTime()));
  out.table(
    ["event", "stream", { right: "version" }, { right: "position" }, { right: "after" }, "id"],
    events.map(({ branch, type, streamId, version, position, createdAt, id }) => [
      `${out.paint.dim(branch)}${out.paint.bold(type)}`,
      streamId,
      String(version),
      String(position),
      offset(createdAt.getTime() - start),
      out.paint.dim(id),
    ]),
  );
}

function offset(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : timeOf(milliseconds);
}
