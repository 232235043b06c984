import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { test } from "node:test";
import { imports, violations } from "./support/architecture.ts";
import { root } from "./support/root.ts";

const sources = [
  "mod.ts",
  ...["src", "drivers"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
  ),
];

test("sources keep the directions and the style of the architecture", () => {
  const found = sources.flatMap((path) => violations(path, readFileSync(join(root, path), "utf8")));
  assert.deepEqual(found, []);
});

test("imports() sees every import of the sources", () => {
  const none = sources.filter((path) => {
    const source = readFileSync(join(root, path), "utf8");
    return /^(import|\} from) /m.test(source) && imports(source).length === 0;
  });
  assert.deepEqual(none, []);
});

const bad: [path: string, source: string][] = [
  ["mod.ts", 'export { prove } from "./src/testing/mod.ts";'],
  ["mod.ts", 'export { memory } from "./drivers/memory/mod.ts";'],
  ["mod.ts", 'export * from "./src/event/event.ts";'],
  ["src/store/store.ts", 'import { sql } from "drizzle-orm";'],
  ["src/store/store.ts", 'import type { Driver } from "../drivers/memory/mod.ts";'],
  ["src/store/store.ts", 'import {\n  type A,\n  b,\n} from "../mod.ts";'],
  ["src/store/store.ts", 'import * as path from "node:path";'],
  ["src/store/store.ts", 'import "node:path";'],
  ["src/store/store.ts", 'export { cases } from "./testing/cases.ts";'],
  ["src/store/store.ts", 'import { kafka } from "./publishers/kafka.ts";'],
  ["src/store/store.ts", 'import { codec } from "./codec";'],
  ["src/store/store.ts", 'const { deepEqual } = await import("node:assert");'],
  ["src/store/store.ts", "const value = data as any;"],
  ["src/store/store.ts", "function read(data: any): void {}"],
  ["src/store/store.ts", "const values: Map<string, any> = new Map();"],
  ["src/store/store.ts", "\n".repeat(301)],
  ["src/testing/mod.ts", 'import { test } from "node:test";'],
  ["src/testing/mod.ts", 'import { EventStore } from "../../mod.ts";'],
  ["src/eventStore.ts", ""],
  ["src/event-store.ts", ""],
  ["drivers/memory/mod.ts", 'import { encode } from "../src/codec/codec.ts";'],
  ["drivers/memory/mod.ts", 'import { append } from "./_sql/append.ts";'],
  ["drivers/memory/mod.ts", 'import { sql } from "drizzle-orm";'],
  ["drivers/_shared/queue.ts", 'import { sql } from "drizzle-orm";'],
  ["drivers/_shared/queue.ts", 'import { dialect } from "./postgres/dialect.ts";'],
  ["drivers/postgres/mod.ts", 'import { memory } from "../memory.ts";'],
  ["drivers/_sql/append.ts", 'import { dialect } from "../postgres/dialect.ts";'],
  ["drivers/postgres/mod.ts", 'import { schema } from "../libsql/schema.ts";'],
  ["drivers/postgres/mod.ts", 'import { encode } from "../../src/codec/codec.ts";'],
  ["drivers/postgres/mod.ts", 'import postgres from "postgres";'],
  ["drivers/postgres/mod.ts", 'import { drizzle } from "drizzle-orm/postgres-js";'],
];

const good: [path: string, source: string][] = [
  ["mod.ts", 'export { EventStore } from "./src/store/store.ts";'],
  ["src/store/store.ts", 'import { encode } from "./codec.ts";\n// as any\nconst text = "as any";'],
  ["src/store/store.ts", '/**\n * ```ts\n * import * as v from "valibot";\n * ```\n */'],
  ["src/testing/cases/append.ts", 'import { equal } from "node:assert/strict";'],
  ["src/testing/cases/append.ts", 'import { EventStore } from "../store.ts";'],
  ["src/publishers/kafka.ts", 'import { cloud } from "./cloud.ts";'],
  ["drivers/memory/mod.ts", 'import type { Driver } from "../mod.ts";'],
  ["drivers/memory/mod.ts", 'import { Turns } from "./turns.ts";'],
  ["drivers/libsql/mod.ts", 'import { Turns } from "../turns.ts";'],
  ["drivers/_sql/append.ts", 'import { sql } from "drizzle-orm";'],
  ["drivers/postgres/sql/schema.ts", 'import { text } from "drizzle-orm/pg-core";'],
  ["drivers/libsql/mod.ts", 'import { append } from "../_sql/append.ts";'],
];

test("violations() refuses each kind of bad source", () => {
  for (const [path, source] of bad) {
    assert.equal(violations(path, source).length, 1, `${path}: ${source.trim()}`);
  }
});

test("violations() accepts good sources", () => {
  for (const [path, source] of good) assert.deepEqual(violations(path, source), []);
});
