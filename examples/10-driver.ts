// A driver of your own: `lines.ts` keeps events in a file. The contract tests whether it keeps its promises.
import type { AppendOutcome, AppendRequest, Driver } from "event-sourcery";
import { defineEvent, EventStore } from "event-sourcery";
import { driverContract } from "event-sourcery/testing";
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lines } from "./lines.ts";

/** Returns the names of the contract's cases that a driver fails; a test runner would show each as a test. */
async function broken(open: () => Driver): Promise<readonly string[]> {
  const names: string[] = [];
  for (const { name, run } of driverContract(open)) await run().catch(() => names.push(name));
  return names;
}

/** A driver with a common mistake: it ignores expected versions. */
class Careless extends Lines {
  override append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    return super.append(requests.map(({ tenantId, writes }) => (
      { tenantId, writes: writes.map((write) => ({ ...write, expectedVersion: "any" })) }
    )));
  }
}

const folder = mkdtempSync(join(tmpdir(), "event-sourcery-lines-"));
let files = 0;
const file = () => join(folder, `${++files}.jsonl`);
try {
  assert.deepEqual(await broken(() => new Lines(file())), []);

  const found = await broken(() => new Careless(file()));
  console.log("Careless breaks, among others:", found[0]);
  assert(found.some((name) => name.includes("noStream")));

  // Not covered by the contract: the events are still there when the file is reopened, even after a crash.
  const Noted = defineEvent("Noted");
  const path = file();
  const open = () => new EventStore(new Lines(path), { events: [Noted] });
  await open().append("note", [Noted(), Noted()]);
  appendFileSync(path, '[{"streamId":"note","ver');
  await open().append("note", Noted(), { expectedVersion: 2 });
  assert.equal(await open().version("note"), 3);
  console.log(
    `A file of lines keeps all ${driverContract(() => new Lines(file())).length} promises`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
