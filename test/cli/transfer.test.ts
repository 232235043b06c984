import {
  defineEvent,
  type Driver,
  EventStore,
  type RecordedEvent,
  type StoredEvent,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { subjectKeys } from "event-sourcery/privacy";
import { decodeEvent } from "event-sourcery/publishers";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { cloudLineOf, exportEvents } from "../../src/cli/transfer/export.ts";
import { checkLines, importLines } from "../../src/cli/transfer/import.ts";
import { LineError, lineOf } from "../../src/cli/transfer/line.ts";
import { Digest } from "../../src/cli/verify/digest.ts";
import { verify } from "../../src/cli/verify/verify.ts";
import { assertSame, data } from "../support/data.ts";
import { openLibsql, openPostgres } from "../support/engine.ts";
import { Chance, seed } from "../support/seed.ts";

const timeout = 60_000;

const Old = defineEvent<unknown>()("Noted");
const Noted = defineEvent<{ readonly value: unknown }>()("Noted", {
  upcast: [(value) => ({ value })],
});
const Joined = defineEvent<{ readonly name: string; readonly mail: string }>()("Joined", {
  sensitive: { subject: ({ name }) => name, fields: { mail: "" } },
});
const Empty = defineEvent("Empty");

const storeOn = (driver: Driver) =>
  new EventStore(driver, { events: [Noted, Joined, Empty], keys: "mask" });

/** Appends random events of all kinds to streams of several tenants, mixed. */
async function fill(driver: Driver, count: number): Promise<void> {
  const chance = new Chance(seed);
  const values = fc.sample(data, { numRuns: count, seed });
  const old = new EventStore(driver, { events: [Old] });
  const sealing = new EventStore(driver, {
    events: [Noted, Joined, Empty],
    keys: subjectKeys(),
  });
  for (const [n, value] of values.entries()) {
    const tenantId = chance.below(3) === 0 ? "acme" : "";
    const init = {
      tags: chance.below(2) === 0 ? [] : [`n:${n}`, "tag, “quoted”"],
      metadata: chance.below(2) === 0 ? {} : { user: "ada", at: new Date(n), big: 2n ** 70n },
      createdAt: new Date(Date.UTC(2020, 0, 1) + chance.below(1e9)),
    };
    const streamId = `s:${chance.below(5)}`;
    const [older, newer] = [old.scope({ tenantId }), sealing.scope({ tenantId })];
    const publish = chance.below(2) === 0;
    const kind = chance.below(4);
    if (kind === 0) {
      await (publish ? older.publish : older.append)(streamId, Old(value, init));
    } else {
      const event = kind === 1
        ? Noted({ value }, init)
        : kind === 2
        ? Joined({ name: `p${n % 3}`, mail: `${n}@x` }, init)
        : Empty(undefined, init);
      await (publish ? newer.publish : newer.append)(streamId, [event, Noted({ value: n })]);
    }
  }
}

async function linesOf(
  driver: Driver,
  options?: Parameters<typeof exportEvents>[1],
): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const event of exportEvents(storeOn(driver), options)) lines.push(lineOf(event));
  return lines;
}

/** What is the same after an import: all but the position, and the mark of the import. */
const kept = (lines: readonly string[]): readonly unknown[] =>
  lines.map((line) => ({ ...JSON.parse(line), position: 0, imported: true }));

async function decoded(driver: Driver): Promise<readonly unknown[]> {
  const events: unknown[] = [];
  for await (const { position: _, ...event } of storeOn(driver).readAll()) events.push(event);
  return events;
}

/** What `verify --digest` compares: the digests without their positions. */
async function digestOf(driver: Driver): Promise<readonly unknown[]> {
  const digest = new Digest();
  for await (const _ of verify(storeOn(driver), { deep: true, digest }));
  return (await digest.end()).map(({ position: _, ...part }) => part);
}

