import type { Inspector } from "../inspect/mod.ts";
import { type Fields, type Input, readInput, type Schema } from "./input.ts";

/** What the tools work with. */
export interface Context {
  /** What is looked into: with masks, and of one tenant where one was given. */
  readonly inspector: Inspector;
  /** The only tenant that is shown; undefined for all. */
  readonly tenant: string | undefined;
  /** How many positions of the log a search goes through. */
  readonly budget: number;
}

/** A tool as it is written. */
interface Definition<F extends Fields> {
  readonly name: string;
  readonly title: string;
  /** What it does, for whoever chooses among the tools. */
  readonly about: string;
  readonly input: F;
  /** The answer in JSON Schema. */
  readonly output: Schema;
  /** Runs it. @throws {Refused} If it cannot be answered. */
  readonly run: (context: Context, input: Input<F>) => Promise<object>;
}

/** A tool as it is called. */
export interface Tool extends Omit<Definition<Fields>, "run"> {
  readonly run: (context: Context, given: unknown) => Promise<object>;
}

/** Makes a tool: the types of what it gets follow from its arguments. */
export function tool<const F extends Fields>({ run, ...rest }: Definition<F>): Tool {
  return { ...rest, run: (context, given) => run(context, readInput(rest.input, given)) };
}

export const text: Schema = { type: "string" };
export const whole: Schema = { type: "integer" };
export const flag: Schema = { type: "boolean" };
/** Whatever was stored. */
export const anything: Schema = {};

/** A list in JSON Schema. */
export function list(items: Schema): Schema {
  return { type: "array", items };
}

/** An object in JSON Schema; those whose names end in `?` may be missing. */
export function record(members: Readonly<Record<string, Schema>>): Schema {
  const entries = Object.entries(members);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, it]) => [name.replace("?", ""), it])),
    required: entries.map(([name]) => name).filter((name) => !name.endsWith("?")),
  };
}
