import { barsOf, chart, chartTable, type Window, windows } from "../view/chart.ts";
import { eventTable } from "../view/event.ts";
import { ago } from "../view/format.ts";
import { consumerTable } from "../view/health.ts";
import { type Html, markup } from "../frame/html.ts";
import { liveMark, liveOf } from "../view/live.ts";
import type { Page, View } from "../view/view.ts";
import { attempt } from "../view/attempt.ts";

/** The first page: how much, how fast, who is behind, and what happened last. */
export async function overview(view: View): Promise<Page> {
  const window = windows.find(({ name }) => name === view.param("window")) ?? windows[0]!;
  const { inspector, registry, now } = view;
  const since = new Date(now.getTime() - window.length);
  const [log, parts, consumers] = await Promise.all([
    inspector.log({ limit: 12 }),
    attempt(inspector.rate({ since, until: now, buckets: 120 })),
    attempt(registry.consumers()),
  ]);
  const bars = barsOf(parts ?? [], since, now, window.bars);
  const total = Math.round(bars.reduce((sum, bar) => sum + bar, 0));
  const busiest = Math.round(Math.max(...bars));
  const needs = (consumers ?? []).reduce(
    (sum, { parked, error }) => sum + parked + Number(error !== undefined),
    0,
  );
  const newest = log.events[0];
  const tile = (name: string, value: string, note: Html | string, calls: boolean = false) =>
    markup`<div><dt>${name}</dt><dd${
      calls && markup` class="bad"`
    }>${value}<small>${note}</small></dd></div>`;
  return {
    title: "Overview",
    tab: "/",
    body: markup`<h1 class="hidden">Overview</h1><dl class="tiles">${[
      tile(
        "Head of the log",
        view.format(log.head),
        newest === undefined
          ? "No event yet"
          : markup`last event ${ago(new Date(newest.stored.createdAt), now)}`,
      ),
      tile(
        `Last ${nameOf(window)}`,
        parts === undefined ? "–" : view.format(total),
        total === 1 ? "event" : "events",
      ),
      tile(
        `Busiest ${window.unit}`,
        parts === undefined ? "–" : view.format(busiest),
        busiest === 1 ? "event" : "events",
      ),
      tile(
        "Needs you",
        consumers === undefined ? "–" : view.format(needs),
        needs === 0
          ? "nothing is parked"
          : markup`<a href="${view.to("/parked")}">look after them</a>`,
        needs > 0,
      ),
    ]}</dl>${parts !== undefined && rateOf(view, bars, since, window, total)}${
      consumers !== undefined &&
      markup`<section class="panel" aria-labelledby="consumers"><header><h2 id="consumers">Consumers</h2></header>${
        consumers.length === 0
          ? markup`<div class="empty"><strong>No consumer has run yet</strong>An outbox, a subscription or a projection appears here after its first run.</div>`
          : consumerTable(view, consumers)
      }</section>`
    }<section class="panel" aria-labelledby="latest"><header><h2 id="latest">Latest events</h2>${liveMark()}<span class="side"><a href="${
      view.to("/log")
    }">the whole log</a></span></header>${eventTable(view, log.events, liveOf(view, log.head))}${
      newest === undefined &&
      markup`<div class="empty" data-none><strong>The log is empty</strong>Events appear here as soon as the application appends them.</div>`
    }</section>`,
  };
}

function rateOf(
  view: View,
  bars: readonly number[],
  since: Date,
  window: Window,
  total: number,
): Html {
  const sentence = `Events in the last ${nameOf(window)}: ${view.format(total)}, at most ${
    view.format(Math.round(Math.max(...bars)))
  } in ${window.unit === "minute" ? "a minute" : window.unit}`;
  return markup`<section class="panel" aria-labelledby="rate"><header><h2 id="rate">Events by ${window.unit}</h2><span class="side choices">${
    windows.map((each) =>
      markup`<a href="${view.to("/", { window: each === windows[0] ? undefined : each.name })}"${
        each === window && markup` aria-current="true"`
      }>${each.name}</a>`
    )
  }</span></header><div class="pad">${chart(bars, sentence)}<div class="axis"><span>${
    window.name.replace("h", " h").replace("d", " d")
  } ago</span><span>now</span></div>${
    chartTable(bars, since, window, view.format)
  }</div></section>`;
}

function nameOf({ name }: Window): string {
  return name === "1h" ? "hour" : name.replace("h", " hours").replace("d", " days");
}
