/**
 * Whether this is a Worker of Cloudflare, whose requests must not wait for each other: each has timers and connections of
 * its own, which end with it, and a request that waits for another's is ended as hung. So nothing is sent together there.
 */
export function sharesNothing(): boolean {
  return globalThis.navigator?.userAgent === "Cloudflare-Workers";
}
