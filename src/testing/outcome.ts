import assert from "node:assert/strict";
import type { Event } from "../event/event.ts";
import { kind } from "../errors/check.ts";
import { isPromise } from "../errors/kind.ts";

/** What a command did. */
type Outcome =
  | { readonly failed: false; readonly events: readonly Event[] }
  | { readonly failed: true; readonly error: unknown };

/** What is asked of a command once it is done. */
interface Sources {
  /** The events that were emitted. */
  readonly emitted: () => readonly Event[];
  /** The state after them, or the part of it that the expected one names. */
  readonly state: (expected: unknown) => unknown;
}

/**
 * Runs a command now, and returns what checks its outcome.
 *
 * @param command Answers with a promise if it is asynchronous.
 */
export function outcomeOf<Result extends void | Promise<void>>(
  command: () => unknown,
  { emitted, state }: Sources,
): Then<Event, Result> {
  const outcome = attempt(command, () => ({ failed: false, events: emitted() }));
  // A command that answers with a promise is checked when that is settled; its type says so.
  const check = (assertion: (outcome: Outcome) => void) =>
    (outcome instanceof Promise ? outcome.then(assertion) : assertion(outcome)) as Result;
  return {
    emits: (...expected) => check((outcome) => assertEmits(outcome, expected.flat())),
    emitsNothing: () => check((outcome) => assertEmits(outcome, [])),
    fails: (expected) => check((outcome) => assertFails(outcome, expected)),
    hasState: (expected) =>
      check((outcome) => {
        if (outcome.failed) throw unexpected("lead to a state", outcome.error, expected);
        assertState(state(expected), expected);
      }),
  };
}

/** Asserts that a state is exactly the expected one. */
export function assertState(actual: unknown, expected: unknown): void {
  try {
    assert.deepStrictEqual(actual, expected);
  } catch (error) {
    const message = `Expected the events to lead to another state\n${(error as Error).message}`;
    throw failure(message, actual, expected);
  }
}

function attempt(command: () => unknown, done: () => Outcome): Outcome | Promise<Outcome> {
  const failed = (error: unknown): Outcome => ({ failed: true, error });
  try {
    const result = command();
    // Promise.resolve takes any thenable, and a rejection is held until it is asserted.
    return isPromise(result) ? Promise.resolve(result).then(done, failed) : done();
  } catch (error) {
    return failed(error);
  }
}

function assertEmits(
  outcome: Outcome,
  expected: readonly Pick<Event, "type" | "data">[],
): void {
  if (outcome.failed) {
    throw unexpected(`emit ${names(expected)}`, outcome.error, expected.map(essence));
  }
  const actual = outcome.events.map(essence);
  const wanted = expected.map(essence);
  try {
    assert.deepStrictEqual(actual, wanted);
  } catch (error) {
    const other = names(actual) === names(wanted) ? " with other data" : "";
    throw failure(
      `Expected the command to emit ${names(expected)}, but it emitted ${names(actual)}${other}\n` +
        (error as Error).message,
      actual,
      wanted,
    );
  }
}

function unexpected(wanted: string, error: unknown, expected: unknown): Error {
  const message = `Expected the command to ${wanted}, but it failed: ${text(error)}`;
  return failure(message, error, expected, error);
}

function assertFails(outcome: Outcome, expected: ExpectedError | undefined): void {
  const wanted = `Expected the command to fail with ${describe(expected)}`;
  if (!outcome.failed) {
    throw failure(`${wanted}, but it emitted ${names(outcome.events)}`, undefined, expected);
  }
  const { error } = outcome;
  if (matches(error, expected)) return;
  const found = `${text(error)}${differences(error, expected)}`;
  throw failure(`${wanted}, but it failed with ${found}`, error, expected, error);
}

function essence({ type, data }: Pick<Event, "type" | "data">): Pick<Event, "type" | "data"> {
  return { type, data };
}

function matches(error: unknown, expected: ExpectedError | undefined): boolean {
  if (expected === undefined) return true;
  if (expected instanceof RegExp) return expected.test(text(error)) || expected.test(raw(error));
  if (isClass(expected)) return error instanceof expected;
  if (typeof expected === "function") return (expected as (error: unknown) => boolean)(error);
  if (typeof error !== "object" || error === null) return false;
  // Neither name nor message of an error need be fields of its own.
  const named = expected instanceof Error
    ? { name: expected.name, message: expected.message }
    : undefined;
  return Object.entries({ ...named, ...expected }).every(([key, value]) =>
    isSame(Reflect.get(error, key), value)
  );
}

