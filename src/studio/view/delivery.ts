import type { InspectedDelivery } from "../../inspect/consumers.ts";
import { type Html, markup } from "../frame/html.ts";
import { consumerOf } from "./consumer.ts";
import { consumerLink } from "./health.ts";
import type { View } from "./view.ts";

/** Lists the consumers that take an event, with what became of it. */
export function deliveryList(view: View, deliveries: readonly InspectedDelivery[]): Html {
  return markup`<section class="panel" aria-labelledby="handlers"><header><h2 id="handlers">Consumers</h2><span class="side">that take such events</span></header>${
    deliveries.length === 0
      ? markup`<div class="empty">No registered consumer takes it.</div>`
      : markup`<table><tbody>${
        deliveries.map((delivery) =>
          markup`<tr><th scope="row">${
            consumerLink(view, consumerOf(delivery))
          }</th><td class="right">${stateOf(view, delivery)}</td></tr>`
        )
      }</tbody></table><p class="pad soft small">Handled: the consumer is past it. An event that was skipped or given up counts, too, and one from before the consumer began.</p>`
  }</section>`;
}

/** Says what became of an event at a consumer. */
export function deliveryWord(view: View, delivery: InspectedDelivery): Html {
  return markup`<span class="tag">${consumerLink(view, consumerOf(delivery))} ${
    stateOf(view, delivery)
  }</span>`;
}

function stateOf(view: View, { state, parking }: InspectedDelivery): Html {
  switch (state) {
    case "handled":
      return markup`<span class="good">handled</span>`;
    case "held up":
      return markup`<span class="warn">held up by ${view.format(parking!.position)}</span>`;
    case "to come":
      return markup`<span class="soft">to come</span>`;
    default:
      return markup`<span class="${state === "parked" ? "bad" : "warn"}">${state}</span>`;
  }
}
