import assert from "node:assert/strict";
import { test } from "node:test";
import { add, count } from "./count.ts";

const node = "ℹ tests 9\nℹ pass 4\nℹ fail 1\nℹ cancelled 1\nℹ skipped 2\nℹ todo 1\n";
const deno = "\nFAILED | 12 passed (3 steps) | 1 failed | 2 ignored (1 step) (35ms)\n";
const bun = "\n 7 pass\n 2 skip\n 1 todo\n 1 fail\n 1 error\nRan 11 tests across 2 files.\n";

test("count() reads the summary of each runtime", () => {
  assert.deepEqual(count(node, false), { passed: 4, failed: 2, skipped: 3 });
  assert.deepEqual(count(deno, false), { passed: 12, failed: 1, skipped: 2 });
  assert.deepEqual(count(bun, false), { passed: 7, failed: 2, skipped: 3 });
});

test("count() counts a failure when a run ended badly or ran nothing", () => {
  assert.deepEqual(count("ℹ pass 4\nℹ fail 0\n", false), { passed: 4, failed: 1, skipped: 0 });
  assert.deepEqual(count("Segmentation fault", true), { passed: 0, failed: 1, skipped: 0 });
});

test("add() adds each kind", () => {
  const one = { passed: 1, failed: 2, skipped: 3 };
  assert.deepEqual(add(one, one), { passed: 2, failed: 4, skipped: 6 });
});
