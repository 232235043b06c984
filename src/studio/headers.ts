import type { Html } from "./frame/html.ts";
import { script } from "./frame/script.ts";
import { style } from "./frame/style.ts";

let policy: Promise<string> | undefined;

/** The headers of every answer: only the studio's own style and script are used, and nothing is kept anywhere. */
export async function secureHeaders(): Promise<Record<string, string>> {
  policy ??= policyOf();
  return {
    "content-security-policy": await policy,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  };
}

async function policyOf(): Promise<string> {
  return [
    "default-src 'none'",
    `style-src '${await hash(style)}'`,
    `script-src '${await hash(script)}'`,
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

async function hash(content: Html): Promise<string> {
  const bytes = new TextEncoder().encode(content.toString());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha256-${btoa(String.fromCharCode(...digest))}`;
}
