// What the headers of a request ask for.
import type { Metadata } from "event-sourcery";
import { RequestError } from "./problem.ts";

/** The version that the client saw, by If-Match; undefined if it names none. */
export function versionOf(headers: Headers): number | "streamExists" | undefined {
  const etag = headers.get("if-match");
  if (etag === null) return undefined;
  if (etag === "*") return "streamExists";
  const tag = /^"([1-9]\d{0,14})"$/.exec(etag);
  return tag ? Number(tag[1]) : Number.MAX_SAFE_INTEGER; // not one of our tags: no order has it
}

/** A key that is the same for each repetition of a request, and what tells another request with that key. */
export interface Once {
  readonly key: string;
  readonly fingerprint: string;
}

/** Reads the Idempotency-Key; undefined if there is none. */
export async function onceOf(request: Request, body: string): Promise<Once | undefined> {
  const header = request.headers.get("idempotency-key");
  if (header === null) return undefined;
  const [, quoted, bare] = /^(?:"([!#-~]{1,200})"|([!#-~]{1,200}))$/.exec(header) ?? [];
  const key = quoted ?? bare;
  if (key === undefined) throw new RequestError(400, "Idempotency-Key must be 1 to 200 characters");
  const { pathname } = new URL(request.url);
  return { key, fingerprint: await digest(`${request.method} ${pathname}\n${body}`) };
}

/** The metadata for the events of a request: one correlation id from the first service to the last consumer. */
export function metadataOf(headers: Headers): Metadata & { readonly correlationId: string } {
  const given = /^[\w.:-]{1,128}$/.exec(headers.get("x-correlation-id") ?? "")?.[0];
  const trace = /^00-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
    .exec(headers.get("traceparent") ?? "");
  const correlationId = given ?? trace?.[1] ?? crypto.randomUUID();
  return trace === null ? { correlationId } : { correlationId, traceparent: trace[0] };
}

/** How long the client waits for lists to show its change, in milliseconds; 0 if it does not. */
export function waitOf(headers: Headers): number {
  const wait = /(?:^|[,;\s])wait=(\d{1,2})(?:$|[,;\s])/.exec(headers.get("prefer") ?? "");
  return Number(wait?.[1] ?? 0) * 1000;
}

/** A text of 64 characters that stands for a longer one. */
export async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
