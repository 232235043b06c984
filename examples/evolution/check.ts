// Fails a build whose events can no longer be read: compares the event types with the catalogue beside them in git.
import { toJsonSchema } from "@valibot/to-json-schema";
import type { AnyEventType, StandardSchema } from "event-sourcery";
import { type CatalogChange, compareCatalogs, eventCatalog } from "event-sourcery/evolution";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { GenericSchema } from "valibot";

/** What a build is checked with. */
export interface CheckOptions {
  /** The catalogue of what is in production, which is committed. */
  readonly file: string;
  /** The names of types that are no longer defined, as the store is told them. */
  readonly retired?: readonly string[];
  /** Also fail on what breaks processes of the release before, or programs that receive the events. */
  readonly strict?: boolean;
  /** Write the catalogue, whatever changed: for a change that was looked at. */
  readonly accept?: boolean;
  /** Receives a line for each change. */
  readonly print?: (line: string) => void;
}

/** Checks the event types of a program, and returns the exit code of the build. */
export function check(events: readonly AnyEventType[], options: CheckOptions): number {
  const { file, retired = [], strict = false, print = console.log } = options;
  const catalog = eventCatalog(events, { toJsonSchema: convert, retired });
  const text = `${JSON.stringify(catalog, null, 2)}\n`;
  const before = existsSync(file) ? readFileSync(file, "utf8") : text;
  const { breaking, compatible } = compareCatalogs(JSON.parse(before), catalog);
  for (const change of breaking) print(`BREAKS ${change.breaks}: ${line(change)}`);
  for (const change of compatible) {
    print(`${change.breaks ? `breaks ${change.breaks}` : "compatible"}: ${line(change)}`);
  }
  const failed = breaking.length > 0 ||
    strict && compatible.some(({ breaks }) => breaks === "older code");
  if (failed && !options.accept) return 1;
  writeFileSync(file, text); // to be committed with the change
  return 0;
}

/** Valibot has a converter of its own; Zod and ArkType describe themselves. */
export function convert(schema: StandardSchema<unknown, unknown>): unknown {
  if (schema["~standard"].vendor !== "valibot") return undefined;
  return toJsonSchema(schema as GenericSchema, {
    target: "draft-2020-12",
    typeMode: "output", // what is stored
    errorMode: "ignore",
    overrideSchema: ({ valibotSchema: { type }, jsonSchema }) => {
      if (type === "date") return { type: "string", format: "date-time", "x-type": "Date" };
      const name = foreign.get(type);
      return name === undefined ? jsonSchema : { ...jsonSchema, "x-type": name };
    },
  });
}

/** Values that JSON does not have: what Valibot calls them, and their names in JavaScript. */
const foreign = new Map([["bigint", "bigint"], ["map", "Map"], ["set", "Set"], [
  "undefined",
  "undefined",
]]);

function line({ type, path, reason }: CatalogChange): string {
  return `${type}${path && `.${path}`} ${reason}`;
}
