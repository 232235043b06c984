import assert from "node:assert/strict";
import { test } from "node:test";
import { OutageDetector } from "../../src/engine/outage.ts";

test("a failure counts against its event when something else succeeded since the one before", () => {
  const health = new OutageDetector();
  assert.equal(health.failed("bad"), false);
  health.succeeded("good");
  assert.equal(health.failed("bad"), true);
  assert.equal(health.failed("bad"), false);
  assert.equal(health.times("bad"), 3);
});

test("the failures of an event that was given up are forgotten", () => {
  const health = new OutageDetector();
  health.failed("bad");
  health.failed("bad");
  health.forget("bad");
  assert.equal(health.times("bad"), 0);
  health.failed("bad");
  assert.equal(health.times("bad"), 1);
});

test("it is stalled after three failures in a row, until something succeeds", () => {
  const health = new OutageDetector();
  for (const stream of ["a", "b", "c"]) {
    assert.equal(health.stalled, false);
    health.failed(stream);
  }
  assert.deepEqual([health.stalled, health.failuresInARow], [true, 3]);
  health.succeeded("a");
  assert.deepEqual([health.stalled, health.failuresInARow], [false, 0]);
});

test("the longer nothing succeeds, the more is tried and the longer it rests, within bounds", () => {
  const health = new OutageDetector();
  for (const stream of ["a", "b", "c"]) health.failed(stream);
  const seen: unknown[] = [];
  for (let pass = 0; pass < 12; pass++) {
    seen.push([health.trials, health.failures]);
    health.passed();
  }
  assert.deepEqual(seen.slice(0, 4), [[1, 0], [2, 1], [3, 2], [4, 2]]); // three streams fail
  assert.deepEqual(seen.at(-1), [10, 2]);
  health.succeeded("a");
  assert.deepEqual([health.trials, health.failures], [1, 0]);
});

test("one stream that fails alone is not rested from", () => {
  const health = new OutageDetector();
  for (let pass = 0; pass < 5; pass++) {
    health.failed("a");
    health.passed();
  }
  assert.deepEqual([health.stalled, health.failures], [true, 0]);
});
