import type { AppendRequest } from "../driver/append.ts";
import type { Driver, Session } from "../driver/driver.ts";
import type { StoredEvent } from "../driver/read.ts";
import type { NewSnapshot, SnapshotKey, StoredSnapshot } from "../driver/snapshots.ts";
import type { Event } from "../event/event.ts";
import type { SensitivePart } from "../event/sensitive.ts";

/**
 * The keys of a store's subjects, under which sensitive fields are sealed; `subjectKeys` of `event-sourcery/privacy`
 * makes them.
 *
 * @category Privacy
 */
export interface SubjectKeys {
  /**
   * Wraps all keys of a store's database anew, under the first of `wrappers`; what was forgotten meanwhile stays so.
   *
   * @param store A store with these keys.
   * @returns How many keys were wrapped anew.
   * @throws {KeyUnavailableError} If a key is under a wrapper that is not among `wrappers`.
   * @throws {UnsupportedError} If the keys live in a `KeyStore` of your own.
   */
  rewrap(store: object): Promise<number>;
}

/**
 * That a subject was forgotten; it can be kept as a certificate.
 *
 * @category Privacy
 */
export interface ForgottenSubject {
  /** The subject, as it was given. */
  readonly subject: string;
  /** When its keys were destroyed, a UTC instant; by an earlier call, if it was forgotten before. */
  readonly at: Date;
  /** How many keys this call destroyed; 0 if there was none, or none any more. */
  readonly keys: number;
}

/**
 * The part of a store that forgets people.
 *
 * @category Privacy
 */
export interface Forgetter {
  /**
   * Destroys the keys of a subject, for ever: its sensitive fields, stored and still to be stored, read as their masks.
   * Other processes may read them as long as they keep a key, a minute by default. A store that has `SubjectForgotten`
   * among its events appends one in the same transaction.
   *
   * @param subject A non-empty string of at most 500 bytes, in the store's tenant.
   * @returns What was done, to be kept as a certificate; also if it was done before.
   * @throws {UnsupportedError} If the store has no keys.
   */
  forget(subject: string): Promise<ForgottenSubject>;

  /** Returns when a subject was forgotten, a UTC instant; undefined if it was not. */
  forgotten(subject: string): Promise<Date | undefined>;
}

/** A checked and encoded append: the events as they will be recorded, stream by stream, and the driver's request. */
export interface Sealable {
  readonly streams: readonly (readonly Event[])[];
  readonly request: AppendRequest;
}

/** What the keys do for a store; how is the business of `event-sourcery/privacy`. */
export interface Sealer {
  /** How long a key is used after it was read, in milliseconds. */
  readonly maxAge: number;
  /**
   * Seals an append. Later ones to the same streams wait for it, or they would overtake it.
   *
   * @param owner Whose appends are in one order: a transaction, or a store outside of any.
   * @param catalog Knows the sensitive fields of an event.
   * @returns What is to be stored; undefined if there is nothing to seal or to wait for, so that it is sent at once.
   */
  whenSealed(
    owner: object,
    session: () => Session<unknown>,
    prepared: Sealable,
    catalog: { sensitive(event: Event): readonly SensitivePart[] | undefined },
  ): Promise<Sealable> | undefined;
  /**
   * Opens what is sealed in stored events. What cannot be opened stays as it is, and `failure` says why.
   *
   * @returns Undefined if there is nothing to open.
   */
  open(
    session: Session<unknown>,
    events: readonly StoredEvent[],
  ): Promise<readonly StoredEvent[]> | undefined;
  failure(event: StoredEvent): unknown;
  /** Looks up the keys of stored events, so that opening them one by one asks for none; what fails is left to that. */
  fetch(session: Session<unknown>, events: readonly StoredEvent[]): Promise<void>;
  /** Seals a snapshot under all the keys that its state was opened with; undefined if one of them is forgotten. */
  sealSnapshot(
    session: Session<unknown>,
    snapshot: NewSnapshot,
    keys: readonly string[],
  ): Promise<NewSnapshot | undefined>;
  /** Opens a sealed snapshot; undefined if one of its keys is forgotten. */
  openSnapshot(
    session: Session<unknown>,
    key: SnapshotKey,
    snapshot: StoredSnapshot,
  ): Promise<(StoredSnapshot & { readonly keys: readonly string[] }) | undefined>;
  /** See `Forgetter`; `store` is the store's own object. */
  forget(store: object, subject: string): Promise<ForgottenSubject>;
  forgotten(store: object, subject: string): Promise<Date | undefined>;
}

const makers: WeakMap<object, (driver: Driver<unknown>) => Sealer> = new WeakMap();

/** Registers what keys do for the stores of a driver. */
export function provideSealer(
  keys: SubjectKeys,
  make: (driver: Driver<unknown>) => Sealer,
): void {
  makers.set(keys, make);
}

/**
 * Returns what keys do for the stores of a driver.
 *
 * @throws {TypeError} If they were not made by `subjectKeys`.
 */
export function sealerOf(keys: unknown, driver: Driver<unknown>): Sealer {
  const make = makers.get(keys as object); // undefined for what is no object
  if (make !== undefined) return make(driver);
  throw new TypeError('keys must be subjectKeys() or "mask"');
}

/** Whether a stored event, or a snapshot, has sealed fields. */
export function isSealed({ codec }: Pick<StoredEvent, "codec">): boolean {
  return codec !== null && Object.hasOwn(codec, "sealed");
}

const sealedBy: WeakMap<object, readonly string[]> = new WeakMap();

/** Notes the keys that were opened for an event. */
export function noteKeys(event: object, ids: readonly string[]): void {
  sealedBy.set(event, ids);
}

/** Returns the keys that were opened for an event; undefined if it had nothing sealed. */
export function keysOf(event: object): readonly string[] | undefined {
  return sealedBy.get(event);
}