test("a log goes from Postgres to libSQL and back, and is the same", { timeout }, async () => {
  const [one, two] = [await openPostgres(), await openLibsql()];
  try {
    const [{ driver: first }, { driver: other }, { driver: last }] = [
      await one.place(),
      await two.place(),
      await one.place(),
    ];
    await fill(first, 120);
    const lines = await linesOf(first);
    assert.ok(lines.length > 150);
    const count = { lines: lines.length, imported: lines.length, known: 0 };
    assert.equal(await checkLines(storeOn(other), lines), lines.length);
    assert.equal((await linesOf(other)).length, 0);
    assert.deepEqual(await importLines(storeOn(other), lines, { batchSize: 77 }), count);
    const there = await linesOf(other);
    assert.deepEqual(kept(there), kept(lines), `SEED=${seed}`);
    assert.deepEqual(await importLines(storeOn(last), there), count);
    assert.deepEqual(kept(await linesOf(last)), kept(lines), `SEED=${seed}`);
    assertSame(await decoded(last), await decoded(first));
    const digests = [await digestOf(first), await digestOf(other), await digestOf(last)];
    assert.deepEqual(digests, Array(3).fill(digests[0]));
    const again = { ...count, imported: 0, known: lines.length };
    assert.deepEqual(await importLines(storeOn(last), lines, { batchSize: 50 }), again);
  } finally {
    await Promise.all([one.close(), two.close()]);
  }
});

test("a digest differs by each thing that is kept of an event, and by their order", async () => {
  const base: StoredEvent = {
    ...{ position: 7, tenantId: "", streamId: "s:1", version: 1, id: "a", type: "Noted" },
    ...{ schemaVersion: 1, createdAt: 0, data: { n: 1 }, metadata: {}, codec: null, tags: [] },
    ...{ published: false, imported: false },
  };
  const hashed = async (...events: readonly StoredEvent[]) => {
    const digest = new Digest();
    await digest.add(events);
    return (await digest.end()).map((part) => part.digest).join();
  };
  const changes: readonly Partial<StoredEvent>[] = [
    ...[{ tenantId: "t" }, { streamId: "s:2" }, { version: 2 }, { id: "b" }, { type: "Empty" }],
    ...[{ schemaVersion: 2 }, { createdAt: 1 }, { data: { n: 2 } }, { metadata: { n: 1 } }],
    ...[{ codec: { "/n": "bigint" } }, { tags: ["x"] }],
  ];
  const all = await Promise.all(changes.map((change) => hashed({ ...base, ...change })));
  assert.equal(new Set([...all, await hashed(base)]).size, changes.length + 1);
  assert.equal(await hashed({ ...base, position: 9, imported: true }), await hashed(base));
  const other = { ...base, id: "b" };
  assert.notEqual(await hashed(base, other), await hashed(other, base));
  // A piece is hashed as soon as it is whole, and pages of any size come to the same.
  const many = Array.from({ length: 2500 }, (_, n) => ({ ...base, id: `${n}` }));
  const digest = new Digest();
  for (let at = 0; at < many.length; at += 999) await digest.add(many.slice(at, at + 999));
  const [part] = await digest.end();
  assert.deepEqual([part!.first, part!.last, part!.digest], [1, 2500, await hashed(...many)]);
  assert.notEqual(part!.digest, await hashed({ ...base, id: "x" }, ...many.slice(1)));
  const parted = new Digest(1200);
  await parted.add(many);
  const parts = await parted.end();
  assert.deepEqual(parts.map(({ first, last }) => [first, last]), [
    ...[[1, 1200], [1201, 2400], [2401, 2500]],
  ]);
  assert.equal(parts[1]!.digest, await hashed(...many.slice(1200, 2400)));
});

test("exportEvents() goes on after a position, and filters", async () => {
  const driver = memory();
  await fill(driver, 50);
  const lines = await linesOf(driver);
  const { position } = JSON.parse(lines[20]!);
  assert.deepEqual(await linesOf(driver, { after: position }), lines.slice(21));
  const ofStream = lines.filter((line) => /"tenantId":"","streamId":"s:2"/.test(line));
  assert.deepEqual(await linesOf(driver, { streamId: "s:2" }), ofStream);
  assert.deepEqual(await linesOf(driver, { category: "s" }), lines);
  assert.deepEqual(await linesOf(driver, { category: "t" }), []);
});

test("importLines() goes on where it was interrupted, and after what an earlier file held", async () => {
  const [from, to] = [memory(), memory()];
  await fill(from, 40);
  const lines = await linesOf(from);
  await importLines(storeOn(to), lines.slice(0, 25));
  assert.equal(await checkLines(storeOn(to), lines.slice(25)), lines.length - 25);
  const { imported, known } = await importLines(storeOn(to), lines, { batchSize: 7 });
  assert.deepEqual([imported, known], [lines.length - 25, 25]);
  assert.deepEqual(kept(await linesOf(to)), kept(lines));
});

