import type { SubjectKeys } from "../codec/sealer.ts";
import type { Driver, Session } from "../driver/driver.ts";
import type { KeyStore } from "./keystore.ts";
import { provideSealer } from "../codec/sealer.ts";
import { checkFunction, checkNumber, checkObject } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { internalsOf } from "../store/internals.ts";
import { KeyRing } from "./ring.ts";
import { SubjectSealer } from "./sealer.ts";
import { KeyTable } from "./table.ts";
import { checkWrapper, type KeyWrapper } from "./wrapper.ts";

/**
 * Options of `subjectKeys`.
 *
 * @category Privacy
 */
export interface SubjectKeysOptions {
  /** Where the keys live. @default a table beside the events */
  readonly store?: KeyStore | undefined;
  /**
   * What wraps the keys of that table: the first wraps, all unwrap what they wrapped.
   *
   * @default none: keys are stored as they are
   */
  readonly wrappers?: readonly KeyWrapper[] | undefined;
  /**
   * How long a key is used after it was read, in milliseconds: so long can other processes still read what was forgotten.
   * With 0 each page asks. @default 60_000
   */
  readonly maxAge?: number | undefined;
  /** The greatest number of keys in memory. @default 10_000 */
  readonly max?: number | undefined;
}

/**
 * Makes the keys under which a store seals sensitive fields: each subject has one of its own, made with its first event
 * and destroyed by `store.forget`.
 *
 * @throws {TypeError | RangeError} If an option is malformed.
 *
 * @category Privacy
 *
 * @example Forget a person
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import { subjectKeys } from "event-sourcery/privacy";
 * import assert from "node:assert/strict";
 *
 * const Registered = defineEvent<{ userId: string; email: string | null }>()("Registered", {
 *   sensitive: { subject: (data) => data.userId, fields: { email: null } },
 * });
 * const store = new EventStore(memory(), { events: [Registered], keys: subjectKeys() });
 * await store.append("user:42", Registered({ userId: "u-42", email: "ada@example.org" }));
 *
 * const { keys } = await store.forget("u-42");
 * const [event] = await store.load("user:42");
 * assert.deepEqual([keys, event?.data], [1, { userId: "u-42", email: null }]);
 * ```
 */
export function subjectKeys(options: SubjectKeysOptions = {}): SubjectKeys {
  const { store, wrappers = [], maxAge = 60_000, max = 10_000 } = checkObject("options", options);
  checkNumber("maxAge", maxAge);
  checkNumber("max", max, 1);
  if (!Array.isArray(wrappers)) throw new TypeError("wrappers must be a list of key wrappers");
  for (const wrapper of wrappers) checkWrapper(wrapper);
  if (store !== undefined) {
    checkObject("store", store);
    for (const method of ["current", "find", "forget", "forgotten"] as const) {
      checkFunction(`store.${method}`, store[method]);
    }
    if (wrappers.length > 0) {
      throw new TypeError("wrappers are for the driver's table: a key store of your own wraps");
    }
  }
  const tableOf = ({ keys }: Session<unknown>) => {
    if (keys !== undefined) return new KeyTable(keys, wrappers);
    throw new UnsupportedError("keep the keys of subjects", "its driver has no `keys`");
  };
  const storeAt = (session: Session<unknown>) => store ?? tableOf(session);
  const sealers = new WeakMap<Driver<unknown>, SubjectSealer>();
  const keys: SubjectKeys = {
    async rewrap(eventStore) {
      const session = internalsOf(eventStore)?.session();
      if (session === undefined) throw new TypeError("store must be an event store");
      if (store === undefined) return await tableOf(session).rewrap();
      throw new UnsupportedError("rewrap keys", "they live in a key store of your own");
    },
  };
  provideSealer(keys, (driver) => {
    storeAt(driver); // or it fails with the first event
    const outside = store !== undefined;
    const sealer = sealers.get(driver) ??
      new SubjectSealer(new KeyRing({ storeAt, outside, maxAge, max }), storeAt, maxAge);
    sealers.set(driver, sealer);
    return sealer;
  });
  return Object.freeze(keys);
}
