import { isEventSourceryError } from "../../../mod.ts";
import { markup } from "../frame/html.ts";
import type { Page, View } from "../view/view.ts";

/** The page for an error that the reader can do something about; undefined for any other. */
export function problem(view: View, error: unknown): Page | undefined {
  if (!isEventSourceryError(error)) return undefined;
  const { code, message, retryable } = error;
  if (code === "UNSUPPORTED") return page(view, 501, "This driver cannot show it", message, code);
  if (code === "MISSING_SCHEMA" || code === "OUTDATED_SCHEMA" || code === "NEWER_SCHEMA") {
    return page(view, 503, "The tables do not fit", message, code);
  }
  if (!retryable && code !== "DRIVER") return page(view, 500, "It did not work", message, code);
  return {
    ...page(view, 503, "The database cannot be asked", message, code),
    headers: { "retry-after": "5" },
    refresh: 5,
  };
}

function page(
  view: View,
  status: number,
  title: string,
  message: string,
  code: string,
): Page {
  const unready = code === "MISSING_SCHEMA" || code === "OUTDATED_SCHEMA";
  return {
    title,
    status,
    body:
      markup`<div class="head"><h1>${title}</h1></div><div class="note fault"><strong>${code}</strong><pre class="error">${message}</pre></div>${
        unready &&
        markup`<p>Run <code>await driver.migrate()</code> once where the application is deployed, then load this page again.</p>`
      }<p><a href="${view.to("/")}">Overview</a></p>`,
  };
}
