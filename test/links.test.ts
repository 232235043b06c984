import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { imports } from "./support/architecture.ts";
import { root } from "./support/root.ts";

for (const page of ["README.md", "examples/README.md"]) {
  test(`${page} links to files that exist`, () => {
    const links = [...read(page).matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link]) => link!);
    const local = links.filter((link) => !link.includes("://"));
    assert(local.length > 10);
    const missing = local.filter((link) => !existsSync(join(root, dirname(page), link)));
    assert.deepEqual(missing, []);
  });
}

test("examples/README.md keeps promises in programs that exist", () => {
  const names = new Set(read("examples/README.md").match(/\b\d\d-[a-z]+/g));
  assert(names.size > 10);
  const missing = [...names].filter((name) => !existsSync(join(root, "examples", `${name}.ts`)));
  assert.deepEqual(missing, []);
});

test("the modules of examples/shop know the shared events and the library, not each other", () => {
  const files = readdirSync(join(root, "examples/shop"));
  for (const module of ["orders.ts", "payments.ts", "invoices.ts"]) assert(files.includes(module));
  for (const file of files) {
    const allowed = file === "events.ts" ? ["event-sourcery"] : ["./events.ts", "event-sourcery"];
    const found = imports(read(`examples/shop/${file}`));
    assert.deepEqual([...new Set(found)].sort(), allowed, file);
  }
});

function read(page: string): string {
  return readFileSync(join(root, page), "utf8");
}
