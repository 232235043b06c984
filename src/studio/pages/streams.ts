import { streamLink, typeName } from "../view/event.ts";
import { fields } from "../view/consumer.ts";
import { ago } from "../view/format.ts";
import { type Html, markup } from "../frame/html.ts";
import type { Page, View } from "../view/view.ts";

/** Streams: those that were changed last, or by the beginning of their ids. */
export async function streams(view: View): Promise<Page> {
  const given = view.param("prefix")?.replace(/\*+$/, "");
  const list =
    given === undefined && view.param("after") === undefined && view.param("all") === undefined
      ? await latest(view)
      : await byPrefix(view, given);
  return {
    title: given === undefined ? "Streams" : `Streams ${given}…`,
    tab: "/streams",
    body: markup`<div class="head"><h1>Streams</h1><span class="facts">${
      given === undefined
        ? "changed last"
        : markup`whose id begins with <bdi class="mono">${given}</bdi>`
    }</span></div><form class="filters" action="${
      view.to("/streams")
    }"><label for="f-prefix">Id begins with<input id="f-prefix" name="prefix" value="${given}" placeholder="order:" autocomplete="off" spellcheck="false"></label>${
      fields({ tenant: view.tenant })
    }<button>List</button><a class="button" href="${
      view.to("/streams", { all: 1, tenant: view.tenant })
    }">All by id</a></form><section class="panel" aria-label="Streams">${list}</section>`,
  };
}

async function latest(view: View): Promise<Html> {
  const { streams, complete, searchedTo } = await view.inspector.touched({ limit: 50 });
  if (streams.length === 0) {
    return markup`<div class="empty"><strong>No stream yet</strong>A stream begins with its first event.</div>`;
  }
  return markup`<div class="scroll"><table><thead><tr><th scope="col">Stream</th><th scope="col" class="right">Version</th><th scope="col">Last event</th><th scope="col" class="right">Changed</th></tr></thead><tbody>${
    streams.map((stream) =>
      markup`<tr><td>${streamLink(view, stream)}</td><td class="right">${
        view.format(stream.version)
      }</td><td class="tight">${typeName(stream.type)}</td><td class="right soft tight">${
        ago(stream.updatedAt, view.now)
      }</td></tr>`
    )
  }</tbody></table></div><div class="more"><span>${
    complete
      ? "These are all streams"
      : markup`Among the events since position ${view.format(searchedTo)}`
  }</span><a class="side" href="${view.to("/streams", { all: 1 })}">All streams by id</a></div>`;
}

async function byPrefix(view: View, prefix: string | undefined): Promise<Html> {
  const { streams, complete } = await view.inspector.streams({
    prefix,
    after: view.param("after"),
  });
  if (streams.length === 0) {
    return markup`<div class="empty"><strong>No stream begins with “<bdi>${
      prefix ?? ""
    }</bdi>”</strong>Ids are compared letter by letter: try the category, such as <code>order:</code>.</div>`;
  }
  const tenantId = view.tenant ?? "";
  const last = streams.at(-1)!;
  return markup`<div class="scroll"><table><thead><tr><th scope="col">Stream</th><th scope="col" class="right">Version</th><th scope="col" class="right">Begun</th><th scope="col" class="right">Changed</th></tr></thead><tbody>${
    streams.map((stream) =>
      markup`<tr><td>${streamLink(view, { ...stream, tenantId })}</td><td class="right">${
        view.format(stream.version)
      }</td><td class="right soft tight">${
        ago(stream.createdAt, view.now)
      }</td><td class="right soft tight">${ago(stream.updatedAt, view.now)}</td></tr>`
    )
  }</tbody></table></div><div class="more">${
    complete
      ? markup`<span>These are all</span>`
      : markup`<a class="side" rel="next" href="${
        view.to("/streams", { prefix, all: 1, after: last.streamId, tenant: view.tenant })
      }">More</a>`
  }</div>`;
}
