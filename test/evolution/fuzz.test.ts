// What the comparison lets pass must fit: random schemas, and values of the one that are no values of the other.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { JsonSchema } from "../../src/evolution/mod.ts";
import { compareCatalogs, type EventCatalog } from "../../src/evolution/mod.ts";
import { Chance, seed } from "../support/seed.ts";

const rounds = Number(process.env["EVOLUTION_ROUNDS"] ?? 4000);
const samples = 30;

type Keywords = Exclude<JsonSchema, boolean>;

/** The first schemas of `$defs`, which refer to each other. */
const names = ["A", "B"];

function schemaOf(chance: Chance, depth: number): Keywords {
  switch (chance.below(depth > 0 ? 12 : 7)) {
    case 0:
      return { type: "string" };
    case 1:
      return { type: "number" };
    case 2:
      return { type: "integer" };
    case 3:
      return { enum: ["x", "y", 1, true, null].filter(() => chance.below(2) > 0) };
    case 4:
      return { type: ["string", "null"] };
    case 5:
      return { type: "string", format: "date-time", "x-type": "Date" };
    case 6:
      return chance.below(4) > 0 ? { type: "boolean" } : {};
    case 7:
      return { type: "array", items: schemaOf(chance, depth - 1) };
    case 8: {
      const prefixItems = Array.from(
        { length: 1 + chance.below(2) },
        () => schemaOf(chance, depth - 1),
      );
      const items = chance.below(2) > 0 && schemaOf(chance, depth - 1);
      return { type: "array", prefixItems, items, minItems: chance.below(prefixItems.length + 1) };
    }
    case 9:
      return {
        anyOf: Array.from({ length: 1 + chance.below(3) }, () => schemaOf(chance, depth - 1)),
      };
    case 10:
      return { $ref: `#/$defs/${names[chance.below(names.length)]}` };
    default:
      return objectOf(chance, depth);
  }
}

function objectOf(chance: Chance, depth: number): Keywords {
  const fields = ["a", "b", "c"].filter(() => chance.below(3) > 0);
  return {
    type: "object",
    properties: Object.fromEntries(fields.map((name) => [name, schemaOf(chance, depth - 1)])),
    required: fields.filter(() => chance.below(2) > 0),
    additionalProperties: chance.below(4) === 0 && schemaOf(chance, depth - 1),
  };
}

function rootOf(chance: Chance): Keywords {
  const $defs = Object.fromEntries(names.map((name) => [name, objectOf(chance, 2)]));
  return { ...schemaOf(chance, 3), $defs };
}

const mutable = "properties items prefixItems minItems anyOf required additionalProperties $defs"
  .split(" ");

/** A schema with one thing changed, so that pairs are often near each other. */
function changed(schema: JsonSchema, chance: Chance): JsonSchema {
  if (typeof schema === "boolean" || chance.below(4) === 0) return schemaOf(chance, 1);
  const parts = Object.entries(schema).filter(([key]) => mutable.includes(key));
  const [key, part] = parts[chance.below(parts.length || 1)] ?? ["", undefined];
  if (key === "minItems") return { ...schema, minItems: chance.below(3) };
  if (Array.isArray(part) && part.length > 0) {
    const index = chance.below(part.length || 1);
    if (key === "required" || chance.below(2) > 0) {
      return { ...schema, [key]: part.toSpliced(index, 1) };
    }
    return { ...schema, [key]: part.with(index, changed(part[index], chance)) };
  }
  if (key === "properties" || key === "$defs") {
    const entries = Object.entries(Object(part));
    const [name, inner] = entries[chance.below(entries.length || 1)] ?? ["a", true];
    const now = changed(inner as JsonSchema, chance);
    // What is referred to stays an object, or references would lead round in circles.
    const kept = key === "$defs" && Object(now).type !== "object" ? objectOf(chance, 2) : now;
    return { ...schema, [key]: { ...Object(part), [name]: kept } };
  }
  if (part === undefined || Array.isArray(part)) return schemaOf(chance, 1);
  return { ...schema, [key]: changed(part as JsonSchema, chance) };
}

/** No value: the schema has none, or it would not end. */
const none = Symbol();

