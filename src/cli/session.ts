/** Answers a request. */
type Handler = (request: Request) => Promise<Response>;

/**
 * Lets only those in who know a key, which the first request has in its address and later ones in a cookie, and who ask for
 * this machine by a name of its own: a page elsewhere whose name leads here is refused.
 */
export function withKey(handler: Handler, key: string): Handler {
  return async (request) => {
    const url = new URL(request.url);
    const host = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::(\d+))?$/
      .exec(request.headers.get("host") ?? url.host);
    if (host === null) return refuse("This address is not of this machine.");
    const cookie = `studio-${host[1] ?? 80}`; // cookies do not tell ports apart
    if (url.searchParams.has("key")) {
      if (url.searchParams.get("key") !== key) return refuse(wrong);
      url.searchParams.delete("key");
      const headers = {
        location: `${url.pathname}${url.search}`,
        "set-cookie": `${cookie}=${key}; HttpOnly; SameSite=Strict; Path=/`,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
      };
      return new Response(null, { status: 303, headers });
    }
    const cookies = (request.headers.get("cookie") ?? "").split(/; */);
    return cookies.includes(`${cookie}=${key}`) ? await handler(request) : refuse(wrong);
  };
}

const wrong = "Open the address that the command has printed, with its key.";

function refuse(text: string): Response {
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
  return new Response(`${text}\n`, { status: 403, headers });
}
