import type { InspectedParking } from "../../inspect/parked.ts";
import { consumerFields, type ConsumerId, consumerOf, consumerQuery, fields } from "./consumer.ts";
import { streamLink } from "./event.ts";
import { ago, duration } from "./format.ts";
import { consumerLink } from "./health.ts";
import { type Html, markup } from "../frame/html.ts";
import type { ParkedGroup } from "./parked.ts";
import { tenantOf, type View } from "./view.ts";

/** Shows parked streams with one cause, and what can be done for them. */
export function groupSection(view: View, group: ParkedGroup): Html {
  const { streams, error, retrying } = group;
  const consumer = consumerOf(group);
  const own = view.consumer(consumer);
  const first = streams[0]!;
  return markup`<div class="group"><header><div>${
    consumerLink(view, consumer)
  } <span class="soft">·</span> <strong>${view.format(streams.length)} ${
    streams.length === 1 ? "stream" : "streams"
  }</strong> <span class="${retrying ? "warn" : "bad"}">${
    retrying
      ? markup`tried again by ${streams.length === 1 ? "itself" : "themselves"}`
      : streams.length === 1
      ? "waits for you"
      : "wait for you"
  }</span><div class="error">${
    error ?? "No error: its event was given up, and it has not gone on yet"
  }</div></div>${
    own !== undefined && view.may("redrive") &&
    markup`<div class="actions"><form method="post" action="${view.to("/redrive")}">${
      consumerFields(consumer)
    }${fields({ group: group.group ?? "none", error: error ?? "" })}<button class="main">${
      streams.length === 1 ? "Try again" : markup`Try all ${view.format(streams.length)} again`
    }</button></form></div>`
  }</header><details${streams.length <= 3 && markup` open`}><summary>${
    streams.length === 1 ? "The stream" : "The streams"
  }, failed ${
    ago(first.failedAt, view.now)
  }</summary><div class="scroll"><table><thead><tr><th scope="col">Stream</th><th scope="col" class="right">Position</th><th scope="col" class="right">Behind it</th><th scope="col" class="right">Attempts</th><th scope="col" class="right">Failed</th><th scope="col" class="right">Next try</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead><tbody>${
    streams.slice(0, 100).map((parking) => row(view, parking, consumer, own !== undefined))
  }</tbody></table></div>${
    streams.length > 100 &&
    markup`<p class="soft small">and ${view.format(streams.length - 100)} more</p>`
  }</details></div>`;
}

function row(
  view: View,
  parking: InspectedParking,
  consumer: ConsumerId,
  own: boolean,
): Html {
  const { streamId, position, attempts, failedAt, dueAt, behind } = parking;
  const stream = { ...consumerQuery(consumer), stream: streamId, tenant: tenantOf(parking) };
  return markup`<tr><td>${streamLink(view, parking)}</td><td class="right"><a href="${
    view.to("/log", { before: position + 1 })
  }">${view.format(position)}</a></td><td class="right">${
    behind === undefined ? "" : behind < 100 ? view.format(behind) : "100 or more"
  }</td><td class="right">${view.format(attempts)}</td><td class="right soft tight">${
    ago(failedAt, view.now)
  }</td><td class="right soft tight">${
    dueAt === undefined ? "–" : `in ${duration(Math.max(0, dueAt.getTime() - view.now.getTime()))}`
  }</td><td class="right tight">${
    own &&
    markup`<span class="actions">${
      view.may("redrive") &&
      markup`<form method="post" action="${view.to("/redrive")}">${
        fields(stream)
      }<button>Try again</button></form>`
    }${
      view.may("discard") &&
      markup`<a class="button" href="${view.to("/discard", stream)}">Give up…</a>`
    }</span>`
  }</td></tr>`;
}