function valueOf(schema: unknown, root: Keywords, chance: Chance, depth: number): unknown {
  if (schema === false || depth < 0) return none;
  const it: Keywords = schema === true ? {} : Object(schema);
  const pick = (list: readonly unknown[]): unknown => list[chance.below(list.length)];
  const inner = (part: unknown) => valueOf(part, root, chance, depth - 1);
  if (it["$ref"]) return inner(defsOf(root)[String(it["$ref"]).slice(8)]);
  if (Array.isArray(it["anyOf"])) return inner(pick(it["anyOf"]));
  if (Array.isArray(it["enum"])) return it["enum"].length > 0 ? pick(it["enum"]) : none;
  if (it["x-type"] === "Date") return new Date(0);
  switch (pick([it["type"]].flat())) {
    case "string":
      return pick(["x", "z", ""]);
    case "number":
      return pick([1, 0.5]);
    case "integer":
      return pick([1, 2]);
    case "boolean":
      return chance.below(2) > 0;
    case "null":
      return null;
    case "array": {
      const prefix: readonly unknown[] = (it["prefixItems"] ?? []) as readonly unknown[];
      const least = Math.min(prefix.length, Number(it["minItems"] ?? 0));
      const length = least + chance.below(3);
      const list: unknown[] = [];
      for (let index = 0; index < length; index++) {
        const value = inner(prefix[index] ?? it["items"]);
        if (value === none) return index < least ? none : list;
        list.push(value);
      }
      return list;
    }
    case "object": {
      const entries: [string, unknown][] = [];
      const required = it["required"] as readonly string[];
      for (const [name, part] of Object.entries(Object(it["properties"]))) {
        if (!required.includes(name) && chance.below(2) > 0) continue;
        const value = inner(part);
        if (value !== none) entries.push([name, value]);
        else if (required.includes(name)) return none;
      }
      for (const name of ["a", "b", "k"]) {
        if (name in Object(it["properties"]) || chance.below(2) > 0) continue;
        const value = inner(it["additionalProperties"]);
        if (value !== none) entries.push([name, value]);
      }
      return Object.fromEntries(entries);
    }
    default:
      return pick(["x", 1, null, true, [], {}, 0.5, new Date(0)]);
  }
}

/** Whether a value is of the type that a schema describes; an unknown key is passed over by who reads. */
function isOf(value: unknown, schema: unknown, root: Keywords): boolean {
  if (typeof schema === "boolean") return schema;
  const it: Keywords = Object(schema);
  if (it["$ref"]) return isOf(value, defsOf(root)[String(it["$ref"]).slice(8)], root);
  if (Array.isArray(it["anyOf"])) return it["anyOf"].some((part) => isOf(value, part, root));
  if (Array.isArray(it["enum"])) return it["enum"].includes(value);
  if (it["x-type"] === "Date") return value instanceof Date;
  if (it["type"] === undefined) return true;
  return [it["type"]].flat().some((type) => {
    if (type === "null") return value === null;
    if (type === "integer") return Number.isInteger(value);
    if (type === "array") {
      const prefix = (it["prefixItems"] ?? []) as readonly unknown[];
      const least = Math.min(prefix.length, Number(it["minItems"] ?? 0));
      return Array.isArray(value) && value.length >= least &&
        value.every((item, index) => isOf(item, prefix[index] ?? it["items"], root));
    }
    const own: string = typeof value;
    if (type !== "object") return own === type;
    if (typeof value !== "object" || value === null) return false;
    if (Array.isArray(value) || value instanceof Date) return false;
    const properties: Record<string, unknown> = Object(it["properties"]);
    const rest = it["additionalProperties"];
    return (it["required"] as readonly string[]).every((name) => name in value) &&
      Object.entries(value).every(([name, part]) =>
        isOf(part, properties[name] ?? (rest === false ? true : rest), root)
      );
  });
}

function defsOf(root: Keywords): Record<string, unknown> {
  return Object(root["$defs"]);
}

function catalog(schema: JsonSchema): EventCatalog {
  const event = { type: "A", version: 1, aliases: [], schema, tagged: false, sensitive: [] };
  return { format: 1, events: [event], retired: [] };
}

test(`compareCatalogs() lets nothing pass that cannot be read (seed ${seed})`, () => {
  const chance = new Chance();
  const count = { passed: 0, refused: 0, proven: 0 };
  for (let round = 0; round < rounds; round++) {
    const before = rootOf(chance);
    let after = Object(changed(before, chance)) as Keywords;
    if (chance.below(3) === 0) after = Object(changed(after, chance));
    if (!("$defs" in after)) after = { ...after, $defs: before["$defs"] };
    const { breaking } = compareCatalogs(catalog(before), catalog(after));
    const misfit = Array.from({ length: samples }, () => valueOf(before, before, chance, 6))
      .find((value) => value !== none && !isOf(value, after, after));
    if (breaking.length === 0) {
      const all = JSON.stringify({ before, after, misfit });
      assert.equal(misfit, undefined, all);
      count.passed++;
    } else {
      count.refused++;
      if (misfit !== undefined) count.proven++;
    }
    assert.deepEqual(compareCatalogs(catalog(before), catalog(before)).breaking, []);
  }
  // Caution is no use if it refuses everything.
  assert(count.passed > rounds / 10 && count.proven > count.refused / 2, JSON.stringify(count));
  if (process.env["EVOLUTION_ROUNDS"]) console.log(count);
});
