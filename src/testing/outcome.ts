import assert from "node:assert/strict";
import type { Event } from "../event/event.ts";
import { isPromise } from "../errors/kind.ts";

/** What a command did. */
type Outcome =
  | { readonly failed: false; readonly events: readonly Event[] }
  | { readonly failed: true; readonly error: unknown };

/**
 * Runs a command now, and gives what checks its outcome.
 *
 * @param command Answers with a promise if it is asynchronous.
 * @param emitted Tells what was emitted, once the command is done.
 */
export function outcomeOf(
  command: () => unknown,
  emitted: () => readonly Event[],
): Then<Event, void | Promise<void>> {
  const outcome = attempt(command, () => ({ failed: false, events: emitted() }));
  const check = (assertion: (outcome: Outcome) => void): void | Promise<void> =>
    outcome instanceof Promise ? outcome.then(assertion) : assertion(outcome);
  return {
    emits: (...expected) => check((outcome) => assertEmits(outcome, expected.flat())),
    emitsNothing: () => check((outcome) => assertEmits(outcome, [])),
    fails: (expected) => check((outcome) => assertFails(outcome, expected)),
  };
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
    throw failure(
      `Expected the command to emit ${names(expected)}, but it failed: ${text(outcome.error)}`,
      outcome.error,
      expected.map(essence),
      outcome.error,
    );
  }
  const actual = outcome.events.map(essence);
  const wanted = expected.map(essence);
  try {
    assert.deepStrictEqual(actual, wanted);
  } catch (error) {
    throw failure(
      `Expected the command to emit ${names(expected)}, but it emitted ${names(actual)}\n` +
        (error as Error).message,
      actual,
      wanted,
    );
  }
}

function assertFails(outcome: Outcome, expected: ExpectedError | undefined): void {
  const wanted = `Expected the command to fail with ${describe(expected)}`;
  if (!outcome.failed) {
    throw failure(`${wanted}, but it emitted ${names(outcome.events)}`, undefined, expected);
  }
  const { error } = outcome;
  if (matches(error, expected)) return;
  throw failure(`${wanted}, but it failed with ${text(error)}`, error, expected, error);
}

function essence({ type, data }: Pick<Event, "type" | "data">): Pick<Event, "type" | "data"> {
  return { type, data };
}

function matches(error: unknown, expected: ExpectedError | undefined): boolean {
  if (expected === undefined) return true;
  if (expected instanceof RegExp) return expected.test(text(error));
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
  return `an error with the given ${Object.keys(expected).join(", ")}`;
}

function names(events: readonly Pick<Event, "type">[]): string {
  return events.length === 0 ? "nothing" : events.map(({ type }) => type).join(", ");
}

function text(error: unknown): string {
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

/**
 * What is to be checked after a command. `Result` is `void`, or `Promise<void>` where the command is asynchronous:
 * then await it.
 */
export interface Then<E extends Event, Result> {
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
