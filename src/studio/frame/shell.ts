import { type Content, type Html, markup } from "./html.ts";
import { script } from "./script.ts";
import { style } from "./style.ts";
import { tenantField, tenantPicker } from "../view/tenant.ts";
import type { Page, View } from "../view/view.ts";

const tabs: readonly (readonly [path: string, name: string, key: string])[] = [
  ["/", "Overview", "o"],
  ["/log", "Log", "l"],
  ["/streams", "Streams", "s"],
  ["/consumers", "Consumers", "c"],
  ["/parked", "Parked", "p"],
  ["/catalogue", "Catalogue", "t"],
];

const keys: readonly (readonly [keys: readonly string[], meaning: string])[] = [
  [["/"], "Find"],
  [["j", "k"], "Next and previous event"],
  [["Enter"], "Open it"],
  [["[", "]"], "Previous and next version"],
  [["g", "o"], "Overview; then l, s, c, p, t: log, streams, consumers, parked, catalogue"],
];

const mark =
  markup`<svg viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"><path d="M4 5h7M4 10h12M4 15h5"/><circle cx="15.5" cy="5" r="1.4" fill="currentColor" stroke="none"/><circle cx="13.5" cy="15" r="1.4" fill="currentColor" stroke="none"/></svg>`;

/** What the shell shows besides a page. */
interface Frame {
  /** How many consumers and streams need a person. */
  readonly needs: number;
  /** What became of the last action. */
  readonly notice: string | undefined;
  /** Whether this visitor may change anything. */
  readonly acts: boolean;
}

/** Puts header, navigation and footer around a page. */
export function shell(view: View, page: Page, { needs, notice, acts }: Frame): Html {
  const tab = ([path, name, key]: (typeof tabs)[number]): Content =>
    markup`<a href="${view.to(path)}" data-go="${key}"${
      page.tab === path && markup` aria-current="page"`
    }>${name}${
      path === "/parked" && needs > 0 &&
      markup` <span class="badge">${view.format(needs)}<span class="hidden"> need you</span></span>`
    }</a>`;
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${page.title} · ${view.title}</title><style>${style}</style></head><body><a class="skip" href="#main">Skip to the content</a><header class="top"><div><a class="brand" href="${
    view.to("/")
  }">${mark}${view.title}</a><nav class="tabs" aria-label="Pages">${tabs.map(tab)}</nav>${
    tenantPicker(view, page.tab ?? "/")
  }<form class="find" role="search" action="${view.to("/find", { tenant: undefined })}">${
    tenantField(view)
  }<label class="hidden" for="find">Find a stream, an event, a trace or a position</label><input id="find" name="q" type="search" placeholder="Stream, event, trace, #position" autocomplete="off" spellcheck="false"><kbd aria-hidden="true">/</kbd></form></div></header><main id="main">${
    notice !== undefined && markup`<div class="note done" role="status">${notice}</div>`
  }${page.body}</main><footer class="foot"><span>${acts ? "Actions allowed" : "Read-only"}</span>${
    view.shape && markup`<span>Data by type and length</span>`
  }<span>Times are UTC</span><span class="side"><button type="button" data-keys data-script hidden>Keys <kbd>?</kbd></button></span></footer><dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2><dl>${
    keys.map(([names, meaning]) =>
      markup`<dt>${names.map((name) => markup`<kbd>${name}</kbd> `)}</dt><dd>${meaning}</dd>`
    )
  }</dl><form method="dialog"><button>Close</button></form></dialog><script>${script}</script></body></html>`;
}
