import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import * as mod from "../../mod.ts";
import { root } from "../support/root.ts";

const { EventSourceryError, isEventSourceryError } = mod;
const quoted = "\u0000\ud800".padEnd(2000, "x");

/** One error of every class. */
const errors: readonly mod.AnyEventSourceryError[] = [
  new mod.AggregateDiscardedError("hall"),
  new mod.BusyError(5000),
  new mod.ConcurrencyError("order:42", 3, 5),
  new mod.ConnectionError(),
  new mod.CorruptEventError("order:42", 3, "its data does not decode"),
  new mod.DriverError("append to the store", {
    reason: "the database refused with undefined_table (42P01)",
  }),
  new mod.DuplicateEventError("my-id"),
  new mod.DuplicateEventTypeError("Placed"),
  new mod.FilterMismatchError("outbox", { types: ["Placed"] }, { types: ["Placed", "Paid"] }),
  new mod.HandlerTimeoutError("outbox", 1000),
  new mod.InvalidEventError("Placed", [{ message: "m", path: ["lines", 2, "price"] }]),
  new mod.KeyUnavailableError("read event 3 of stream", "its key is unknown"),
  new mod.LanesMismatchError("outbox", 2, 4),
  new mod.LeaseLostError("outbox"),
  new mod.MissingSchemaError('schema "event_sourcery"'),
  new mod.NewerEventError("Placed", 3, 2),
  new mod.NewerSchemaError(7, 1),
  new mod.OutdatedSchemaError(1, 2),
  new mod.PermanentError("the message is too large"),
  new mod.RetryLaterError("the server is busy", 1000),
  new mod.SnapshotError("order:42", "aggregate", "it cannot be kept"),
  new mod.StoreRewoundError(5, 9),
  new mod.TransactionAbortedError(),
  new mod.UnknownEventTypeError("Placed"),
  new mod.UnknownOutcomeError(["order:42"]),
  new mod.UnsupportedError("begin a transaction", "the handle has none"),
];

test("every error class has a code of its own", () => {
  const classes = Object.entries(mod).filter(([, value]) =>
    typeof value === "function" && value.prototype instanceof EventSourceryError
  );
  assert.deepEqual(errors.map(({ name }) => name), classes.map(([name]) => name).sort());
  assert.equal(new Set(errors.map(({ code }) => code)).size, errors.length);
  for (const { name, code } of errors) {
    assert.equal(code, name.replace(/Error$/, "").replace(/(?<=.)[A-Z]/g, "_$&").toUpperCase());
  }
});

test("every error has its class, name, a message of the house's grammar and retryable", () => {
  for (const error of errors) {
    assert(error instanceof Error && error instanceof EventSourceryError);
    assert.match(error.message, /^Cannot [a-z].*[^.]$/);
    assert((error.stack ?? "").startsWith(`${error.name}: ${error.message}`), error.stack ?? "");
    assert.deepEqual(Object.keys(error).filter((key) => key === "name"), []);
    const retryable = [
      "BUSY",
      "CONCURRENCY",
      "CONNECTION",
      "HANDLER_TIMEOUT",
      "KEY_UNAVAILABLE",
      "LEASE_LOST",
      "RETRY_LATER",
      "TRANSACTION_ABORTED",
      "UNKNOWN_OUTCOME",
    ];
    assert.equal(error.retryable, retryable.includes(error.code));
    assert.equal("cause" in error, false);
  }
});

test("every error has the name of its class when a minifier has renamed the class", () => {
  const a = class extends mod.BusyError {};
  assert.deepEqual([new a(5).name, String(new a(5)).slice(0, 11)], ["BusyError", "BusyError: "]);
});

