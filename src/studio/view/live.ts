import type { Live } from "./event.ts";
import { type Html, markup } from "../frame/html.ts";
import type { View } from "./view.ts";

/** The mark beside a list that grows by itself; the script shows and changes it. */
export function liveMark(): Html {
  return markup`<span id="live" class="live soft small" data-script hidden role="status"><svg viewBox="0 0 8 8" aria-hidden="true"><circle cx="4" cy="4" r="4" fill="currentColor"/></svg><span>Connecting</span></span>`;
}

/** Where the rows of a list come from that begins at the head of the log. */
export function liveOf(view: View, head: number): Live {
  const [type, category, tag] = ["type", "category", "tag"].map(view.param);
  const address = view.to("/live", { type, category, tag, tenant: view.tenant });
  return { address: address.includes("?") ? address : `${address}?`, after: head };
}
