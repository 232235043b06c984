import assert from "node:assert/strict";
import type { Event } from "../event/event.ts";
import { kind } from "../errors/check.ts";
import { isPromise } from "../errors/kind.ts";

/** Outcome of a command. */
type Outcome =
  | { readonly failed: false; readonly events: readonly Event[] }
  | { readonly failed: true; readonly error: unknown };

/** How an outcome is read after the command has ended. */
interface Sources {
  /** The events that were emitted. */
  readonly emitted: () => readonly Event[];
  /** The state after the events, or the part of it that the expected state names. */
  readonly state: (expected: unknown) => unknown;
}

/**
 * Runs a command immediately and returns the assertions on its outcome.
 *
 * @param command Returns a promise if it is asynchronous.
 */
export function outcomeOf<Result extends void | Promise<void>>(
  command: () => unknown,
  { emitted, state }: Sources,
): Then<Event, Result> {
  const outcome = attempt(command, () => ({ failed: false, events: emitted() }));
  // An asynchronous command is checked after its promise settles; `Result` is a promise exactly then.
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
    // Promise.resolve accepts any thenable; a rejection becomes an outcome, so it is never unhandled.
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
  // The name and message of an error need not be own properties.
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

/** Reports whether a function is a class, and not a predicate: it extends `Error`, or is written as a class. */
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

/** Describes the fields of an error that differ from the expected ones. */
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

/** Returns the text of an error; without a `name` of its own it begins with the name of its class. */
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

/**
 * An expected event: only type and data are compared, so ids and times need not be known.
 *
 * @category Testing
 */
export type ExpectedEvent<E extends Event> = E extends Event ? Pick<E, "type" | "data"> : never;

/**
 * An expected error: an error class; a pattern for its text (`RangeError: too much`); an error with the same name,
 * message and fields; fields that it must have (a pattern matches a string); or a predicate.
 *
 * @category Testing
 */
export type ExpectedError =
  | (abstract new (...args: never[]) => unknown)
  | RegExp
  | Readonly<Record<string, unknown>>
  | Error
  | ((error: unknown) => boolean);

/**
 * Assertion on a state.
 *
 * @category Testing
 */
export interface HasState<State, Result> {
  /**
   * Asserts the state after the history and the command's events.
   *
   * @param state The whole state of a decider; the public members to compare of an aggregate, getters included.
   * @throws {AssertionError} If the state differs, or the command failed; its error is the `cause` then.
   */
  hasState(state: State): Result;
}

/**
 * Assertions on the outcome of a command. They return `Result`: `void`, or a `Promise<void>` to await if the command is
 * asynchronous.
 *
 * @category Testing
 */
export interface Then<E extends Event, Result, State = unknown> extends HasState<State, Result> {
  /**
   * Asserts that the command emitted exactly these events, in this order. Compares type and data.
   *
   * @param events The events, as arguments or as lists.
   * @throws {AssertionError} If the events differ, or the command failed; its error is the `cause` then.
   */
  emits(...events: readonly (ExpectedEvent<E> | readonly ExpectedEvent<E>[])[]): Result;

  /**
   * Asserts that the command succeeded and emitted no events.
   *
   * @throws {AssertionError} If it emitted events, or failed; its error is the `cause` then.
   */
  emitsNothing(): Result;

  /**
   * Asserts that the command failed.
   *
   * @param error The expected error. @default any error
   * @throws {AssertionError} If it succeeded, or failed with another error, which is the `cause` then.
   */
  fails(error?: ExpectedError): Result;
}
