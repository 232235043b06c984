import { checkFunction, checkObject } from "../errors/check.ts";
import { copyData, Unstorable } from "./copy.ts";
import { storable } from "./freeze.ts";

/**
 * Which fields of an event are a person's: they are stored sealed under that person's key, and read as their masks once
 * it is forgotten.
 *
 * @category Privacy
 */
export interface Sensitive<Data = unknown> {
  /**
   * Returns whose fields they are: an opaque id of at most 500 bytes. Undefined where there is nothing to seal; reading a
   * sensitive field throws.
   */
  readonly subject: (data: Data) => string | undefined;
  /**
   * The fields, by their paths (`address.street`; `*` is any item of an array or any value of a record), and what they
   * read as once the subject is forgotten.
   */
  readonly fields: SensitiveFields<Data>;
}

/**
 * The sensitive fields of an event's data: by path, a mask of the field's type.
 *
 * @category Privacy
 */
export type SensitiveFields<Data> = unknown extends Data ? Readonly<Record<string, unknown>>
  : [SensitivePath<Data>] extends [never] ? Readonly<Record<string, never>>
  : { readonly [Path in SensitivePath<Data>]?: SensitiveValue<Data, Path> };

/**
 * What a path may lead to, but not through.
 *
 * @category Privacy
 */
export type SensitiveLeaf =
  | string
  | number
  | boolean
  | bigint
  | null
  | undefined
  | Date
  | Uint8Array
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ((...args: never) => unknown);

/**
 * The paths through data: keys joined by dots, and `*` for any item of an array or any value of a record; in recursive data
 * as many levels deep as `Levels` is long.
 *
 * @category Privacy
 */
export type SensitivePath<Data, Levels extends readonly unknown[] = [1, 2, 3, 4, 5, 6]> =
  Levels extends readonly [unknown, ...infer Rest] ? Data extends SensitiveLeaf ? never
    : Data extends readonly (infer Item)[] ? "*" | `*.${SensitivePath<Item, Rest>}`
    : string extends keyof Data ? "*" | `*.${SensitivePath<Data[keyof Data], Rest>}`
    : {
      [Key in keyof Data]-?: Key extends string
        ? Key extends "" | "*" | `${string}.${string}` ? never
        : Key | `${Key}.${SensitivePath<Data[Key], Rest>}`
        : never;
    }[keyof Data]
    : never;

/**
 * The type of what a path through data leads to.
 *
 * @category Privacy
 */
export type SensitiveValue<Data, Path extends string> = Data extends SensitiveLeaf ? never
  : Path extends `${infer Key}.${infer Rest}`
    ? Data extends readonly (infer Item)[] ? SensitiveValue<Item, Rest>
    : string extends keyof Data ? SensitiveValue<Data[keyof Data], Rest>
    : Key extends keyof Data ? SensitiveValue<Data[Key], Rest>
    : never
  : Data extends readonly (infer Item)[] ? Item
  : string extends keyof Data ? Data[keyof Data]
  : Path extends keyof Data ? Data[Path]
  : never;

/** As `Sensitive`, whatever the data. */
export interface SensitivePart {
  readonly subject: (data: unknown) => unknown;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Checks the option of an event type, and returns its parts. */
export function readSensitive(type: string, given: unknown): readonly SensitivePart[] {
  const parts = (Array.isArray(given) ? given : [given]).map((part: unknown): SensitivePart => {
    const where = `sensitive of event "${type}"`;
    const { subject, fields, ...others } = checkObject(where, part as SensitivePart);
    const [other] = Object.keys(others);
    if (other !== undefined) {
      throw new TypeError(
        `${where} must be { subject, fields }, or a list of such: it has ${other}`,
      );
    }
    checkFunction(`subject in ${where}`, subject);
    const copy = storable(type, () => copyData(checkObject(`fields in ${where}`, fields)));
    return { subject, fields: copy as SensitivePart["fields"] };
  });
  const paths = parts.flatMap(({ fields }) => Object.keys(fields)).map((path) => path.split("."));
  for (const [index, path] of paths.entries()) {
    const overlaps = (other: readonly string[]) =>
      path.every((step, at) =>
        at >= other.length || [step, "*"].includes(other[at]!) || step === "*"
      );
    if (path.includes("") || paths.slice(0, index).some(overlaps)) {
      throw new TypeError(
        `sensitive of event "${type}" must name each field once, by a path such as "lines.*.note"`,
      );
    }
  }
  return parts;
}

/** The keys that lead to a value in data, outermost first. */
export type Place = readonly string[];

/**
 * Returns where the values of a path are in data that `copyData` made; none where something on the way is missing or null.
 *
 * @throws {Unstorable} If something on the way is neither a plain object nor, at a `*`, an array.
 */
export function placesOf(data: unknown, path: string): readonly Place[] {
  const steps = path.split(".");
  let found: (readonly [Place, unknown])[] = [[[], data]];
  for (const [depth, step] of steps.entries()) {
    found = found.flatMap(([place, value]) => {
      if (value === undefined || value === null) return [];
      if (Array.isArray(value) ? step !== "*" : Object.getPrototypeOf(value) !== Object.prototype) {
        const message = "a sensitive field is in no plain object, or no array at a *";
        throw new Unstorable(message, steps.slice(0, depth));
      }
      const keys = step === "*" ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : [];
      return keys.map((key) => [[...place, key], Reflect.get(value, key)] as const);
    });
  }
  return found.map(([place]) => place);
}

/** Returns data with other values at some places; what is on no way to them is shared. */
export function change(
  data: unknown,
  places: readonly Place[],
  put: (container: object, key: string, index: number) => void,
): unknown {
  if (places.length === 0) return data;
  const own = new Set<unknown>();
  const copy = (value: unknown): object => {
    if (own.has(value)) return value as object;
    const made = Array.isArray(value) ? [...value] : { ...value as object };
    own.add(made);
    return made;
  };
  const top = copy(data);
  for (const [index, place] of places.entries()) {
    let container = top;
    for (const key of place.slice(0, -1)) {
      const inner = copy(Reflect.get(container, key));
      Reflect.set(container, key, inner);
      container = inner;
    }
    put(container, place.at(-1)!, index);
  }
  return top;
}

/**
 * Returns data with the masks of its sensitive fields.
 *
 * @throws {Unstorable} If a field is somewhere where `placesOf` finds none.
 */
export function masked(data: unknown, parts: readonly SensitivePart[]): unknown {
  const found = parts.flatMap(({ fields }) => Object.entries(fields)).flatMap(([path, mask]) =>
    placesOf(data, path).map((place) => ({ place, mask }))
  );
  return change(data, found.map(({ place }) => place), (container, key, index) => {
    Reflect.set(container, key, found[index]!.mask);
  });
}

/** Returns data whose sensitive fields throw when they are read, for functions that must not depend on them. */
export function guarded(type: string, data: unknown, parts: readonly SensitivePart[]): unknown {
  const paths = parts.flatMap(({ fields }) => Object.keys(fields));
  const places = storable(
    type,
    () => paths.flatMap((path) => placesOf(data, path).map((place) => [path, place] as const)),
  );
  return change(
    data,
    places.map(([, place]) => place),
    (container, key, index) =>
      Object.defineProperty(container, key, {
        enumerable: true,
        get() {
          const [path] = places[index]!;
          throw new TypeError(
            `"${path}" is sensitive: tags and subjects must not depend on it`,
          );
        },
      }),
  );
}