function isSame(actual: unknown, expected: unknown): boolean {
  if (expected instanceof RegExp && typeof actual === "string") return expected.test(actual);
  try {
    assert.deepStrictEqual(actual, expected);
    return true;
  } catch {
    return false;
  }
}

/** A function may be a class or a predicate; a predicate is seldom a class of errors, or written as a class. */
function isClass(value: unknown): value is abstract new (...args: never[]) => unknown {
  return typeof value === "function" &&
    (value === Error || value.prototype instanceof Error ||
      /^class\b/.test(Function.prototype.toString.call(value)));
}

function describe(expected: ExpectedError | undefined): string {
  if (expected === undefined) return "an error";
  if (expected instanceof RegExp) return `an error that matches ${expected}`;
  if (expected instanceof Error) return text(expected);
  if (isClass(expected)) return expected.name;
  if (typeof expected === "function") return "an error that the function accepts";
  const fields = Object.entries(expected).map(([key, value]) => `${key} ${show(value)}`);
  return `an error with ${fields.join(", ")}`;
}

/** The fields of an error that are not as they are expected to be. */
function differences(error: unknown, expected: ExpectedError | undefined): string {
  if (typeof expected !== "object" || expected instanceof RegExp || expected instanceof Error) {
    return "";
  }
  if (typeof error !== "object" || error === null) return "";
  const fields = Object.entries(expected).flatMap(([key, value]) => {
    const actual: unknown = Reflect.get(error, key);
    return isSame(actual, value) ? [] : [`${key} ${show(actual)}`];
  });
  return ` with ${fields.join(", ")}`;
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" && value !== null && !(value instanceof RegExp)
    ? kind(value)
    : raw(value);
}

function names(events: readonly Pick<Event, "type">[]): string {
  return events.length === 0 ? "nothing" : events.map(({ type }) => type).join(", ");
}

/** The text of an error; a class that sets no name of its own is named all the same. */
function text(error: unknown): string {
  if (!(error instanceof Error) || Object.hasOwn(error, "name")) return raw(error);
  const { constructor, message } = error;
  return Object.hasOwn(constructor.prototype, "name")
    ? raw(error)
    : `${constructor.name}: ${message}`;
}

function raw(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "an error without a text";
  }
}

function failure(message: string, actual: unknown, expected: unknown, cause?: unknown): Error {
  const error = new assert.AssertionError({ message, actual, expected, operator: "given" });
  if (cause !== undefined) Object.defineProperty(error, "cause", { value: cause });
  return error;
}

/** Events that are expected: only type and data count, so that ids and times need not be known. */
export type ExpectedEvent<E extends Event> = E extends Event ? Pick<E, "type" | "data"> : never;

/**
 * What an error is expected to be: an error class; a pattern that its text (`RangeError: too much`) matches; an error
 * of the same name, message and fields; fields that it must have (a pattern stands for a string); or a function that
 * says whether it is the one.
 */
export type ExpectedError =
  | (abstract new (...args: never[]) => unknown)
  | RegExp
  | Readonly<Record<string, unknown>>
  | Error
  | ((error: unknown) => boolean);

/** What a state is checked with. */
export interface HasState<State, Result> {
  /**
   * Asserts what the events lead to, the history's and the command's.
   *
   * @param state The state of a decider, all of it; of an aggregate the public members that count, getters included.
   * @throws {AssertionError} If the state is another, or the command failed; its error is the `cause` then.
   */
  hasState(state: State): Result;
}

/**
 * What is to be checked after a command. `Result` is `void`, or `Promise<void>` where the command is asynchronous:
 * then await it.
 */
export interface Then<E extends Event, Result, State = unknown> extends HasState<State, Result> {
  /**
   * Asserts that the command brought about exactly these events, in this order. Compares type and data.
   *
   * @param events The events, as arguments or as lists.
   * @throws {AssertionError} If there are others, or the command failed; its error is the `cause` then.
   */
  emits(...events: readonly (ExpectedEvent<E> | readonly ExpectedEvent<E>[])[]): Result;

  /**
   * Asserts that the command succeeded and changed nothing.
   *
   * @throws {AssertionError} If there are events, or the command failed; its error is the `cause` then.
   */
  emitsNothing(): Result;

  /**
   * Asserts that the command failed.
   *
   * @param error What it must have failed with. @default any error
   * @throws {AssertionError} If it succeeded, or failed with another error, which is the `cause` then.
   */
  fails(error?: ExpectedError): Result;
}
