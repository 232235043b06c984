import {
  consumers as listConsumers,
  type Event,
  type EventStore,
  type StreamKey,
} from "../../mod.ts";
import { checkFunction, checkObject } from "../errors/check.ts";
import { inspect } from "../inspect/inspect.ts";
import { perform } from "./actions.ts";
import { isOwn } from "./guard.ts";
import { secureHeaders } from "./headers.ts";
import { liveRows } from "./live.ts";
import { noticeOf } from "./notice.ts";
import type { StudioAction, StudioOptions, StudioRole } from "./options.ts";
import { problem } from "./pages/problem.ts";
import { Rebuilds } from "./rebuilds.ts";
import { forms, pages, pathOf } from "./routes.ts";
import { Tail } from "./tail.ts";
import { attempt } from "./view/attempt.ts";
import { missing } from "./view/missing.ts";
import { shell } from "./frame/shell.ts";
import type { Page, View } from "./view/view.ts";
import { makeView, readSettings } from "./settings.ts";

/** The most viewers of live rows at a time. */
const mostViewers = 50;
/** The longest form, in characters. */
const longestForm = 20_000;

/**
 * Makes a browser for a store: a handler of HTTP requests for Hono, `Deno.serve`, `Bun.serve`, Workers and whatever else
 * takes one. Its pages work without JavaScript, load nothing from elsewhere, and forbid everything else by their
 * `content-security-policy`; a middleware must not set another one. Nothing is changed by looking.
 *
 * @param store The store; scoped to a tenant, only that tenant is shown.
 * @param options Who may see it, and what they may do.
 * @returns The handler. It throws what `authorize`, `links` and `onAction` throw.
 * @throws {TypeError | RangeError} If an option is missing or malformed.
 *
 * @category Studio
 *
 * @example Look into a store with a browser
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import { basicAuth, studio } from "event-sourcery/studio";
 * import assert from "node:assert/strict";
 *
 * const store = new EventStore(memory(), { events: [defineEvent("Paid")] });
 * const handler = studio(store, {
 *   authorize: basicAuth({ user: "ops", password: "secret" }),
 *   basePath: "/studio",
 * });
 *
 * // Deno.serve(handler), Bun.serve({ fetch: handler }), app.all("/studio/*", ({ req }) => handler(req.raw))
 * const headers = { authorization: `Basic ${btoa("ops:secret")}` };
 * const page = await handler(new Request("http://localhost/studio", { headers }));
 * assert.match(await page.text(), /The log is empty/);
 * ```
 */
