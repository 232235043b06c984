import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { imports } from "./support/architecture.ts";
import { root } from "./support/root.ts";

/** Where the repository is: packed pages link there, since a package holds neither examples nor tests. */
const { homepage } = JSON.parse(read("package.json"));
const pages = [
  "README.md",
  "src/README.md",
  "examples/README.md",
  ...readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.startsWith("guide") && path.endsWith(".md"))
    .map((path) => join("examples", path)),
];

for (const page of pages) {
  test(`${page} links to files that exist`, () => {
    const links = [...read(page).matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link]) => link!);
    const blob = `${homepage.replace(/#.*$/, "")}/blob/main/`;
    const local = links.filter((link) => !link.includes("://"));
    const absolute = links.filter((link) => link.startsWith(blob));
    if (!page.includes("guide")) assert(local.length + absolute.length > 10);
    const missing = [
      ...local.filter((link) => !existsSync(join(root, dirname(page), link))),
      ...absolute.filter((link) => !existsSync(join(root, link.slice(blob.length)))),
    ];
    assert.deepEqual(missing, []);
  });
}

test("pages that are packed link to nothing beside them", () => {
  for (const page of ["README.md", "CHANGELOG.md"]) {
    const links = [...read(page).matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!);
    assert.deepEqual(links.filter((link) => !link.startsWith("https://")), [], page);
  }
});

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
