import type { InspectedCatalogue, InspectedType } from "../../inspect/catalogue.ts";
import { eventTable, typeName } from "../view/event.ts";
import { ago } from "../view/format.ts";
import { consumerLink } from "../view/health.ts";
import { type Html, markup } from "../frame/html.ts";
import { json } from "../view/json.ts";
import type { Page, View } from "../view/view.ts";

/** The event types: how many events, which schema, who takes them; and those in the log that nobody has defined. */
export async function catalogue(view: View): Promise<Page> {
  const found = await view.inspector.catalogue();
  const { types, unknown, complete, sampled } = found;
  return {
    title: "Catalogue",
    tab: "/catalogue",
    body: markup`<div class="head"><h1>Catalogue</h1><span class="facts">${
      view.format(types.length)
    } ${types.length === 1 ? "type" : "types"}${
      !complete && markup` · numbers are estimated from ${view.format(sampled)} positions`
    }</span></div>${unknown.length > 0 && unknowns(view, found)}${
      types.length === 0
        ? markup`<section class="panel"><div class="empty"><strong>The store was made with no event types</strong>Give it <code>events</code>, and their schemas appear here.</div></section>`
        : markup`<section class="panel" aria-label="Event types">${
          types.map((type) => entry(view, type, complete))
        }</section>`
    }`,
  };
}

function entry(view: View, type: InspectedType, complete: boolean): Html {
  const {
    version,
    aliases,
    versions,
    about,
    lastAt,
    sensitive,
    consumers,
    schema,
    reason,
    example,
  } = type;
  const older = versions.filter((stored) => stored.version < version);
  return markup`<div class="group"><header><div><a href="${view.to("/log", { type: type.type })}">${
    typeName(type.type)
  }</a> <span class="soft">${version > 1 && markup`schema version ${version}`}${
    aliases.length > 0 && markup` also stored as ${aliases.join(", ")}`
  }</span></div><span class="soft">${
    about === 0 && lastAt === undefined
      ? "none found"
      : markup`${!complete && "about "}${view.format(about)} ${about === 1 ? "event" : "events"}${
        lastAt && markup`, last ${ago(lastAt, view.now)}`
      }`
  }</span></header><p>${
    consumers.length > 0 && markup`<span class="soft">Taken by</span> ${
      consumers.map((consumer) => markup`<span class="tag">${consumerLink(view, consumer)}</span>`)
    }`
  }${
    sensitive.length > 0 && markup` <span class="soft">Hidden</span> ${
      sensitive.map((path) => markup`<span class="tag mono">${path}</span>`)
    }`
  }${
    older.length > 0 && markup` <span class="soft">Still stored as</span> ${
      older.map((stored) =>
        markup`<span class="tag">version ${stored.version}: ${view.format(stored.events)}</span>`
      )
    }`
  }</p><details><summary>Schema and example</summary>${
    schema === null
      ? markup`<p class="soft">${reason ?? "It has no schema."}</p>`
      : markup`<h3>Data, as it is stored</h3>${json(schema)}`
  }${
    example &&
    markup`<h3>The newest event</h3><div class="scroll">${eventTable(view, [example])}</div>`
  }</details></div>`;
}

function unknowns(view: View, { unknown, complete }: InspectedCatalogue): Html {
  return markup`<section class="panel" aria-labelledby="unknown"><header><h2 id="unknown">In the log, but not defined</h2></header><div class="scroll"><table><thead><tr><th scope="col">Type</th><th scope="col" class="right">Events</th><th scope="col" class="right">Last</th><th scope="col">Read as</th></tr></thead><tbody>${
    unknown.map(({ type, about, lastAt, retired }) =>
      markup`<tr><td><a href="${view.to("/log", { type })}">${
        typeName(type)
      }</a></td><td class="right">${!complete && "about "}${
        view.format(about)
      }</td><td class="right soft tight">${ago(lastAt, view.now)}</td><td class="soft">${
        retired ? "retired" : "unknown"
      }</td></tr>`
    )
  }</tbody></table></div></section>`;
}
