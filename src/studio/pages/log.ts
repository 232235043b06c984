import { attempt } from "../view/attempt.ts";
import { eventTable, typeName } from "../view/event.ts";
import { instant } from "../view/format.ts";
import { type Html, markup } from "../frame/html.ts";
import { liveMark, liveOf } from "../view/live.ts";
import { tenantField } from "../view/tenant.ts";
import type { Page, View } from "../view/view.ts";

/** The log, newest first, by type, category, tag and time. */
export async function log(view: View): Promise<Page> {
  const [type, category, tag, at] = ["type", "category", "tag", "at"].map(view.param);
  const time = at === undefined
    ? undefined
    : new Date(/[zZ]|[+-]\d\d:?\d\d$/.test(at) ? at : `${at}Z`);
  const known = time !== undefined && !Number.isNaN(time.getTime());
  const before = view.number("before") ??
    (known ? await view.inspector.positionAt(time) + 1 : undefined);
  const { events, searchedTo, complete, head } = await view.inspector.log({
    before,
    types: type === undefined ? undefined : [type],
    categories: category === undefined ? undefined : [category],
    tags: tag === undefined ? undefined : [tag],
  });
  const recent = await attempt(view.inspector.types({ within: 1000 }));
  const filter = { type, category, tag };
  const filtered = type !== undefined || category !== undefined || tag !== undefined;
  const live = before === undefined ? liveOf(view, head) : undefined;
  const last = events.at(-1);
  return {
    title: "Log",
    tab: "/log",
    body: markup`<div class="head"><h1>Log</h1><span class="facts">${
      before === undefined
        ? markup`head ${view.format(head)}`
        : markup`before ${view.format(before)}, of ${view.format(head)}`
    }${known && markup`, around ${instant(time)} UTC`}</span>${live && liveMark()}</div>${
      filters(view, filter, at)
    }${
      recent && pills(view, filter, recent.types.map((found) => found.type))
    }<section class="panel" aria-label="Events"><div>${eventTable(view, events, live)}${
      events.length === 0 && markup`<div class="empty" data-none>${
        filtered
          ? markup`<strong>No event matches</strong>The search looked at the log back to position ${
            view.format(searchedTo)
          }.`
          : markup`<strong>No event yet</strong>Events appear here as soon as the application appends them.`
      }</div>`
    }</div><div class="more">${
      before !== undefined && markup`<a href="${view.to("/log", filter)}">Newest</a>`
    }${
      complete
        ? markup`<span class="side">This is the beginning of the log</span>`
        : markup`<span class="side">Searched back to ${view.format(searchedTo)}${
          last && markup` (${instant(new Date(last.stored.createdAt))} UTC)`
        }</span><a rel="next" href="${view.to("/log", { ...filter, before: searchedTo })}">${
          events.length === 0 ? "Search on" : "Older"
        }</a>`
    }</div></section>`,
  };
}

/** Links to the types of the newest events. */
function pills(
  view: View,
  filter: Readonly<Record<"type" | "category" | "tag", string | undefined>>,
  types: readonly string[],
): Html | false {
  return types.length > 1 &&
    markup`<nav class="pills" aria-label="Recent types">${
      types.slice(0, 16).map((type) =>
        markup`<a href="${
          view.to("/log", { ...filter, type: type === filter.type ? undefined : type })
        }"${type === filter.type && markup` aria-current="true"`}>${typeName(type)}</a>`
      )
    }</nav>`;
}

function filters(
  view: View,
  { type, category, tag }: Readonly<Record<"type" | "category" | "tag", string | undefined>>,
  at: string | undefined,
): Html {
  const field = (name: string, label: string, value: string | undefined, hint: string) =>
    markup`<label for="f-${name}">${label}<input id="f-${name}" name="${name}" value="${value}" placeholder="${hint}" autocomplete="off" spellcheck="false"></label>`;
  return markup`<form class="filters" action="${view.to("/log", { tenant: undefined })}">${
    tenantField(view)
  }${[
    field("type", "Type", type, ""),
    field("category", "Category", category, ""),
    field("tag", "Tag", tag, ""),
    field("at", "Around (UTC)", at, "2026-11-25 09:30"),
  ]}<button>Filter</button>${
    (type ?? category ?? tag ?? at) !== undefined &&
    markup`<a class="button" href="${view.to("/log")}">Clear</a>`
  }</form>`;
}
