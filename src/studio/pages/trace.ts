import type { InspectedNode } from "../../inspect/trace.ts";
import {
  createdAt,
  dataOf,
  eventAddress,
  hueOf,
  problemMark,
  streamLink,
  typeName,
} from "../view/event.ts";
import { at, duration } from "../view/format.ts";
import { type Html, markup } from "../frame/html.ts";
import { gist } from "../view/json.ts";
import { missing } from "../view/missing.ts";
import type { Page, View } from "../view/view.ts";

/** What followed from one thing: the events of a trace, each below its cause, on an axis of time. */
export async function trace(view: View): Promise<Page> {
  const id = view.param("id") ?? "";
  const after = view.number("after");
  const found = id === "" ? undefined : await view.inspector.trace(id, { limit: 200, after });
  if (found === undefined) {
    return missing(
      view,
      "There is no such trace",
      "No event of this tenant has this correlation id.",
    );
  }
  const rows = found.roots.flatMap((root) => flat(root, 0));
  const times = rows.map(({ node }) => createdAt(node).getTime()).filter((time) =>
    !Number.isNaN(time)
  );
  const [start, end] = [Math.min(...times), Math.max(...times)];
  const streams = new Set(rows.map(({ node }) => node.stored.streamId)).size;
  return {
    title: `Trace ${id}`,
    tab: "/log",
    body:
      markup`<div class="head"><span class="crumb">Trace</span><h1 class="id"><bdi>${id}</bdi></h1><span class="facts">${
        view.format(found.events)
      } ${found.events === 1 ? "event" : "events"} in ${view.format(streams)} ${
        streams === 1 ? "stream" : "streams"
      }${
        times.length > 0 && markup` · ${duration(end - start)} · since ${at(new Date(start))} UTC`
      }</span></div><section class="panel" aria-label="Events">${
        rows.length === 0
          ? markup`<div class="empty">No further events.</div>`
          : markup`<div class="scroll"><table><thead><tr><th scope="col">Event</th><th scope="col">Stream</th><th scope="col" class="wide">Data</th><th scope="col" class="right">After</th><th scope="col" class="wide">Time</th></tr></thead><tbody>${
            rows.map((row) => entry(view, row, start, end))
          }</tbody></table></div>`
      }<div class="more">${
        found.complete
          ? markup`<span>This is all of it</span>`
          : markup`<a class="side" rel="next" href="${
            view.to("/trace", { id, tenant: view.tenant, after: found.searchedTo })
          }">Go on after ${view.format(found.searchedTo)}</a>`
      }</div></section>`,
  };
}

interface Row {
  readonly node: InspectedNode;
  readonly depth: number;
}

function flat(node: InspectedNode, depth: number): readonly Row[] {
  const rows: Row[] = [];
  const stack: Row[] = [{ node, depth }];
  for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
    rows.push(row);
    for (const effect of row.node.effects.toReversed()) {
      stack.push({ node: effect, depth: row.depth + 1 });
    }
  }
  return rows;
}

function entry(view: View, { node, depth }: Row, start: number, end: number): Html {
  const { stored, problem } = node;
  const offset = createdAt(node).getTime() - start;
  const share = end > start ? offset / (end - start) : 0;
  return markup`<tr><td class="tree"><span class="d${Math.min(depth, 12)}">${
    depth > 0 && markup`<span class="soft" aria-hidden="true">└ </span>`
  }<a data-row href="${eventAddress(view, node)}">${
    typeName(stored.type)
  }</a><span class="hidden"> at depth ${depth}</span></span></td><td>${
    streamLink(view, stored, { at: stored.version })
  } <span class="soft">@${stored.version}</span></td><td class="wide">${
    problem ? problemMark(problem.message) : gist(dataOf(node))
  }</td><td class="right tight soft">${
    offset > 0 ? `+${duration(offset)}` : "0"
  }</td><td class="wide"><svg class="axisdot h${
    hueOf(stored.type)
  }" viewBox="0 0 176 18" aria-hidden="true"><line x1="4" x2="172" y1="9" y2="9"/><circle cx="${
    (6 + 164 * share).toFixed(1)
  }" cy="9" r="4"/></svg></td></tr>`;
}
