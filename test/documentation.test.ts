// The generated documentation does not depend on the runtime that looks at it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bin, run } from "./support/command.ts";
import { root, runtime } from "./support/root.ts";

interface Documentation {
  readonly nodes: Readonly<Record<string, { readonly symbols: readonly DocumentedSymbol[] }>>;
}

interface DocumentedSymbol {
  readonly name: string;
  readonly declarations: readonly {
    readonly jsDoc?: { readonly tags?: readonly { readonly kind: string }[] };
  }[];
}

if (runtime === "node") {
  const { exports } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));

  for (const [entry, path] of Object.entries<string>(exports)) {
    test(`every export of ${entry} has a category`, async () => {
      const { ok, output } = await run([bin("deno"), "doc", "--json", path]);
      assert.ok(ok, output);
      const { nodes }: Documentation = JSON.parse(output.slice(output.indexOf("{")));
      const symbols = Object.values(nodes).flatMap((node) => node.symbols);
      assert.ok(symbols.length > 0);
      const without = symbols.filter(({ declarations }) =>
        !declarations.some(({ jsDoc }) => jsDoc?.tags?.some(({ kind }) => kind === "category"))
      );
      assert.deepEqual(without.map(({ name }) => name), []);
    });
  }
}
