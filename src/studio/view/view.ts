import type { Consumer, StoredEvent } from "../../../mod.ts";
import type { InspectedConsumer } from "../../inspect/consumers.ts";
import type { InspectedEvent } from "../../inspect/event.ts";
import type { Inspector } from "../../inspect/inspector.ts";
import type { Html } from "../frame/html.ts";

/**
 * An action: to try parked streams again, to give up a parked event, to rebuild a projection, to forget a consumer.
 *
 * @category Studio
 */
export type ActionName = "redrive" | "discard" | "rebuild" | "forget";

/** What a page sees of the studio and of its request. */
export interface View {
  /** Reads the store, for the eyes of this visitor. */
  readonly inspector: Inspector;
  /** Knows all consumers, also where the URL names a tenant. */
  readonly registry: Pick<Inspector, "consumers" | "deliveries" | "parked">;
  /** The name of the application. */
  readonly title: string;
  /** The part of a URL's query with this name; undefined if it is missing or empty. */
  readonly param: (name: string) => string | undefined;
  /** As `param`, as a whole number; undefined if it is none. */
  readonly number: (name: string) => number | undefined;
  /** The tenant that the URL names; undefined where it names none. */
  readonly tenant: string | undefined;
  /** The tenants to choose from; where there are any, addresses keep the one of this page. */
  readonly tenants: readonly string[];
  /** Whether types and lengths are shown in the place of data. */
  readonly shape: boolean;
  /** The time of the request. */
  readonly now: Date;
  /** Writes a number in the studio's language. */
  readonly format: (value: number) => string;
  /** Returns the address of a page, with these parts in its query. */
  readonly to: (page: string, query?: Query) => string;
  /** Whether this visitor may do this here. */
  readonly may: (action: ActionName) => boolean;
  /** Whether sensitive fields of an event may be shown. */
  readonly reveals: boolean;
  /** The categories whose states can be shown. */
  readonly categories: readonly string[];
  /** Finds the consumer of this process that a row of the database is about. */
  readonly consumer: (
    row: Pick<InspectedConsumer, "name" | "version" | "tenantId">,
  ) => Consumer | undefined;
  /** The rebuild of a consumer that was begun here; undefined if there is none. */
  readonly rebuild: (consumer: Consumer) => Rebuild | undefined;
  /** The user's own links of an event. */
  readonly links: (event: InspectedEvent) => readonly StudioLink[];
}

/** What a query is made of. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * A link from an event to another system.
 *
 * @category Studio
 */
export interface StudioLink {
  /** What is shown. */
  readonly text: string;
  /** An address of the web: `http:`, `https:`, or a path. */
  readonly href: string;
}

/** A rebuild that runs, or has ended. */
export interface Rebuild {
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  readonly problem: string | undefined;
}

/** A page, which the shell puts its header and footer around. */
export interface Page {
  readonly title: string;
  readonly tab?: string | undefined;
  readonly body: Html;
  readonly status?: number | undefined;
  /** The seconds after which it is loaded again. */
  readonly refresh?: number | undefined;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Makes a page; a `Response` is sent as it is. */
export type PageMaker = (view: View) => Page | Response | Promise<Page | Response>;

/** Names the tenant of what was stored, for the query of a link. */
export function tenantOf({ tenantId }: Pick<StoredEvent, "tenantId">): string | undefined {
  return tenantId === "" ? undefined : tenantId;
}
