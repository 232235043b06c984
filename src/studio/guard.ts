/**
 * Whether a request that changes something was sent by a page of this very site, or by no browser at all. Browsers say
 * themselves where a request comes from, and pages cannot change what they say; older ones say only the origin.
 */
export function isOwn(request: Request, origins: readonly string[]): boolean {
  const { headers } = request;
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = headers.get("origin");
  if (origin === null) return true;
  if (origins.includes(origin)) return true;
  return URL.canParse(origin) &&
    new URL(origin).host === (headers.get("host") ?? new URL(request.url).host);
}