test("importLines() stores history, and runs no handler", async () => {
  const [from, to] = [memory(), memory()];
  await fill(from, 10);
  const lines = await linesOf(from);
  let handled = 0;
  const store = new EventStore(to, {
    events: [Noted, Joined, Empty],
    keys: "mask",
    subscriptions: { "*": [() => void handled++] },
  });
  await importLines(store, lines, { unpublished: true });
  assert.equal(handled, 0);
  const marks = (await linesOf(to)).map((line) => JSON.parse(line));
  assert.ok(marks.every(({ published, imported }) => !published && imported));
});

test("importLines() names the line that does not fit, and stores whole batches before it", async () => {
  const from = memory();
  await storeOn(from).append("a", [1, 2, 3, 4, 5, 6, 7].map((value) => Noted({ value })));
  const lines = await linesOf(from);
  const change = (at: number, fields: object) =>
    lines.map((line, index) =>
      index === at ? JSON.stringify({ ...JSON.parse(line), ...fields }) : line
    );
  const cases: readonly [readonly string[], RegExp][] = [
    [lines.with(4, "{"), /^Line 5: it is not JSON$/],
    [lines.with(4, "[]"), /^Line 5: it is no JSON object$/],
    [lines.with(4, '{"specversion":"1.0"}'), /^Line 5: it is a CloudEvent/],
    [change(4, { id: "" }), /^Line 5: id must not be empty/],
    [change(4, { version: 0 }), /^Line 5: version must be/],
    [change(4, { createdAt: "noon" }), /^Line 5: createdAt/],
    [change(4, { metadata: null }), /^Line 5: metadata/],
    [change(4, { published: 1 }), /^Line 5: published/],
    [change(4, { data: "a\0b" }), /^Line 5: data must be well-formed/],
    [change(4, { codec: [] }), /^Line 5: codec/],
    [
      lines.toSpliced(4, 1),
      /^Line 5: .*(hole before version 6|expected version 5, current version is 4)/,
    ],
  ];
  for (const [wrong, message] of cases) {
    const to = memory();
    await assert.rejects(checkLines(storeOn(to), wrong), { name: "LineError", line: 5, message });
    assert.equal(await storeOn(to).position(), 0);
    await assert.rejects(importLines(storeOn(to), wrong, { batchSize: 2 }), { line: 5, message });
    assert.equal((await linesOf(to)).length, 4);
  }
});

test("importLines() refuses what does not fit the store", async () => {
  const [from, to] = [memory(), memory()];
  await storeOn(from).append("a", [Noted({ value: 1 }), Noted({ value: 2 })]);
  const lines = await linesOf(from);
  const after = lines.slice(1);
  await assert.rejects(
    checkLines(storeOn(to), after),
    /Line 1: stream "a" has a hole before version 2/,
  );
  await assert.rejects(importLines(storeOn(to), after), LineError);
  await storeOn(to).append("a", Noted({ value: 9 }));
  await assert.rejects(checkLines(storeOn(to), lines), /Line 1: .* has another event of version 1/);
  await assert.rejects(importLines(storeOn(to), lines), /Line 1: Cannot append to stream "a"/);
  const tenant = storeOn(memory()).scope({ tenantId: "acme" });
  await assert.rejects(importLines(tenant, lines), /Line 1: it is an event of tenant ""/);
  assert.equal((await linesOf(to)).length, 1);
});

test("importLines() reads no further than the batch that it stores", async () => {
  const from = memory();
  await storeOn(from).append("a", Array.from({ length: 100 }, (_, value) => Noted({ value })));
  const lines = await linesOf(from);
  let [read, stored, furthest] = [0, 0, 0];
  async function* counted() {
    for (const line of lines) {
      furthest = Math.max(furthest, ++read - stored);
      yield line;
    }
  }
  const onProgress = (lines: number) => void (stored = lines);
  await importLines(storeOn(memory()), counted(), { batchSize: 10, onProgress });
  assert.equal(furthest, 10);
});

test("cloudLineOf() writes what decodeEvent() reads", async () => {
  const driver = memory();
  await fill(driver, 30);
  const store = new EventStore(driver, { events: [Noted, Joined, Empty], keys: subjectKeys() });
  const events = [Noted, Empty];
  const all: RecordedEvent[] = [];
  for await (const event of storeOn(driver).readAll()) all.push(event);
  let index = 0;
  for await (const stored of exportEvents(store)) {
    const line = cloudLineOf(stored, "/shop");
    const event = all[index++]!;
    if (event.type === "Joined") assert.ok(JSON.parse(line).codec.includes("sealed"));
    else {
      const found = decodeEvent(events, { body: line });
      assertSame(found.data, event.data);
      assert.deepEqual({ ...found, data: 0 }, { ...event, data: 0 });
    }
  }
  assert.equal(index, all.length);
});
