import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import FakeTimers from "@sinonjs/fake-timers";
import { memory } from "../../drivers/memory/mod.ts";
import { defineEvent, EventStore, isEventSourceryError } from "../../mod.ts";
import { run } from "../support/command.ts";
import { runtime } from "../support/root.ts";

const Noted = defineEvent<unknown>()("Noted");
const early = new Date("2020-01-01T00:00:00Z");

async function stored(data: unknown, createdAt?: Date): Promise<unknown> {
  const store = new EventStore(memory(), { events: [Noted] });
  await store.append("a", Noted(data, { createdAt }));
  const [event] = await store.load("a", { limit: 1 });
  if (createdAt !== undefined) assert.equal(event?.createdAt.getTime(), createdAt.getTime());
  return event?.data;
}

test("an event takes a Date from before the clock was faked, and one from before it was restored", async () => {
  const clock = FakeTimers.install({ now: early, toFake: ["Date"] });
  let faked: Date;
  try {
    faked = new Date();
    assert.notEqual(Object.getPrototypeOf(early), Date.prototype, "the clock replaces Date");
    // What is stored is of the real Date, which a strict comparison tells from the faked one.
    const data = await stored({ early, faked }, early);
    assert.equal(JSON.stringify(data), JSON.stringify({ early, faked }));
  } finally {
    clock.uninstall();
  }
  const data = await stored({ faked }, faked);
  assert.deepEqual(data, { faked: early });
});

test("an event takes Date, Map, Set, bytes and lists of another realm", async () => {
  const foreign: unknown = runInNewContext(`({
    at: new Date(0), map: new Map([["a", new Set([1])]]), bytes: new Uint8Array([1, 2]), list: [[1]],
  })`);
  const data = await stored(foreign, runInNewContext("new Date(5)"));
  assert.deepEqual(data, {
    ...{ at: new Date(0), map: new Map([["a", new Set([1])]]) },
    ...{ bytes: new Uint8Array([1, 2]), list: [[1]] },
  });
});

test("an event refuses instances of classes of another realm", () => {
  for (const made of ["class A {}; new A()", "new (class extends Map {})()", "new Error('no')"]) {
    assert.throws(
      () => Noted(runInNewContext(made)),
      (error) => isEventSourceryError(error, "INVALID_EVENT"),
    );
  }
});

test("an event refuses what only looks like a Date, a Map or a Set", () => {
  for (const { prototype } of [Date, Map, Set]) {
    const looks: object = Object.create(prototype);
    assert.throws(() => Noted(looks), { message: /an instance of a class/ });
  }
});

test("load() takes a Date of another realm", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  await store.append("a", Noted(1));
  const at: Date = runInNewContext("new Date(0)");
  assert.equal(await store.fold("a", 0, (count) => count + 1, { at }), 0);
});

test("the library works where all prototypes are frozen", { timeout: 60_000 }, async () => {
  const extension = import.meta.url.endsWith(".js") ? "js" : "ts";
  const program = fileURLToPath(new URL(`../support/frozen.${extension}`, import.meta.url));
  const flags = runtime === "deno" ? ["run", "--allow-all", "--no-check", "--quiet"] : [];
  const { ok, output } = await run([process.execPath, ...flags, program]);
  assert(ok && output.trim().endsWith("done"), output);
});
