/**
 * Returns what signs a message as Standard Webhooks describes: HMAC-SHA256 over its id, the time and its body.
 *
 * @throws {TypeError} If a secret is malformed.
 */
export function signerOf(
  secret: string | readonly string[],
): (id: string, body: string) => Promise<Record<string, string>> {
  const secrets = (Array.isArray(secret) ? secret : [secret]).map(bytesOf);
  if (secrets.length === 0) throw new TypeError("secret must hold at least one");
  let keys: Promise<readonly CryptoKey[]> | undefined;
  return async (id, body) => {
    keys ??= Promise.all(secrets.map(keyOf));
    const timestamp = String(Math.floor(Date.now() / 1000));
    const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
    const signatures = (await keys).map(async (key) => {
      const signature = await crypto.subtle.sign("HMAC", key, content);
      return `v1,${btoa(String.fromCharCode(...new Uint8Array(signature)))}`;
    });
    return {
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": (await Promise.all(signatures)).join(" "),
    };
  };
}

function keyOf(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

function bytesOf(secret: unknown): Uint8Array<ArrayBuffer> {
  try {
    const [, base64] = /^whsec_(.+)$/.exec(String(secret))!;
    const bytes = Uint8Array.from(atob(base64!), (character) => character.charCodeAt(0));
    if (bytes.length >= 24 && bytes.length <= 64) return bytes;
  } catch {
    // Neither the reason nor the secret is to be shown.
  }
  throw new TypeError('secret must be "whsec_" and the base64 of 24 to 64 bytes');
}