test("every error class says in its comment what to do", async () => {
  const folder = new URL("src/errors/", pathToFileURL(`${root}/`));
  const files = ["consumer.ts", "driver.ts", "event.ts", "store.ts"];
  const sources = await Promise.all(files.map((file) => readFile(new URL(file, folder), "utf8")));
  const remedy = /\n \* What to do: \S[^.]*(?:\w\.\w[^.]*)*\.\n(?: \*\n| \*\/\n)/;
  const comments = /\/\*\*\n((?: \*.*\n)+)export class (\w+) extends EventSourceryError/g;
  const found = sources.flatMap((source) => [...source.matchAll(comments)]);
  assert.deepEqual(found.map(([, , name]) => name).sort(), errors.map(({ name }) => name));
  for (const [, text = "", name = ""] of found) {
    const joined = text.replace(
      /(?<=\n \* What to do: (?:.*\n)*.*\S)\n \* (?=[^@`\s])/g,
      " ",
    );
    assert.match(joined, remedy, name);
  }
});

test("every error keeps its cause", () => {
  const cause = new Error("of the database");
  assert.equal(new mod.DriverError("append", { cause }).cause, cause);
  assert.equal(new mod.ConcurrencyError("a", 1, 2, { cause }).cause, cause);
  assert.equal(new mod.InvalidEventError("A", [], { cause, reason: "no" }).cause, cause);
});

test("errors say what was tried, what is and what was expected", () => {
  const messages = [
    [new mod.ConcurrencyError("order:42", 3, 5), "expected version 3, current version is 5"],
    [
      new mod.ConcurrencyError("order:42", 3, undefined, { reading: true }),
      'Cannot read stream "order:42": it was deleted after version 3',
    ],
    [new mod.ConcurrencyError("order:42", "noStream", 5), "expected no stream, current"],
    [
      new mod.ConcurrencyError("order:42", "streamExists", 0),
      "expected an existing stream, current",
    ],
    [
      new mod.InvalidEventError("A", [{ message: "m", path: ["lines", 2, "price"] }]),
      '"lines[2].price"',
    ],
    [new mod.InvalidEventError("A", [{ message: "m", path: [] }]), "at the top"],
  ] as const;
  for (const [error, part] of messages) assert(error.message.includes(part), error.message);
});

test("errors cut and escape long and hostile names", () => {
  const hostile = [
    new mod.ConcurrencyError(quoted, 1, 2),
    new mod.UnknownEventTypeError(quoted),
    new mod.DuplicateEventError(quoted),
    new mod.AggregateDiscardedError(quoted),
    new mod.CorruptEventError(quoted, 1, "no"),
    new mod.FilterMismatchError(quoted, { types: [] }, { types: Array(500).fill(quoted) }),
    new mod.HandlerTimeoutError("outbox", 1000),
    new mod.InvalidEventError(quoted, [{ message: "m", path: [quoted] }]),
  ];
  for (const { message } of hostile) {
    assert(message.length < 1000);
    assert.doesNotMatch(message, /[\0\p{Surrogate}]/u);
  }
});

test("isEventSourceryError() tells errors apart by code", () => {
  for (const error of errors) {
    assert(isEventSourceryError(error));
    const matching = errors.filter(({ code }) => isEventSourceryError(error, code));
    assert.deepEqual(matching, [error]);
  }
});

test("isEventSourceryError() is false for everything else", () => {
  const branded = { code: "CONCURRENCY" };
  for (const value of [undefined, null, 5, "CONCURRENCY", new Error("no"), branded, () => {}]) {
    assert.equal(isEventSourceryError(value), false);
    assert.equal(isEventSourceryError(value, "CONCURRENCY"), false);
  }
});

test("isEventSourceryError() recognises the errors of another copy of the package", async (context) => {
  const typed = import.meta.url.endsWith(".ts");
  const folder = await mkdtemp(join(tmpdir(), "event-sourcery-copy-"));
  context.after(() => rm(folder, { recursive: true }));
  const ending = typed ? "ts" : "js";
  const errors = join(folder, "errors");
  await cp(new URL("../../src/errors/", import.meta.url), errors, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  const load = (file: string) => import(pathToFileURL(join(errors, `${file}.${ending}`)).href);
  const copy: typeof mod = { ...await load("store"), ...await load("guard") };
  const error: unknown = new copy.ConcurrencyError("order:42", 3, 5);
  assert.equal(error instanceof mod.ConcurrencyError, false);
  assert(isEventSourceryError(error, "CONCURRENCY"));
  assert.equal(error.actual, 5);
  assert.equal(isEventSourceryError(error, "BUSY"), false);
  assert(copy.isEventSourceryError(new mod.BusyError(5), "BUSY"));
});

test("isEventSourceryError() recognises an error of another realm by its brand", () => {
  const brand = Symbol.for("event-sourcery.error");
  assert(isEventSourceryError({ [brand]: true, code: "BUSY" }, "BUSY"));
});
