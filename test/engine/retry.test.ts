import assert from "node:assert/strict";
import { test } from "node:test";
import { PermanentError, RetryLaterError } from "event-sourcery";
import { backoff, readRetry } from "../../src/engine/retry.ts";

const retry = readRetry({ minDelay: 100, maxDelay: 1000 });
const failures = [1, 2, 3, 4, 5, 6];
const doubled = [100, 200, 400, 800, 1000, 1000];

test("backoff() doubles from minDelay to maxDelay", () => {
  const longest = drawing(1, () => failures.map((number) => backoff(retry, number)));
  assert.deepEqual(longest, doubled);
});

test("backoff() is never shorter than half of the pause", () => {
  const shortest = drawing(0, () => failures.map((number) => backoff(retry, number)));
  assert.deepEqual(shortest, doubled.map((delay) => delay / 2));
});

test("backoff() stays at maxDelay however many failures there were", () => {
  const many = [50, 51, 52, 1100, 1e9, Number.MAX_SAFE_INTEGER];
  const longest = drawing(1, () => many.map((number) => backoff(readRetry(), number)));
  assert.deepEqual(longest, many.map(() => 300_000));
});

test("backoff() varies between half of the pause and the whole of it", () => {
  for (const [index, delay] of doubled.entries()) {
    const pauses = Array.from({ length: 1000 }, () => backoff(retry, failures[index]!));
    const [least, most] = [Math.min(...pauses), Math.max(...pauses)];
    assert.ok(least >= delay / 2 && most <= delay, `from ${least} to ${most} of ${delay}`);
    // By chance a thousand draws miss a tenth of the range once in 10^45 times.
    assert.ok(least < delay * 0.55 && most > delay * 0.95, `from ${least} to ${most} of ${delay}`);
  }
});

test("backoff() is no pause where minDelay and maxDelay are 0", () => {
  const none = readRetry({ minDelay: 0, maxDelay: 0 });
  assert.deepEqual([1, 2, 100].map((number) => backoff(none, number)), [0, 0, 0]);
});

test("backoff() is no shorter than what the last failure asks for", () => {
  const later = new RetryLaterError("it is busy", 60_000);
  assert.deepEqual([1, 6].map((number) => backoff(retry, number, later)), [60_000, 60_000]);
  const soon = new RetryLaterError("it is busy", 0);
  const others = [soon, new PermanentError("no"), new Error("no"), undefined, null];
  drawing(1, () => others.forEach((error) => assert.equal(backoff(retry, 2, error), 200)));
});

/** Does something while chance always draws the same. */
function drawing<R>(drawn: number, work: () => R): R {
  const { random } = Math;
  Math.random = () => drawn;
  try {
    return work();
  } finally {
    Math.random = random;
  }
}
