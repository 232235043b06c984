import assert from "node:assert/strict";
import { test } from "node:test";
import { Health } from "../../src/health.ts";

test("a failure counts against its event when something else succeeded since the one before", () => {
  const health = new Health();
  assert.equal(health.failed("bad"), false);
  health.succeeded("good");
  assert.equal(health.failed("bad"), true);
  assert.equal(health.failed("bad"), false);
  assert.equal(health.times("bad"), 3);
});

test("the failures of an event that was given up are forgotten", () => {
  const health = new Health();
  health.failed("bad");
  health.failed("bad");
  health.forget("bad");
  assert.equal(health.times("bad"), 0);
  health.failed("bad");
  assert.equal(health.times("bad"), 1);
});

test("it is stalled after three failures in a row, until something succeeds", () => {
  const health = new Health();
  for (const stream of ["a", "b", "c"]) {
    assert.equal(health.stalled, false);
    health.failed(stream);
  }
  assert.deepEqual([health.stalled, health.failing, health.failuresInARow], [true, 3, 3]);
  health.succeeded("a");
  assert.deepEqual([health.stalled, health.failing, health.failuresInARow], [false, 0, 0]);
});
