import type { StoredEvent } from "../driver/read.ts";
import type { SnapshotKey } from "../driver/snapshots.ts";
import type { Event } from "../event/event.ts";
import { at, encode, escapeKey } from "../codec/encode.ts";
import { checkName } from "../errors/check.ts";
import { InvalidEventError } from "../errors/event.ts";
import { copyData, Unstorable } from "../event/copy.ts";
import { storable } from "../event/freeze.ts";
import { change, guarded, type Place, placesOf, type SensitivePart } from "../event/sensitive.ts";

/** The most bytes of a subject: the stream and the event that tell of it have longer names. */
const maxSubject = 500;

/** Checks the length of a subject. @throws {RangeError} If it is too long. */
export function checkBytes(subject: string): void {
  if (new TextEncoder().encode(subject).length <= maxSubject) return;
  throw new RangeError(`subject must be at most ${maxSubject} bytes in UTF-8`);
}

/** A sensitive field of an event: where it is, whose it is, and what it reads as once that subject is forgotten. */
export interface Field {
  readonly place: Place;
  readonly subject: string;
  readonly mask: unknown;
}

/**
 * Finds the sensitive fields of an event.
 *
 * @throws {InvalidEventError} If one is somewhere where it cannot be sealed, or nobody's.
 */
export function fieldsOf(
  { type, data }: Event,
  parts: readonly SensitivePart[],
): readonly Field[] {
  return parts.flatMap(({ subject: subjectOf, fields }) => {
    const found = storable(
      type,
      () =>
        Object.entries(fields).flatMap(([path, mask]) =>
          placesOf(data, path).map((place) => ({ place, mask }))
        ),
    );
    if (found.length === 0) return [];
    const subject = checkSubject(type, subjectOf(guarded(type, data, parts)));
    return found.map((field) => ({ ...field, subject }));
  });
}

function checkSubject(type: string, subject: unknown): string {
  try {
    checkName("subject", subject);
    checkBytes(subject);
    return subject;
  } catch {
    // told below, without the subject
  }
  const reason = `its sensitive fields need a subject, a string of at most ${maxSubject} bytes,`;
  throw new InvalidEventError(type, [{ message: reason, path: [] }], { reason });
}

/**
 * Returns an event's data with the masks of fields.
 *
 * @throws {InvalidEventError} If a mask cannot be stored.
 */
export function masked({ type, data }: Event, fields: readonly Field[]): unknown {
  if (fields.length === 0) return data;
  const places = fields.map(({ place }) => place);
  const copy = change(data, places, (container, key, index) => {
    Reflect.set(container, key, fields[index]!.mask);
  });
  return storable(type, () => copyData(copy));
}

/** Returns what is sealed of data: the encoded values of fields, and their annotations, each by JSON pointer. */
export function valuesOf(data: unknown): (fields: readonly Field[]) => string {
  const encoded = encode(data, {});
  const json: unknown = JSON.parse(encoded.data!);
  const notes: Readonly<Record<string, string>> = JSON.parse(encoded.codec ?? "{}");
  return (fields) => {
    const values: Record<string, unknown> = {};
    const own: Record<string, string> = {};
    for (const { place } of fields) {
      let pointer = "/data";
      let value = json;
      for (const key of place) {
        // The encoding spells out all keys of an object that has one which JSON would escape.
        const name = notes[pointer] === "object" ? escapeKey(key) : key;
        value = Reflect.get(value as object, name);
        pointer = at(pointer, name);
      }
      values[pointer] = value;
      for (const note of Object.keys(notes)) if (isWithin(note, pointer)) own[note] = notes[note]!;
    }
    return JSON.stringify([values, own]);
  };
}

/** Puts what was sealed back into the encoded data of an event, which it changes, and its annotations. */
export function putBack(
  data: unknown,
  codec: Record<string, string>,
  text: string,
): void {
  const [values, notes] = JSON.parse(text) as readonly [
    Readonly<Record<string, unknown>>,
    Readonly<Record<string, string>>,
  ];
  for (const [pointer, value] of Object.entries(values)) {
    for (const note of Object.keys(codec)) if (isWithin(note, pointer)) delete codec[note];
    const keys = pointer.split("/").slice(2).map((key) =>
      key.replaceAll("~1", "/").replaceAll("~0", "~")
    );
    const last = keys.pop()!;
    const container = keys.reduce((inner, key) => Reflect.get(inner as object, key), data);
    if (!Reflect.set(container as object, last, value)) throw new Unstorable("it is sealed", keys);
  }
  Object.assign(codec, notes);
}

function isWithin(pointer: string, other: string): boolean {
  return pointer === other || pointer.startsWith(`${other}/`);
}

/** What a sealed text is bound to. */
export function bindingOf(
  tenantId: string,
  streamId: string,
  { id, type, schemaVersion }: Pick<StoredEvent, "id" | "type" | "schemaVersion">,
): readonly unknown[] {
  return ["es1", tenantId, streamId, id, type, schemaVersion];
}

/** What a sealed snapshot is bound to. */
export function bindingOfSnapshot(
  { tenantId, streamId, kind, stateVersion, version }: SnapshotKey & { readonly version: number },
): readonly unknown[] {
  return ["es1", tenantId, streamId, "snapshot", kind, stateVersion, version];
}
