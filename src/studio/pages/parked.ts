import { groupSection } from "../view/group.ts";
import { markup } from "../frame/html.ts";
import { grouped } from "../view/parked.ts";
import type { Page, View } from "../view/view.ts";

/** The parked streams, those with one cause together. */
export async function parked(view: View): Promise<Page> {
  const name = view.param("consumer");
  const after = cursorOf(view.param("after"));
  const { streams, next } = await view.registry.parked({
    consumer: name === undefined ? undefined : { name },
    after,
    limit: 500,
  });
  const groups = grouped(streams);
  return {
    title: "Parked",
    tab: "/parked",
    body: markup`<div class="head"><h1>Parked</h1><span class="facts">${
      streams.length > 0 &&
      markup`${view.format(streams.length)}${next && " or more"} ${
        streams.length === 1 ? "stream" : "streams"
      }`
    }${
      name !== undefined &&
      markup` for <bdi>${name}</bdi> · <a href="${view.to("/parked")}">of all consumers</a>`
    }</span></div>${
      groups.length === 0
        ? markup`<section class="panel"><div class="empty"><strong>Nothing is parked</strong>When an event fails as often as its consumer allows, its stream waits here, and the others go on.</div></section>`
        : markup`<section class="panel" aria-label="Parked streams">${
          groups.map((group) => groupSection(view, group))
        }${
          next &&
          markup`<div class="more"><a class="side" rel="next" href="${
            view.to("/parked", { consumer: name, after: JSON.stringify(next) })
          }">More</a></div>`
        }</section>`
    }`,
  };
}

function cursorOf(text: string | undefined): ReturnType<typeof parse> {
  return text === undefined ? undefined : parse(text);
}

/** Reads where a page begins; one that does not parse begins at the first. */
function parse(text: string) {
  try {
    const { consumerTenantId, consumer, version, tenantId, streamId } = JSON.parse(text);
    return {
      consumerTenantId: consumerTenantId === undefined ? undefined : String(consumerTenantId),
      consumer: String(consumer),
      version: Number(version),
      tenantId: String(tenantId),
      streamId: String(streamId),
    };
  } catch {
    return undefined;
  }
}
