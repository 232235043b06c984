import type { InspectedEvent } from "../../inspect/event.ts";
import { attempt } from "../view/attempt.ts";
import { eventBody, eventTable, streamLink, typeName } from "../view/event.ts";
import { at } from "../view/format.ts";
import { deliveryList } from "../view/delivery.ts";
import { markup } from "../frame/html.ts";
import { missing } from "../view/missing.ts";
import { type Page, tenantOf, type View } from "../view/view.ts";

/** Everything of one event: its data, where it comes from, where it led, and who has handled it. */
export async function event(view: View): Promise<Page> {
  const { inspector, registry } = view;
  const id = view.param("id") ?? "";
  const found = id === "" ? undefined : await inspector.event(id);
  if (found === undefined) {
    return missing(
      view,
      "There is no such event",
      "Its stream was deleted, or it belongs to another tenant.",
    );
  }
  const { stored } = found;
  const { streamId, version, position } = stored;
  const tenant = tenantOf(stored);
  const cause = stored.metadata["causationId"];
  const [before, after, causes, effects, deliveries] = await Promise.all([
    inspector.log({ streamId, before: position, limit: 1 }),
    inspector.log({ streamId, after: position, limit: 1 }),
    typeof cause === "string" && cause !== "" ? inspector.event(cause) : undefined,
    attempt(inspector.caused(id, { limit: 200 })),
    attempt(registry.deliveries(stored)),
  ]);
  const neighbour = (event: InspectedEvent | undefined, key: "older" | "newer") =>
    event &&
    markup`<a class="button" ${key === "older" ? markup`data-older` : markup`data-newer`} href="${
      view.to("/event", { id: event.stored.id, tenant })
    }">${
      key === "older" ? "‹ Previous" : "Next ›"
    }<span class="hidden"> event of the stream</span></a>`;
  return {
    title: `${stored.type} ${position}`,
    tab: "/log",
    body: markup`<div class="head"><span class="crumb">${
      streamLink(view, stored, { at: version })
    } / version ${view.format(version)}</span><h1>${
      typeName(stored.type)
    }</h1><span class="facts">${
      at(new Date(stored.createdAt))
    } UTC</span><span class="side actions">${neighbour(before.events[0], "older")}${
      neighbour(after.events[0], "newer")
    }${
      view.reveals && view.param("reveal") === undefined &&
      markup`<a class="button" href="${
        view.to("/event", { id, tenant, reveal: 1 })
      }">Reveal hidden fields</a>`
    }</span></div><div class="pair"><section class="panel" aria-labelledby="data"><header><h2 id="data">Data</h2></header><div class="pad">${
      eventBody(view, found)
    }</div></section><aside>${deliveryList(view, deliveries ?? [])}</aside></div>${
      typeof cause === "string" &&
      markup`<section class="panel" aria-labelledby="cause"><header><h2 id="cause">Caused by</h2></header>${
        causes === undefined
          ? markup`<div class="empty">The event <bdi class="mono">${cause}</bdi> is not in this store.</div>`
          : eventTable(view, [causes])
      }</section>`
    }${
      effects !== undefined &&
      markup`<section class="panel" aria-labelledby="effects"><header><h2 id="effects">What it caused</h2><span class="side"><a href="${
        view.to("/trace", { id: String(stored.metadata["correlationId"] ?? id), tenant })
      }">the whole trace</a></span></header>${
        effects.events.length === 0
          ? markup`<div class="empty">No event names this one as its cause${
            !effects.complete && " among the next 200 of its trace"
          }.</div>`
          : eventTable(view, effects.events)
      }</section>`
    }`,
  };
}
