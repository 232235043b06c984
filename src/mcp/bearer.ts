/**
 * Lets in whoever sends one token, as `Authorization: Bearer …`. It takes equally long whatever is sent.
 *
 * @param options The token: a random text of at least 16 characters, from a secret store.
 * @returns What `mcp` takes as `authorize`.
 * @throws {TypeError} If the token is not such a text.
 *
 * @category Agents
 *
 * @example Check a request
 * ```ts
 * import { bearerAuth } from "event-sourcery/mcp";
 * import assert from "node:assert/strict";
 *
 * const authorize = bearerAuth({ token: "a long random text" });
 * const headers = { authorization: "Bearer a long random text" };
 * assert.equal(await authorize(new Request("https://shop.example", { headers })), true);
 * assert.equal(await authorize(new Request("https://shop.example")), false);
 * ```
 */
export function bearerAuth(
  { token }: { readonly token: string },
): (request: Request) => Promise<boolean> {
  if (typeof token !== "string" || token.length < 16) {
    throw new TypeError("token must be a text of at least 16 characters");
  }
  const expected = digest(token);
  return async (request) => {
    const [, sent = ""] = /^Bearer +(.+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    // The digests of texts say nothing of how alike these are.
    const [wanted, given] = await Promise.all([expected, digest(sent)]);
    return wanted.every((byte, index) => byte === given[index]);
  };
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
