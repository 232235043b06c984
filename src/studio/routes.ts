import { catalogue } from "./pages/catalogue.ts";
import { discard, rebuild } from "./pages/confirm.ts";
import { consumer } from "./pages/consumer.ts";
import { consumers } from "./pages/consumers.ts";
import { event } from "./pages/event.ts";
import { find } from "./pages/find.ts";
import { lag } from "./pages/lag.ts";
import { log } from "./pages/log.ts";
import { overview } from "./pages/overview.ts";
import { parked } from "./pages/parked.ts";
import { stream } from "./pages/stream.ts";
import { streams } from "./pages/streams.ts";
import { trace } from "./pages/trace.ts";
import type { ActionName, PageMaker } from "./view/view.ts";

/**
 * The pages. Ids are in the query, not in the path: there, `..` would name another page, and proxies decode `%2F`.
 */
export const pages: ReadonlyMap<string, PageMaker> = new Map<string, PageMaker>([
  ["/", overview],
  ["/log", log],
  ["/streams", streams],
  ["/stream", stream],
  ["/event", event],
  ["/trace", trace],
  ["/consumers", consumers],
  ["/consumer", consumer],
  ["/lag", lag],
  ["/parked", parked],
  ["/discard", discard],
  ["/rebuild", rebuild],
  ["/catalogue", catalogue],
  ["/find", find],
]);

/** What can be done, each where its form is sent. */
export const forms: ReadonlyMap<string, ActionName> = new Map<string, ActionName>([
  ["/redrive", "redrive"],
  ["/discard", "discard"],
  ["/rebuild", "rebuild"],
  ["/forget", "forget"],
]);

/** Returns the path of a page, with or without the path under which the studio is mounted. */
export function pathOf(pathname: string, basePath: string): string {
  const inner = pathname === basePath || pathname.startsWith(`${basePath}/`)
    ? pathname.slice(basePath.length)
    : pathname;
  return inner.replace(/\/+$/, "") || "/";
}
