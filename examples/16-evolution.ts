// A build fails when its events can no longer be read, whichever library describes them.
import { type } from "arktype";
import { type AnyEventType, defineEvent, EventStore } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { z } from "zod";
import { check } from "./evolution/check.ts";

// One event type of each library: as it is in production, with a field that became required, and with an upcast.
const valibot = v.object({ sku: v.string(), at: v.date() });
const zod = z.object({ sku: z.string(), at: z.date() });
const arktype = type({ sku: "string", at: "Date" });
const euros = { upcast: [(old: unknown) => ({ ...Object(old), currency: "EUR" })] } as const;
const releases: Record<string, Record<"before" | "broken" | "mended", AnyEventType>> = {
  valibot: {
    before: defineEvent("Placed", valibot),
    broken: defineEvent("Placed", v.object({ ...valibot.entries, currency: v.string() })),
    mended: defineEvent("Placed", v.object({ ...valibot.entries, currency: v.string() }), euros),
  },
  zod: {
    before: defineEvent("Placed", zod),
    broken: defineEvent("Placed", zod.extend({ currency: z.string() })),
    mended: defineEvent("Placed", zod.extend({ currency: z.string() }), euros),
  },
  arktype: {
    before: defineEvent("Placed", arktype),
    broken: defineEvent("Placed", arktype.and({ currency: "string" })),
    mended: defineEvent("Placed", arktype.and({ currency: "string" }), euros),
  },
};

const folder = mkdtempSync(join(tmpdir(), "event-sourcery-evolution-"));
const Viewed = defineEvent("Viewed", z.object({ by: z.string() }));
for (const [library, { before, broken, mended }] of Object.entries(releases)) {
  const file = join(folder, `${library}.json`);
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  assert.equal(check([before, Viewed], { file, print }), 0); // the first run writes the catalogue
  assert.equal(lines.length, 0);

  assert.equal(check([broken, Viewed], { file, print }), 1);
  assert(lines.includes("BREAKS reading: Placed.currency is new and required"), lines.join("\n"));
  // The build before, and whoever receives the events, cannot read version 2: a strict build fails.
  assert.equal(check([mended, Viewed], { file, print, strict: true }), 1);
  assert.equal(check([mended, Viewed], { file, print }), 0);

  // Who reads the events of others would miss a field that is gone: a strict build fails there, too.
  const removed = [
    defineEvent("Placed", z.object({ sku: z.string() }), {
      upcast: [() => ({ sku: "" })],
    }),
    Viewed,
  ];
  assert.equal(check(removed, { file, print, strict: true }), 1);

  // A type whose definition goes must be retired, here and in the store.
  assert.equal(check([mended], { file, print }), 1);
  assert.equal(check([mended], { file, print, retired: ["Viewed"] }), 0);
  // The catalogue was written: now this is what others are compared with.
  assert.equal(check([mended], { file, print: assert.fail, retired: ["Viewed"] }), 0);
}
rmSync(folder, { recursive: true });

// What a retired type leaves: its events keep their versions, and say nothing.
const driver = memory();
const Placed = defineEvent("Placed", zod);
const past = new EventStore(driver, { events: [Placed, Viewed] });
await past.append("order:1", [Viewed({ by: "Ada" }), Placed({ sku: "tea", at: new Date() })]);
const store = new EventStore(driver, { events: [Placed], retired: ["Viewed"] });
const read = await store.load("order:1");
assert.deepEqual(read.map((event) => event.type), ["?Viewed", "Placed"]);

console.log("Three libraries, and no release that cannot read its past");
