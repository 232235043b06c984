import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { test } from "node:test";
import { circles, deadExports, imports, readRooms, violations } from "./support/architecture.ts";
import { root } from "./support/root.ts";

const paths = [
  "mod.ts",
  ...["src", "drivers"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
  ),
];
const sources = new Map(paths.map((path) => [path, readFileSync(join(root, path), "utf8")]));
const rooms = readRooms();

test("sources keep the table of rooms and the house rules", () => {
  assert.deepEqual([...sources].flatMap(([path, source]) => violations(path, source, rooms)), []);
});

test("every room of the table is there, and is not crowded", () => {
  for (const room of rooms.keys()) {
    const files = paths.filter((path) => posix.dirname(path) === room);
    const most = room === "src/testing/cases" ? 32 : 16;
    assert.ok(files.length > 0 && files.length <= most, `${room} has ${files.length} files`);
  }
});

test("no files import each other in a circle, types included", () => {
  assert.deepEqual(circles(sources), []);
  const circle = new Map([
    ["src/a/b.ts", 'import type { C } from "../c/d.ts";'],
    ["src/c/d.ts", 'import { B } from "../a/e.ts";'],
    ["src/a/e.ts", 'export { B } from "./b.ts";'],
    ["src/a/f.ts", 'import { B } from "./b.ts";'],
  ]);
  assert.deepEqual(circles(circle), [["src/a/b.ts", "src/a/e.ts", "src/c/d.ts"]]);
});

test("every export is imported somewhere", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
  const entries = Object.values<string>(exports).map((path) => posix.normalize(path));
  assert.deepEqual(deadExports(sources, entries), []);
  const dead = new Map([
    ["src/a.ts", "export interface A {}\nexport const b = 1;\nexport function c() {}"],
    ["src/d.ts", 'import { type A, b as e } from "./a.ts";'],
  ]);
  assert.deepEqual(deadExports(dead, []), ["src/a.ts: c"]);
});

test("imports() sees every import of the sources", () => {
  const none = [...sources].filter(([, source]) =>
    /^(import|\} from) /m.test(source) && imports(source).length === 0
  );
  assert.deepEqual(none, []);
});

const bad: [path: string, source: string][] = [
  ["mod.ts", 'export { prove } from "./src/testing/mod.ts";'],
  ["mod.ts", 'export { memory } from "./drivers/memory/mod.ts";'],
  ["mod.ts", 'export * from "./src/event/event.ts";'],
  ["src/store.ts", ""],
  ["src/attic/store.ts", 'import { encode } from "../codec/encode.ts";'],
  ["src/driver/driver.ts", 'import type { BusyError } from "../errors/driver.ts";'],
  ["src/errors/check.ts", 'import type { Event } from "../event/event.ts";'],
  ["src/async/sleep.ts", 'import type { Driver } from "../driver/driver.ts";'],
  ["src/event/event.ts", 'import type { Catalog } from "../codec/catalog.ts";'],
  ["src/codec/encode.ts", 'import type { EventStore } from "../store/store.ts";'],
  ["src/store/store.ts", 'import type { Aggregate } from "../aggregate/aggregate.ts";'],
  ["src/store/store.ts", 'import { sql } from "drizzle-orm";'],
  ["src/store/store.ts", 'import type { Driver } from "../../drivers/memory/mod.ts";'],
  ["src/store/store.ts", 'import {\n  type A,\n  b,\n} from "../../mod.ts";'],
  ["src/store/store.ts", 'import * as path from "node:path";'],
  ["src/store/store.ts", 'import "node:path";'],
  ["src/store/store.ts", 'export { cases } from "../testing/cases/append.ts";'],
  ["src/store/store.ts", 'import { codec } from "../codec/codec";'],
  ["src/store/store.ts", 'const { deepEqual } = await import("node:assert");'],
  ["src/store/store.ts", "const value = data as any;"],
  ["src/store/store.ts", "function read(data: any): void {}"],
  ["src/store/store.ts", "const values: Map<string, any> = new Map();"],
  ["src/store/store.ts", "\n".repeat(301)],
  ["src/store/eventStore.ts", ""],
  ["src/store/event-store.ts", ""],
  ["src/aggregate/decider.ts", 'import { Worker } from "../engine/worker.ts";'],
  ["src/engine/pass.ts", 'import type { Consumer } from "../consumer/consumer.ts";'],
  ["src/consumer/outbox.ts", 'import { Repository } from "../aggregate/repository.ts";'],
  ["src/testing/mod.ts", 'import { test } from "node:test";'],
  ["src/testing/mod.ts", 'import { EventStore } from "../../mod.ts";'],
  ["drivers/memory/mod.ts", 'import { encode } from "../../src/codec/encode.ts";'],
  ["drivers/memory/mod.ts", 'import { append } from "../_sql/append/append.ts";'],
  ["drivers/memory/mod.ts", 'import { sql } from "drizzle-orm";'],
  ["drivers/_shared/queue.ts", 'import { sql } from "drizzle-orm";'],
  ["drivers/_shared/queue.ts", 'import { connect } from "../postgres/handle.ts";'],
  ["drivers/_sql/append/append.ts", 'import { connect } from "../postgres/handle.ts";'],
  ["drivers/_sql/append/append.ts", 'import { text } from "drizzle-orm/pg-core";'],
  ["drivers/postgres/mod.ts", 'import { memory } from "../memory/mod.ts";'],
  ["drivers/postgres/mod.ts", 'import { schema } from "../libsql/sql/schema.ts";'],
  ["drivers/postgres/mod.ts", 'import { encode } from "../../src/codec/encode.ts";'],
  ["drivers/postgres/mod.ts", 'import postgres from "postgres";'],
  ["drivers/postgres/mod.ts", 'import { drizzle } from "drizzle-orm/postgres-js";'],
  ["drivers/libsql/sql/schema.ts", 'import { text } from "drizzle-orm/pg-core";'],
];

const good: [path: string, source: string][] = [
  ["mod.ts", 'export { EventStore } from "./src/store/store.ts";'],
  [
    "src/store/store.ts",
    'import { encode } from "../codec/encode.ts";\n// as any\nconst a = "as any";',
  ],
  ["src/store/store.ts", '/**\n * ```ts\n * import * as v from "valibot";\n * ```\n */'],
  ["src/testing/mod.ts", 'import { append } from "./cases/append.ts";'],
  ["src/testing/cases/append.ts", 'import { equal } from "node:assert/strict";'],
  ["src/testing/cases/append.ts", 'import { EventStore } from "../../store/store.ts";'],
  ["src/testing/cases/append.ts", 'import { rig } from "../rig.ts";'],
  ["drivers/memory/mod.ts", 'import type { Driver } from "../../mod.ts";'],
  ["drivers/memory/mod.ts", 'import { Queue } from "../_shared/queue.ts";'],
  ["drivers/_sql/query.ts", 'import { sql } from "drizzle-orm";'],
  ["drivers/postgres/sql/schema.ts", 'import { text } from "drizzle-orm/pg-core";'],
  ["drivers/libsql/mod.ts", 'import { append } from "../_sql/append/append.ts";'],
];

test("violations() refuses each kind of bad source", () => {
  for (const [path, source] of bad) {
    assert.equal(violations(path, source, rooms).length, 1, `${path}: ${source.trim()}`);
  }
});

test("violations() accepts good sources", () => {
  for (const [path, source] of good) assert.deepEqual(violations(path, source, rooms), []);
});
