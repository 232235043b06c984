import { fromBase64 } from "../codec/decode.ts";
import { toBase64 } from "../codec/encode.ts";

/** The bytes of a nonce, which goes before each ciphertext. */
const nonce = 12;

/** Returns the bytes of a new key. */
export function newKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

/** Makes a key usable. */
export async function importKey(bytes: Uint8Array): Promise<CryptoKey> {
  const raw = new Uint8Array(bytes);
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** Seals bytes under keys, one after the other; returns base64. */
export async function seal(
  keys: readonly CryptoKey[],
  bytes: Uint8Array<ArrayBuffer>,
  bound: readonly unknown[],
): Promise<string> {
  let sealed = bytes;
  for (const key of keys) {
    const iv = crypto.getRandomValues(new Uint8Array(nonce));
    const ciphertext = await crypto.subtle.encrypt(algorithm(iv, bound), key, sealed);
    sealed = new Uint8Array(nonce + ciphertext.byteLength);
    sealed.set(iv);
    sealed.set(new Uint8Array(ciphertext), nonce);
  }
  return toBase64(sealed);
}

/** Opens what `seal` made with the same keys; rejects if anything differs. */
export async function open(
  keys: readonly CryptoKey[],
  sealed: string,
  bound: readonly unknown[],
): Promise<Uint8Array> {
  let bytes = fromBase64(sealed);
  for (const key of [...keys].reverse()) {
    const iv = bytes.subarray(0, nonce);
    const rest = bytes.subarray(nonce);
    bytes = new Uint8Array(await crypto.subtle.decrypt(algorithm(iv, bound), key, rest));
  }
  return bytes;
}

const encoder = new TextEncoder();

/** What is sealed is bound to its place: moved elsewhere, it does not open. */
function algorithm(iv: Uint8Array<ArrayBuffer>, bound: readonly unknown[]) {
  return { name: "AES-GCM", iv, additionalData: encoder.encode(JSON.stringify(bound)) };
}
