import type { InspectedParking } from "../../inspect/parked.ts";
import { consumerFields, consumerQuery, fields } from "../view/consumer.ts";
import { streamLink } from "../view/event.ts";
import { ago, duration } from "../view/format.ts";
import { consumerLink } from "../view/health.ts";
import { type Html, html } from "../view/html.ts";
import { grouped, type ParkedGroup } from "../view/parked.ts";
import { type Page, tenantOf, type View } from "../view/view.ts";

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
    body: html`<div class="head"><h1>Parked</h1><span class="facts">${
      name !== undefined && html`for <bdi>${name}</bdi> · <a href="${view.to("/parked")}">of all consumers</a>`
    }</span></div>${
      groups.length === 0
        ? html`<section class="panel"><div class="empty"><strong>Nothing is parked</strong>When an event fails as often as its consumer allows, its stream waits here, and the others go on.</div></section>`
        : html`<section class="panel" aria-label="Parked streams">${groups.map((group) => section(view, group))}${
          next && html`<div class="more"><a class="side" rel="next" href="${
            view.to("/parked", { consumer: name, after: JSON.stringify(next) })
          }">More</a></div>`
        }</section>`
    }`,
  };
}

function section(view: View, group: ParkedGroup): Html {
  const { streams, error, retrying } = group;
  const consumer = { name: group.consumer, version: group.version, tenantId: group.consumerTenantId };
  const own = view.consumer(consumer);
  const first = streams[0]!;
  return html`<div class="group"><header><div>${consumerLink(view, consumer)} <span class="soft">·</span> <strong>${
    view.format(streams.length)
  } ${streams.length === 1 ? "stream" : "streams"}</strong> <span class="${retrying ? "warn" : "bad"}">${
    retrying ? html`tried again by ${streams.length === 1 ? "itself" : "themselves"}` : "waits for you"
  }</span><div class="error">${error ?? "No error: its event was given up, and it has not gone on yet"}</div></div>${
    own !== undefined && view.may("redrive") && html`<div class="actions"><form method="post" action="${view.to("/redrive")}">${
      consumerFields(consumer)
    }${fields({ error: error ?? "", group: 1 })}<button class="main">Try again${
      streams.length > 1 && html` <span>all ${view.format(streams.length)}</span>`
    }</button></form></div>`
  }</header><details${streams.length <= 3 && html` open`}><summary>${
    streams.length === 1 ? "The stream" : html`The ${view.format(streams.length)} streams`
  }, since ${ago(first.failedAt, view.now)}</summary><div class="scroll"><table><thead><tr><th scope="col">Stream</th><th scope="col" class="right">Position</th><th scope="col" class="right">Attempts</th><th scope="col" class="right">Failed</th><th scope="col" class="right">Next try</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead><tbody>${
    streams.slice(0, 100).map((parking) => row(view, parking, consumer, own !== undefined))
  }</tbody></table></div>${streams.length > 100 && html`<p class="soft small">and ${view.format(streams.length - 100)} more</p>`}</details></div>`;
}

function row(
  view: View,
  parking: InspectedParking,
  consumer: Parameters<typeof consumerQuery>[0],
  own: boolean,
): Html {
  const { streamId, position, attempts, failedAt, dueAt } = parking;
  const stream = { ...consumerQuery(consumer), stream: streamId, tenant: tenantOf(parking) };
  return html`<tr><td>${streamLink(view, parking)}</td><td class="right"><a href="${
    view.to("/log", { before: position + 1 })
  }">${view.format(position)}</a></td><td class="right">${view.format(attempts)}</td><td class="right soft tight">${
    ago(failedAt, view.now)
  }</td><td class="right soft tight">${
    dueAt === undefined ? "–" : `in ${duration(Math.max(0, dueAt.getTime() - view.now.getTime()))}`
  }</td><td class="right tight">${
    own && html`<span class="actions">${
      view.may("redrive") && html`<form method="post" action="${view.to("/redrive")}">${fields(stream)}<button>Try again</button></form>`
    }${view.may("discard") && html`<a class="button" href="${view.to("/discard", stream)}">Give up…</a>`}</span>`
  }</td></tr>`;
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
