import assert from "node:assert/strict";
import { test } from "node:test";
import { runtime } from "./support/root.ts";
import { compile } from "./types/compile.ts";
import { mistakes } from "./types/mistakes.ts";
import { program, type Size } from "./types/program.ts";

/** What checking a program of this size may cost, the library's own sources included; it was 245,000 with TypeScript 7, 99,000 of them for sensitive paths. */
const budget = 450_000;
const size: Size = { types: 200, handlers: 100, aggregates: 20 };

// The compiler is the same wherever it is started from.
if (runtime === "node") {
  test("types of a large program check within the budget when tsc checks them", async () => {
    const found = await instantiations(size);
    assert(found > 0 && found <= budget, `${found} instantiations, the budget is ${budget}`);
  });

  test("the compiler says in a sentence what to do about a usual mistake", async () => {
    const text = mistakes.map(({ code }) => code).join("\n");
    const { output } = await compile(text);
    const messages = output.split(/^(?=\S*program\.ts)/m);
    for (const { code, message } of mistakes) {
      if (message === undefined) continue;
      const line = text.split(code)[0]!.split("\n").length;
      const found = messages.filter((text) => text.includes(`program.ts(${line},`));
      assert.equal(found.length, 1, `${code}\n${output}`);
      assert(found[0]!.includes(message), found[0]!);
      assert(found[0]!.length < 600, found[0]!);
    }
    assert.equal(messages.length, mistakes.filter(({ message }) => message).length, output);
  });
}

/** Counts what the compiler instantiates to check a program, which must compile. */
async function instantiations(of: Size): Promise<number> {
  const { ok, output } = await compile(program(of), { flags: ["--extendedDiagnostics"] });
  assert(ok, output);
  return Number(/^Instantiations:\s+(\d+)/m.exec(output)?.[1]);
}
