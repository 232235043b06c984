import { Consumer } from "../../mod.ts";
import { checkFunction, checkList, checkName, checkObject, unsafe } from "../errors/check.ts";
import type { Inspector } from "../inspect/inspector.ts";
import type { StudioOptions, StudioRole } from "./options.ts";
import type { Rebuilds } from "./rebuilds.ts";
import { isSame } from "./view/consumer.ts";
import type { ActionName, StudioLink, View } from "./view/view.ts";

const everyAction: readonly ActionName[] = ["redrive", "discard", "rebuild", "forget"];

/** The checked options of a studio that every page needs. */
interface Settings {
  readonly title: string;
  readonly basePath: string;
  readonly actions: readonly ActionName[];
  readonly consumers: readonly Consumer[];
  readonly categories: readonly string[];
  readonly origins: readonly string[];
  readonly tenants: readonly string[];
  readonly shape: boolean;
  readonly numbers: Intl.NumberFormat;
  readonly links: NonNullable<StudioOptions["links"]>;
}

/** Checks the options of a studio. */
export function readSettings(options: StudioOptions): Settings {
  const { title = "Event store", basePath = "", actions = false, consumers = [] } = options;
  const { links = () => [], locale = "en", origins = [], aggregates = {} } = options;
  const { tenants = [], data } = options;
  checkName("title", title);
  checkName("locale", locale);
  checkList("origins", origins);
  checkList("tenants", tenants);
  checkFunction("links", links);
  checkObject("aggregates", aggregates);
  if (!/^(\/[^/?#\s]+)*$/.test(basePath)) {
    throw new TypeError('basePath must begin with "/" and not end with it, such as "/studio"');
  }
  const allowed = actions === true ? everyAction : actions === false ? [] : actions;
  checkList("actions", allowed);
  const wrong = allowed.find((action) => !everyAction.includes(action));
  if (wrong !== undefined) throw new TypeError(`actions must be of ${everyAction.join(", ")}`);
  if (!Array.isArray(consumers) || consumers.some((each) => !(each instanceof Consumer))) {
    throw new TypeError("consumers must be a list of consumers");
  }
  return {
    ...{ title, basePath, consumers, origins, tenants, links, shape: data === "shape" },
    actions: allowed,
    categories: Object.keys(aggregates),
    numbers: new Intl.NumberFormat(locale),
  };
}

/** What is particular to a request. */
interface Visit {
  readonly params: URLSearchParams;
  readonly role: StudioRole;
  readonly inspector: Inspector;
  readonly rebuilds: Rebuilds;
}

/** Makes what pages see. */
export function makeView(settings: Settings, { params, role, inspector, rebuilds }: Visit): View {
  const { title, basePath, actions, consumers, categories, numbers, links, tenants } = settings;
  const param = (name: string) => {
    const value = params.get(name);
    return value === null || value === "" || unsafe.test(value) ? undefined : value;
  };
  const id = (name: string) => {
    const value = param(name);
    return value !== undefined && new TextEncoder().encode(value).length > 512 ? undefined : value;
  };
  const tenant = id("tenant");
  // What was chosen stays; without a choice there is no way back.
  const kept = tenants.length > 0 ? { tenant } : {};
  return {
    inspector,
    registry: inspector,
    title,
    tenants,
    shape: settings.shape,
    categories,
    param: (name) => name === "error" || name === "after" ? param(name) : id(name),
    number: (name) => wholeOf(param(name)),
    tenant,
    now: new Date(),
    format: (value) => numbers.format(value),
    to: (page, query = {}) => {
      const parts = Object.entries({ ...kept, ...query }).filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}=${encoded(String(value))}`);
      const path = page === "/" ? basePath || "/" : `${basePath}${page}`;
      return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
    },
    may: (action) => role !== "read" && actions.includes(action),
    reveals: role === "reveal",
    consumer: (row) => consumers.find((consumer) => isSame(consumer, row)),
    rebuild: (consumer) => rebuilds.of(consumer),
    links: (event) => links(event).filter(isSafe),
  };
}

function wholeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Encodes a value of a query, but what is legible and safe in it. */
function encoded(value: string): string {
  return encodeURIComponent(value).replaceAll("%3A", ":").replaceAll("%2F", "/");
}

/** Whether an address leads to the web, so that no script hides in it. */
function isSafe({ href }: StudioLink): boolean {
  const base = "https://studio.invalid";
  return URL.canParse(href, base) && /^https?:$/.test(new URL(href, base).protocol);
}
