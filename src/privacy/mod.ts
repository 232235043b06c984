/**
 * Sensitive fields: stored sealed under a key of the person that they are about, and unreadable for ever once that key is
 * destroyed.
 *
 * @module
 */
export type { KeyStore, SubjectKey } from "./keystore.ts";
export { subjectKeys, type SubjectKeysOptions } from "./keys.ts";
export { SubjectForgotten } from "./forgotten.ts";
export { aesKeyWrapper, type KeyWrapper } from "./wrapper.ts";
