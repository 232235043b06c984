import assert from "node:assert/strict";
import { test } from "node:test";
import { defineEvent } from "../../mod.ts";
import { uuidv7 } from "../../src/event/id.ts";

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("uuidv7() makes valid ids that are unique and sort in the order they were made", () => {
  let last = "";
  for (let made = 0; made < 100_000; made++) {
    const id = uuidv7();
    if (!(id > last) || !pattern.test(id)) assert.fail(`"${id}" after "${last}"`);
    last = id;
  }
});

test("uuidv7() keeps the order when the clock goes back", () => {
  const later = uuidv7(Date.now() + 1000);
  assert(uuidv7(Date.now()) > later);
});

test("uuidv7() begins with the milliseconds since 1970", () => {
  const time = Date.now() + 5000; // later than what the tests above may have used
  assert.equal(parseInt(uuidv7(time).replaceAll("-", "").slice(0, 12), 16), time);
});

test("uuidv7() draws other random bits for each id", () => {
  const tails = Array.from({ length: 10_000 }, () => uuidv7().slice(24));
  assert.equal(new Set(tails).size, tails.length);
});

test("defineEvent() gives each event a UUIDv7 of its own", () => {
  const TurnedOn = defineEvent("TurnedOn");
  const ids = Array.from({ length: 1000 }, () => TurnedOn().id);
  assert.deepEqual(ids, [...new Set(ids)].sort());
  for (const id of ids) assert.match(id, pattern);
});
