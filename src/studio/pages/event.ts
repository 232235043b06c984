import { categoryOf } from "../../event/stream.ts";
import type { InspectedConsumer } from "../../inspect/consumers.ts";
import type { InspectedEvent } from "../../inspect/event.ts";
import { attempt } from "../view/attempt.ts";
import { eventBody, eventTable, streamLink, typeName } from "../view/event.ts";
import { at } from "../view/format.ts";
import { consumerLink } from "../view/health.ts";
import { type Html, markup } from "../frame/html.ts";
import { missing } from "../view/missing.ts";
import { parkedOf } from "../view/parked.ts";
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
  const [before, after, causes, effects, consumers, waits] = await Promise.all([
    inspector.log({ streamId, before: position, limit: 1 }),
    inspector.log({ streamId, after: position, limit: 1 }),
    typeof cause === "string" && cause !== "" ? inspector.event(cause) : undefined,
    attempt(inspector.caused(id, { limit: 200 })),
    attempt(registry.consumers()),
    parkedOf(view, streamId, stored.tenantId),
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
    }</div></section><aside>${handlers(view, found, consumers ?? [], waits)}</aside></div>${
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

function handlers(
  view: View,
  { stored }: InspectedEvent,
  consumers: readonly InspectedConsumer[],
  waits: Awaited<ReturnType<typeof parkedOf>>,
): Html {
  const wanting = consumers.filter(({ filter, tenantId }) =>
    (filter.types?.includes(stored.type) ?? true) &&
    (filter.categories?.includes(categoryOf(stored.streamId)) ?? true) &&
    (tenantId === undefined || tenantId === stored.tenantId) &&
    (!filter.published || stored.published)
  );
  return markup`<section class="panel" aria-labelledby="handlers"><header><h2 id="handlers">Consumers</h2><span class="side">that take such events</span></header>${
    wanting.length === 0
      ? markup`<div class="empty">No registered consumer takes it.</div>`
      : markup`<table><tbody>${
        wanting.map((consumer) => {
          const parking = waits.find((row) =>
            row.consumer === consumer.name && row.version === consumer.version &&
            row.consumerTenantId === consumer.tenantId && row.position <= stored.position
          );
          return markup`<tr><th scope="row">${consumerLink(view, consumer)}</th><td class="right">${
            parking !== undefined
              ? parking.position === stored.position
                ? markup`<span class="bad">parked</span>`
                : markup`<span class="warn">waits behind ${view.format(parking.position)}</span>`
              : consumer.position >= stored.position
              ? markup`<span class="good">passed</span>`
              : markup`<span class="soft">not yet</span>`
          }</td></tr>`;
        })
      }</tbody></table>`
  }</section>`;
}
