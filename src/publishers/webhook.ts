import type { PublisherContext } from "../consumer/outbox.ts";
import type { RecordedEvent } from "../event/event.ts";
import type { AnyEventType, EventOf } from "../event/type.ts";
import { onAbort } from "../async/abort.ts";
import {
  checkBoolean,
  checkFunction,
  checkNumber,
  checkObject,
  maxInt32,
} from "../errors/check.ts";
import { PermanentError, RetryLaterError } from "../errors/consumer.ts";
import { messageId } from "./key.ts";
import { encoderOf, type PublisherOptions } from "./publisher.ts";
import { signerOf } from "./signature.ts";

/**
 * The part of `fetch` that a publisher uses.
 *
 * @category Publishers
 */
export type WebhookFetch = (
  url: string,
  request: {
    readonly method: "POST";
    readonly headers: Record<string, string>;
    readonly body: string;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body?: { cancel(): Promise<void> } | null;
}>;

/**
 * Options of `webhook`.
 *
 * @category Publishers
 */
export interface WebhookOptions<Types extends readonly AnyEventType[]>
  extends PublisherOptions<Types> {
  /** Where events are posted to: `https:`, or this machine by `http:`. */
  readonly url: string;
  /**
   * The secret that the receiver knows, too: `whsec_` and the base64 of 24 to 64 random bytes. Of several, each signs,
   * so that a secret can be replaced without a gap.
   */
  readonly secret: string | readonly string[];
  /** Further headers, such as an authorization. @default none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long the receiver may take, in milliseconds. @default 15000 */
  readonly timeout?: number | undefined;
  /** Whether the URL may be any of `http:`. @default false */
  readonly allowInsecure?: boolean | undefined;
  /** Sends the requests. @default the global `fetch` */
  readonly fetch?: WebhookFetch | undefined;
}

/** The longest pause that a receiver may ask for, in milliseconds: a day. */
const longest = 24 * 3600_000;

/** The answers of 400 to 499 that another attempt may change: too slow, too early, too many. */
const passing = [408, 425, 429];

/**
 * Makes a publisher that posts each event to a URL, as a CloudEvent in structured mode, signed as Standard Webhooks
 * describes. An answer of 200 to 299 means published. One of 400 to 499 parks the stream at once, except 408, 425 and 429;
 * all else, a redirect and a timeout included, is tried again, and after `Retry-After` where the answer has one, up to a day.
 *
 * It posts one event at a time: for more, set the outbox's `concurrency`.
 *
 * @throws {TypeError | RangeError} If an option is malformed, or the URL neither `https:` nor of this machine.
 * @category Publishers
 *
 * @example A receiver that asks for a pause
 * ```ts
 * import { defineEvent, EventStore, Outbox } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import { webhook } from "event-sourcery/publishers";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent<{ sku: string }>()("OrderPlaced");
 * const events = [OrderPlaced];
 * const store = new EventStore(memory(), { events });
 * const publisher = webhook({
 *   events,
 *   source: "/shop",
 *   url: "https://partner.example/hooks",
 *   secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
 *   fetch: async () => new Response("", { status: 429, headers: { "retry-after": "60" } }),
 * });
 * const outbox = new Outbox(store, { publisher });
 * await store.publish("order:42", OrderPlaced({ sku: "tea" }));
 * await outbox.runOnce();
 * const [waiting] = await outbox.parked();
 * assert(waiting!.dueAt!.getTime() > Date.now() + 59_000);
 * ```
 */
export function webhook<const Types extends readonly AnyEventType[]>(
  options: WebhookOptions<Types>,
): (event: RecordedEvent<EventOf<Types[number]>>, context: PublisherContext) => Promise<void> {
  const { events, source, url, secret, headers = {}, timeout = 15_000 } = options;
  const { allowInsecure = false, fetch = globalThis.fetch } = options;
  const encode = encoderOf({ events, source }, "ce-");
  checkObject("headers", headers);
  checkNumber("timeout", timeout, 1, maxInt32);
  checkBoolean("allowInsecure", allowInsecure);
  checkFunction("fetch", fetch);
  const host = hostOf(url, allowInsecure);
  const sign = signerOf(secret);
  let heldUntil = 0;

  return async (event, { signal }) => {
    const held = Math.ceil(heldUntil - performance.now());
    if (held > 0) throw new RetryLaterError(`${host} has asked for a pause`, held);
    const { contentType, body } = encode(event);
    const signed = await sign(messageId(event), body);
    const request = { ...headers, "content-type": contentType, ...signed };
    const { status, retryAfter } = await post(fetch, url, request, body, timeout, signal, host);
    if (status >= 200 && status < 300) return;
    const reason = `${host} has answered ${status}`;
    if (status >= 400 && status < 500 && !passing.includes(status)) {
      throw new PermanentError(reason);
    }
    const delay = delayOf(retryAfter);
    if (delay === undefined) throw new Error(reason);
    heldUntil = performance.now() + delay;
    throw new RetryLaterError(reason, delay);
  };
}

async function post(
  fetch: WebhookFetch,
  url: string,
  headers: Record<string, string>,
  body: string,
  timeout: number,
  signal: AbortSignal,
  host: string,
): Promise<{ readonly status: number; readonly retryAfter: string | null }> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const cancel = onAbort(signal, () => controller.abort(signal.reason));
  const late = new Error(`${host} has not answered in ${timeout} ms`);
  const timer = setTimeout(() => controller.abort(late), timeout);
  try {
    const request = { method: "POST", headers, body, redirect: "manual" } as const;
    const response = await fetch(url, { ...request, signal: controller.signal });
    await response.body?.cancel(); // whatever it says: it may be long
    return { status: response.status, retryAfter: response.headers.get("retry-after") };
  } catch (cause) {
    controller.signal.throwIfAborted();
    throw new Error(`${host} cannot be reached`, { cause });
  } finally {
    clearTimeout(timer);
    cancel();
  }
}

/** Returns the host of a URL, which is all of it that a message may show. */
function hostOf(url: string, allowInsecure: boolean): string {
  if (!URL.canParse(url)) throw new TypeError("url must be an absolute URL");
  const { protocol, hostname, host, username, password } = new URL(url);
  if (username !== "" || password !== "") {
    throw new TypeError("url must hold no credentials: pass them in headers");
  }
  const loopback = /^(.*\.)?localhost$|^127\.|^\[::1\]$/.test(hostname);
  const secure = protocol === "https:" || protocol === "http:" && (allowInsecure || loopback);
  if (secure) return host;
  throw new TypeError('url must be "https:", or "http:" to this machine or with allowInsecure');
}

/** Returns the milliseconds that a `Retry-After` asks for: seconds, or a date. */
function delayOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  const delay = /^\d+$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(delay) ? undefined : Math.min(Math.max(delay, 0), longest);
}
