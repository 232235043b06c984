import { checkFunction, checkName, checkObject } from "../errors/check.ts";

/**
 * Wraps the keys of subjects, so that what is stored is of no use without it.
 *
 * It is called once a subject and `maxAge`: one that asks a remote key service each time is slow; let that service wrap a
 * key of your process instead, and give it to `aesKeyWrapper`.
 *
 * @category Privacy
 */
export interface KeyWrapper {
  /** Is stored beside each key that it wrapped; never give it to another one. */
  readonly id: string;
  /** Wraps the 32 bytes of a key. */
  wrap(key: Uint8Array): Promise<Uint8Array>;
  /** Returns what `wrap` was given; rejects what it did not wrap. */
  unwrap(wrapped: Uint8Array): Promise<Uint8Array>;
}

/**
 * Makes a wrapper of an AES key (AES-KW, RFC 3394).
 *
 * @param id Is stored beside each key that it wrapped; never give it to another one.
 * @param key An AES-KW key with the usages `wrapKey` and `unwrapKey`.
 * @throws {TypeError} If the key is of another kind.
 *
 * @category Privacy
 *
 * @example A key of the environment
 * ```ts
 * import { aesKeyWrapper, subjectKeys } from "event-sourcery/privacy";
 *
 * const secret = new Uint8Array(32); // 32 random bytes that you keep, in base64 for instance
 * const key = await crypto.subtle.importKey("raw", secret, "AES-KW", false, [
 *   "wrapKey",
 *   "unwrapKey",
 * ]);
 * const keys = subjectKeys({ wrappers: [aesKeyWrapper("2026", key)] });
 * console.log(typeof keys.rewrap); // function
 * ```
 */
export function aesKeyWrapper(id: string, key: CryptoKey): KeyWrapper {
  checkName("id", id);
  const { algorithm, usages } = checkObject("key", key);
  if (
    algorithm?.name !== "AES-KW" ||
    !["wrapKey", "unwrapKey"].every((usage) => usages.includes(usage as never))
  ) {
    throw new TypeError("key must be an AES-KW key with the usages wrapKey and unwrapKey");
  }
  return {
    id,
    async wrap(bytes) {
      // Any algorithm that takes the key's length will do: it is only carried.
      const inner = await crypto.subtle.importKey("raw", new Uint8Array(bytes), "AES-GCM", true, [
        "encrypt",
      ]);
      return new Uint8Array(await crypto.subtle.wrapKey("raw", inner, key, "AES-KW"));
    },
    async unwrap(wrapped) {
      const bytes = new Uint8Array(wrapped);
      const inner = await crypto.subtle.unwrapKey("raw", bytes, key, "AES-KW", "AES-GCM", true, [
        "encrypt",
      ]);
      return new Uint8Array(await crypto.subtle.exportKey("raw", inner));
    },
  };
}

/** Checks a wrapper of the user's. */
export function checkWrapper(wrapper: KeyWrapper): void {
  const { id, wrap, unwrap } = checkObject("a wrapper", wrapper);
  checkName("id of a wrapper", id);
  checkFunction("wrap", wrap);
  checkFunction("unwrap", unwrap);
}