export function studio<E extends Event, Db>(
  store: EventStore<E, Db>,
  options: StudioOptions,
): (request: Request) => Promise<Response> {
  const { authorize, onAction } = checkObject("options", options);
  checkFunction("authorize", authorize);
  if (onAction !== undefined) checkFunction("onAction", onAction);
  const settings = readSettings(options);
  const base = store as unknown as EventStore; // events of any type are events
  const { consumers, aggregates, budget, data, maxAge, toJsonSchema } = options;
  const inspection = { consumers, aggregates, budget, data, maxAge, toJsonSchema };
  const masked = inspect(base, { ...inspection, sensitive: "mask" });
  const tail = new Tail(masked);
  const rebuilds = new Rebuilds();
  let viewers = 0;

  const announce = async (action: StudioAction) => void await onAction?.(action);

  return async (request) => {
    const role = await authorize(request);
    if (role instanceof Response) return role;
    const headers = await secureHeaders();
    if (!isRole(role)) return plain(403, "You may not see this.", headers);
    const url = new URL(request.url);
    const path = pathOf(url.pathname, settings.basePath);
    const view = viewOf(url.searchParams, role);
    if (view === undefined) return plain(404, "There is no such tenant here.", headers);
    try {
      if (request.method === "POST") return await act(request, path, role, headers);
      if (request.method !== "GET" && request.method !== "HEAD") {
        return plain(405, "Only GET and POST are known here.", {
          ...headers,
          allow: "GET, HEAD, POST",
        });
      }
      if (path === "/live") return watch(request, view, headers);
      const seen = await revealed(request, path, view);
      const make = pages.get(path);
      const page = make === undefined
        ? missing(view, "There is no such page", "The address may be misspelt.")
        : await make(seen);
      return page instanceof Response
        ? withHeaders(page, headers)
        : await send(view, page, headers);
    } catch (error) {
      const page = problem(view, error);
      if (page === undefined) throw error;
      return await send(view, page, headers, true);
    }
  };

  function viewOf(params: URLSearchParams, role: StudioRole): View | undefined {
    const view = makeView(settings, { params, role, inspector: masked, rebuilds });
    if (view.tenant === undefined) return view;
    const scoped = scope(base, view.tenant);
    return scoped && { ...view, inspector: inspect(scoped, { ...inspection, sensitive: "mask" }) };
  }

  /** Has the page of an event see all of its data, where the visitor may and has asked for them. */
  async function revealed(request: Request, path: string, view: View): Promise<View> {
    const eventId = view.param("id");
    if (path !== "/event" || !view.reveals || view.param("reveal") === undefined) return view;
    await announce({ name: "reveal", request, consumer: undefined, streams: [], eventId });
    const scoped = view.tenant === undefined ? base : scope(base, view.tenant)!;
    const inspector = inspect(scoped, { ...inspection, data: "values" });
    return { ...view, inspector, shape: false };
  }

  async function act(
    request: Request,
    path: string,
    role: StudioRole,
    headers: Record<string, string>,
  ): Promise<Response> {
    const name = forms.get(path);
    if (name === undefined) return plain(404, "There is nothing to be done here.", headers);
    if (!isOwn(request, settings.origins)) {
      return plain(403, "This was sent by another site, so nothing was done.", headers);
    }
    const text = await request.text();
    if (text.length > longestForm) return plain(413, "This form is too long.", headers);
    const form = viewOf(new URLSearchParams(text), role);
    if (form === undefined || !form.may(name)) return plain(403, "You may not do this.", headers);
    const outcome = await perform(name, form, {
      store: base,
      rebuilds,
      announce: (name, { name: consumer, version }, streams: readonly StreamKey[]) =>
        announce({
          name,
          request,
          consumer: { name: consumer, version },
          streams,
          eventId: undefined,
        }),
    });
    if (outcome === undefined) return plain(404, "This process has no such consumer.", headers);
    const location = form.to(outcome.page, outcome.query);
    return new Response(null, { status: 303, headers: { ...headers, location } });
  }

  function watch(request: Request, view: View, headers: Record<string, string>): Response {
    if (viewers >= mostViewers) {
      return plain(503, "Too many are watching.", { ...headers, "retry-after": "30" });
    }
    const type = { "content-type": "text/event-stream; charset=utf-8" };
    if (request.method === "HEAD") return new Response(null, { headers: { ...headers, ...type } });
    const last = request.headers.get("last-event-id");
    const after = Number(last ?? "") || (view.number("after") ?? 0);
    const [name, category, tag] = ["type", "category", "tag"].map(view.param);
    const one = (value: string | undefined) => value === undefined ? undefined : [value];
    const wanted = {
      types: one(name),
      categories: one(category),
      tags: one(tag),
      tenantId: view.tenant,
    };
    viewers++;
    const rows = liveRows(
      view,
      tail,
      after,
      { ...wanted, signal: request.signal },
      () => viewers--,
    );
    return new Response(rows, { headers: { ...headers, ...type } });
  }

  async function send(
    view: View,
    page: Page,
    headers: Record<string, string>,
    failed: boolean = false,
  ): Promise<Response> {
    const refresh = page.refresh ?? refreshOf(view);
    const frame = {
      needs: failed ? 0 : await needs(base),
      notice: noticeOf(view),
      acts: settings.actions.some((action) => view.may(action)),
    };
    return new Response(shell(view, page, frame).toString(), {
      status: page.status ?? 200,
      headers: {
        ...headers,
        ...page.headers,
        ...(refresh === undefined ? {} : { refresh: String(refresh) }),
        "content-type": "text/html; charset=utf-8",
      },
    });
  }
}

/** Whether what `authorize` gave is a role; whatever else it gave, such as undefined, refuses. */
function isRole(role: StudioRole | false): role is StudioRole {
  return role === "read" || role === "act" || role === "reveal";
}

/** How many consumers and parked streams need a person. */
async function needs(store: EventStore): Promise<number> {
  const known = await attempt(listConsumers(store));
  return (known ?? []).reduce(
    (sum, { parked, error }) => sum + parked + Number(error !== undefined),
    0,
  );
}

/** The store of a tenant; undefined if it is scoped to another. */
function scope(store: EventStore, tenantId: string): EventStore | undefined {
  try {
    return store.scope({ tenantId });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** How often the page is to be loaded again, for browsers without scripts. */
function refreshOf({ number }: View): number | undefined {
  const seconds = number("refresh");
  return seconds === undefined ? undefined : Math.max(2, Math.min(seconds, 3600));
}

function plain(status: number, text: string, headers: Record<string, string>): Response {
  const type = { "content-type": "text/plain; charset=utf-8" };
  return new Response(`${text}\n`, { status, headers: { ...headers, ...type } });
}

function withHeaders(response: Response, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
