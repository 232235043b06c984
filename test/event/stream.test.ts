import assert from "node:assert/strict";
import { test } from "node:test";
import { slotOf, slots } from "../../src/event/stream.ts";

// Computed by another program. They are stored with the events: a change breaks every existing store.
const known: readonly [tenantId: string, streamId: string, slot: number][] = [
  ["", "", 462],
  ["", "order:42", 897],
  ["", "order:43", 534],
  ["acme", "order:42", 98],
  ["acme", "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", 93],
  ["", "Straße:ß", 643],
  ["", "😀", 714],
  ["", "é".repeat(256), 330],
];

test("slotOf() gives the slots that are stored, for ever", () => {
  assert.equal(slots, 1024);
  const found = known.map(([tenantId, streamId]) => [
    tenantId,
    streamId,
    slotOf(tenantId, streamId),
  ]);
  assert.deepEqual(found, known);
});

test("slotOf() tells the tenant from the stream", () => {
  assert.notEqual(slotOf("a", "bc"), slotOf("ab", "c"));
  assert.notEqual(slotOf("acme", "order:42"), slotOf("", "acmeorder:42"));
});

/** How streams are named, by the number of one. */
const names: Readonly<Record<string, (number: number) => [tenantId: string, streamId: string]>> = {
  "numbers": (number) => ["", String(number)],
  "numbers of a category": (number) => ["", `order:${number}`],
  "padded numbers": (number) => ["", `invoice:${String(number).padStart(12, "0")}`],
  "UUIDs": (number) => ["", `cart:${uuid(number)}`],
  "one name with many tenants": (number) => [`tenant-${number}`, "settings"],
};

for (const [name, nameOf] of Object.entries(names)) {
  test(`slotOf() spreads 100,000 streams evenly over lanes: ${name}`, { timeout: 60_000 }, () => {
    const found = Array.from({ length: 100_000 }, (_, number) => slotOf(...nameOf(number)));
    const outside = found.filter((slot) => !(Number.isInteger(slot) && slot >= 0 && slot < 1024));
    assert.deepEqual(outside, []);
    for (const lanes of [2, 3, 8]) {
      const counts = new Array<number>(lanes).fill(0);
      for (const slot of found) counts[slot % lanes]!++;
      const fair = found.length / lanes;
      const worst = Math.max(...counts.map((count) => Math.abs(count - fair) / fair));
      assert.ok(worst < 0.03, `${lanes} lanes: ${counts}`);
    }
  });
}

/** A UUID of the seventh version, the same for the same number. */
function uuid(number: number): string {
  const time = (0x0190a1b2c3d4 + number * 37).toString(16).padStart(12, "0");
  const tail = (Math.imul(number + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7e5f-8a6b-7c8d${tail}`;
}
