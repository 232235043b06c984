import type { InspectedEvent } from "../../inspect/event.ts";
import { plainOf } from "../../inspect/plain.ts";
import { ago, at } from "./format.ts";
import { type Content, type Html, markup } from "../frame/html.ts";
import { gist, json } from "./json.ts";
import { tenantOf, type View } from "./view.ts";

/** Shows the name of a type with its mark, whose hue is always the same. */
export function typeName(type: string): Html {
  return markup`<span class="name"><span class="mark h${
    hueOf(type)
  }"></span><bdi class="type">${type}</bdi></span>`;
}

/** The number of a type's hue, 0 to 11. */
export function hueOf(type: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < type.length; index++) {
    hash = Math.imul(hash ^ type.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 16) % 12;
}

/** Shows the data of an event: decoded where that is possible, else as stored. */
export function dataOf({ event, stored }: InspectedEvent): unknown {
  return event === undefined ? stored.data : plainOf(event.data);
}

/** When an event was created. */
export function createdAt({ stored }: InspectedEvent): Date {
  return new Date(stored.createdAt);
}

/** Links to a stream. */
export function streamLink(
  view: View,
  stream: { readonly streamId: string; readonly tenantId: string },
  query: Readonly<Record<string, string | number | undefined>> = {},
): Html {
  const { streamId } = stream;
  const href = view.to("/stream", { id: streamId, tenant: tenantOf(stream), ...query });
  return markup`<a class="id" href="${href}"><bdi>${streamId}</bdi></a>`;
}

/** The address of an event's page. */
export function eventAddress(view: View, { stored }: InspectedEvent): string {
  return view.to("/event", { id: stored.id, tenant: tenantOf(stored) });
}

/** Lists events as rows of a table, each a line. */
export function eventTable(
  view: View,
  events: readonly InspectedEvent[],
  live?: Live | undefined,
): Html {
  return markup`<table class="log"${
    events.length === 0 && markup` hidden`
  }><thead><tr><th scope="col" class="c1 right">Position</th><th scope="col" class="c2">Event</th><th scope="col" class="c3">Stream</th><th scope="col" class="wide">Data</th><th scope="col" class="c5 right">Created</th></tr></thead><tbody${
    live && markup` data-stream="${live.address}" data-after="${live.after}"`
  }>${events.map((event) => eventRow(view, event))}</tbody></table>`;
}

/** Where live rows come from, and the position that they follow. */
export interface Live {
  readonly address: string;
  readonly after: number;
}

/** Shows an event as a row of `eventTable`. */
export function eventRow(view: View, inspected: InspectedEvent, fresh: boolean = false): Html {
  const { stored, problem } = inspected;
  return markup`<tr${fresh && markup` class="fresh"`}><td class="right soft number">${
    view.format(stored.position)
  }</td><td><a data-row href="${eventAddress(view, inspected)}">${
    typeName(stored.type)
  }</a></td><td>${streamLink(view, stored)}</td><td class="wide">${
    problem ? problemMark(problem.message) : gist(dataOf(inspected))
  }</td><td class="right soft">${ago(createdAt(inspected), view.now)}</td></tr>`;
}

/** Says that an event cannot be read. */
export function problemMark(message: string): Html {
  return markup`<span class="wrong">Cannot be read</span> <span class="soft">${message}</span>`;
}

/** Shows everything of an event but where it comes from and where it led, and what is given of its consumers. */
export function eventBody(
  view: View,
  inspected: InspectedEvent,
  consumers: Content = undefined,
): Html {
  const { stored, event, problem } = inspected;
  const { correlationId, causationId, ...others } = stored.metadata;
  const tenant = tenantOf(stored);
  const links = view.links(inspected);
  const fact = (name: string, value: Content) => markup`<dt>${name}</dt><dd>${value}</dd>`;
  const data = dataOf(inspected);
  return markup`${
    problem &&
    markup`<div class="note fault"><strong>The store cannot read this event</strong><div class="error">${problem.message}</div><div class="soft">It is shown as it is stored.</div></div>`
  }${
    data === undefined || data === null ? markup`<p class="soft">No data</p>` : json(data)
  }<dl class="facts">${[
    fact(
      "Created",
      markup`${at(createdAt(inspected))} UTC, ${ago(createdAt(inspected), view.now)}`,
    ),
    fact(
      "Position",
      markup`<a href="${view.to("/log", { before: stored.position + 1 })}">${
        view.format(stored.position)
      }</a>`,
    ),
    fact("Id", markup`<span class="id">${stored.id}</span>`),
    tenant !== undefined && fact("Tenant", markup`<bdi>${tenant}</bdi>`),
    typeof correlationId === "string" && fact(
      "Trace",
      markup`<a class="id" href="${
        view.to("/trace", { id: correlationId, tenant })
      }">${correlationId}</a>`,
    ),
    typeof causationId === "string" && fact(
      "Caused by",
      markup`<a class="id" href="${
        view.to("/event", { id: causationId, tenant })
      }">${causationId}</a>`,
    ),
    stored.tags.length > 0 && fact(
      "Tags",
      stored.tags.map((tag) =>
        view.shape
          ? markup`<span class="tag">${tag}</span> `
          : markup`<a class="tag" href="${view.to("/log", { tag })}"><bdi>${tag}</bdi></a>`
      ),
    ),
    stored.schemaVersion > 1 && fact("Schema", `version ${stored.schemaVersion}`),
    fact("Published", stored.published ? "yes: outboxes take it" : "no"),
    Boolean(consumers) && fact("Consumers", consumers),
    stored.imported === true && fact("Imported", "yes"),
    links.length > 0 && fact(
      "Elsewhere",
      links.map(({ text, href }) =>
        markup`<a class="tag" href="${href}" rel="noreferrer">${text}</a>`
      ),
    ),
  ]}</dl>${Object.keys(others).length > 0 && markup`<h3>Metadata</h3>${json(others)}`}${
    event !== undefined && differs(stored.data, data) &&
    markup`<details class="fold"><summary>As it is stored</summary>${json(stored.data)}</details>`
  }`;
}

function differs(stored: unknown, shown: unknown): boolean {
  return JSON.stringify(stored ?? null) !== JSON.stringify(shown ?? null);
}
