import { consumerTable } from "../view/health.ts";
import { markup } from "../frame/html.ts";
import type { Page, View } from "../view/view.ts";

/** All consumers that are registered in the database. */
export async function consumers(view: View): Promise<Page> {
  const found = await view.registry.consumers();
  return {
    title: "Consumers",
    tab: "/consumers",
    body: markup`<div class="head"><h1>Consumers</h1><span class="facts">${
      view.format(found.length)
    } registered</span></div><section class="panel" aria-label="Consumers">${
      found.length === 0
        ? markup`<div class="empty"><strong>No consumer has run yet</strong>An outbox, a subscription or a projection appears here after its first run.</div>`
        : consumerTable(view, found)
    }</section>`,
  };
}
