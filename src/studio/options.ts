import type { Consumer, StreamKey } from "../../mod.ts";
import type { InspectOptions } from "../inspect/inspect.ts";
import type { InspectedEvent } from "../inspect/event.ts";
import type { ActionName, StudioLink } from "./view/view.ts";

/**
 * What a visitor may do: look (`"read"`); also act, where the studio has actions (`"act"`); also see the sensitive fields
 * of an event, one by one (`"reveal"`).
 *
 * @category Studio
 */
export type StudioRole = "read" | "act" | "reveal";

/**
 * Says what the sender of a request may do; false refuses it with the status 403, and a response is sent as it is, such
 * as a redirect to a login.
 *
 * @category Studio
 */
export type Authorize = (
  request: Request,
) => StudioRole | Response | false | Promise<StudioRole | Response | false>;

/**
 * Something that a visitor is about to do.
 *
 * @category Studio
 */
export interface StudioAction {
  /** What: an action, or showing the sensitive fields of an event. */
  readonly name: ActionName | "reveal";
  /** The request, by which to find out who it is. */
  readonly request: Request;
  /** The consumer that it is about; undefined for `"reveal"`. */
  readonly consumer: { readonly name: string; readonly version: number } | undefined;
  /** The streams that it is about; none where it is about a consumer as a whole. */
  readonly streams: readonly StreamKey[];
  /** The event whose fields are shown; undefined for actions. */
  readonly eventId: string | undefined;
}

/**
 * Options of a studio.
 *
 * @category Studio
 */
export interface StudioOptions
  extends Pick<InspectOptions, "aggregates" | "budget" | "data" | "maxAge" | "toJsonSchema"> {
  /** Says what the sender of each request may do. It is required: `() => "read"` opens the studio to everybody. */
  readonly authorize: Authorize;
  /** The consumers of this process, which actions need. @default none */
  readonly consumers?: readonly Consumer[] | undefined;
  /** The path under which it is mounted, without a `/` at its end. @default "" */
  readonly basePath?: string | undefined;
  /** The name of the application. @default "Event store" */
  readonly title?: string | undefined;
  /** The tenants to choose from, where the store sees those of all. @default none: links lead to each tenant's streams */
  readonly tenants?: readonly string[] | undefined;
  /** The actions that it offers to visitors who may act: all, or these. @default none: it only reads */
  readonly actions?: boolean | readonly ActionName[] | undefined;
  /** Links from an event to other systems. @default none */
  readonly links?: ((event: InspectedEvent) => readonly StudioLink[]) | undefined;
  /** The language in which numbers are written, as a BCP 47 tag. @default "en" */
  readonly locale?: string | undefined;
  /**
   * Is called before anything is done, and is awaited, as for an audit log; what it throws keeps it from being done.
   * @default nothing is called
   */
  readonly onAction?: ((action: StudioAction) => unknown) | undefined;
  /**
   * Further origins whose pages may send actions, such as `"https://ops.example"`: for old browsers behind a proxy that
   * changes the `Host`. @default only its own
   */
  readonly origins?: readonly string[] | undefined;
}
