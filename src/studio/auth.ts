import { checkName, checkObject } from "../errors/check.ts";
import type { Authorize, StudioRole } from "./options.ts";

/**
 * A name and a password.
 *
 * @category Studio
 */
export interface BasicAuthOptions {
  /** The name, without a colon. */
  readonly user: string;
  /** The password. */
  readonly password: string;
  /** What who knows both may do. @default "act" */
  readonly role?: StudioRole | undefined;
}

/**
 * Asks for a name and a password, as browsers do by themselves (HTTP Basic). Both are compared in constant time. Use it
 * over HTTPS only.
 *
 * @throws {TypeError} If a name or password is missing, or the name has a colon.
 *
 * @category Studio
 *
 * @example A password from the environment
 * ```ts
 * import { basicAuth } from "event-sourcery/studio";
 * import assert from "node:assert/strict";
 *
 * const authorize = basicAuth({ user: "ops", password: "secret" });
 * const headers = { authorization: `Basic ${btoa("ops:secret")}` };
 * assert.equal(await authorize(new Request("https://shop.example/studio", { headers })), "act");
 * assert.equal((await authorize(new Request("https://shop.example/studio")) as Response).status, 401);
 * ```
 */
export function basicAuth(options: BasicAuthOptions): Authorize {
  const { user, password, role = "act" } = checkObject("options", options);
  checkName("user", user);
  checkName("password", password);
  if (user.includes(":")) throw new TypeError("user must not have a colon");
  const expected = `${user}:${password}`;
  return async (request) => {
    const given = /^Basic +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    if (given !== undefined && await isSame(decoded(given), expected)) return role;
    return new Response("A name and a password are needed.\n", {
      status: 401,
      headers: {
        "www-authenticate": 'Basic realm="studio", charset="UTF-8"',
        "cache-control": "no-store",
      },
    });
  };
}

/** Compares texts by their hashes, byte by byte to the end: how long it takes tells nothing of either. */
async function isSame(given: string, expected: string): Promise<boolean> {
  const [a, b] = await Promise.all([given, expected].map(digest));
  return a!.reduce((difference, byte, index) => difference | (byte ^ b![index]!), 0) === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function decoded(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0)));
  } catch {
    return ""; // no base64
  }
}
