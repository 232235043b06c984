import { markup } from "../frame/html.ts";
import type { Page, View } from "./view.ts";

/** The page for what is not there. */
export function missing(view: View, what: string, why: string): Page {
  return {
    title: "Not found",
    status: 404,
    body:
      markup`<div class="head"><h1>${what}</h1></div><div class="panel"><div class="empty"><strong>Nothing to show</strong>${why}</div></div><p><a href="${
        view.to("/")
      }">Back to the overview</a></p>`,
  };
}
